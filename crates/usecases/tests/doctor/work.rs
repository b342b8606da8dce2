//! Work that nobody does, or that does not get on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::TimeDelta;
use tenantry_domain::event::EventType;
use tenantry_domain::tenant::{Lifecycle, Status};
use tenantry_ports::{Attempted, Channel, Clock, DatabaseFault, Notice, Settlement, StoreError};
use tenantry_testkit::{DatabaseCall, FailureMoment, TestPlatform, sample};
use tenantry_usecases::doctor::Severity;
use tenantry_usecases::provisioning::{Worked, tend_once, work_once};
use tenantry_usecases::tenants;

use super::support::{acme, active, progress, queued, status, with_pool, work_off};
use super::{SECOND, cured, of, the, wrong};

#[test]
fn a_dead_workers_run_that_nobody_takes_up_is_stuck() {
    let test = TestPlatform::new();
    queued(&test);
    test.databases.die(DatabaseCall::Create, FailureMoment::AfterEffect);
    catch_unwind(AssertUnwindSafe(|| work_once(&test.platform, "host-7"))).unwrap_err();
    test.clock.advance(test.platform.policy.lease + SECOND);
    assert_eq!(wrong(&test), [], "somebody is going to");
    test.clock.advance(TimeDelta::minutes(61));
    let stuck = the(&test, "stuck_lease", Severity::Warning);
    assert_eq!(stuck.what, "run 1 was leased by host-7, which has been silent for 1 h");
    work_off(&test);
    assert_eq!(wrong(&test), []);
}

#[test]
fn runs_that_nobody_begins_are_reported_once_for_all() {
    let test = TestPlatform::new();
    queued(&test);
    test.clock.advance(TimeDelta::seconds(59));
    assert_eq!(wrong(&test), []);
    test.clock.advance(TimeDelta::minutes(4));
    let idle = the(&test, "idle_queue", Severity::Warning);
    assert_eq!(idle.what, "nobody has taken up 1 run, the first due for 4 min: tenant acme");
}

#[test]
fn a_run_that_was_set_aside_is_queued_again() {
    let test = TestPlatform::new();
    let id = queued(&test);
    test.world.control().spoil_run(id, 1);
    assert_eq!(work_once(&test.platform, "worker").unwrap(), Worked::Idle);
    let aside = the(&test, "run_set_aside", Severity::Error);
    test.world.control().mend_run(id, 1);
    cured(&test, &aside);
    work_off(&test);
    assert_eq!(status(&test, id), Status::Active);
}

#[test]
fn a_tenant_under_way_without_a_queued_run_gets_one() {
    let test = TestPlatform::new();
    let id = tenants::init(&test.platform, acme()).unwrap().tenant;
    test.platform
        .control
        .write::<_, StoreError>(|tx| {
            let mut tenant = tx.tenants().get(id)?.unwrap();
            tenant.enter(Lifecycle::Queued { since: tenant.created_at }, tenant.created_at);
            tx.tenants().update(&tenant)
        })
        .unwrap();
    assert_eq!(wrong(&test), [], "its run may be on its way");
    test.clock.advance(TimeDelta::minutes(2));
    let stranded = the(&test, "stranded_tenant", Severity::Error);
    cured(&test, &stranded);
    work_off(&test);
    assert_eq!(status(&test, id), Status::Active);
}

#[test]
fn a_run_that_fails_for_long_is_reported_with_its_reason() {
    let test = TestPlatform::new();
    let scope = active(&test);
    tenants::deprovision(&test.platform, of(scope.tenant()), Some(TimeDelta::zero())).unwrap();
    test.databases.fail(DatabaseCall::Remove, FailureMoment::BeforeEffect, DatabaseFault::Passing, 10_000);
    let begun = test.clock.now();
    while test.clock.now() < begun + TimeDelta::minutes(11) {
        match work_once(&test.platform, "worker").unwrap() {
            Worked::Postponed(_, due) => test.clock.set(due),
            other => panic!("{other:?}"),
        }
    }
    let failing = the(&test, "failing_run", Severity::Warning);
    assert!(failing.what.ends_with(": Failed to connect to database server"), "{failing:?}");
}

#[test]
fn a_tenant_that_could_not_be_undone_needs_attention() {
    let test = TestPlatform::new();
    test.databases.fail(DatabaseCall::Migrate, FailureMoment::BeforeEffect, DatabaseFault::Lasting, 1);
    test.databases.fail(DatabaseCall::Remove, FailureMoment::BeforeEffect, DatabaseFault::Lasting, 1);
    let id = queued(&test);
    work_off(&test);
    test.clock.advance(TimeDelta::days(1));
    let attention = the(&test, "needs_attention", Severity::Error);
    assert_eq!((&*attention.place, attention.remedy), ("tenant acme", None));
    tenants::deprovision(&test.platform, of(id), None).unwrap();
    work_off(&test);
    assert_eq!((wrong(&test), test.world.existing().len()), (vec![], 0));
}

#[test]
fn tenants_that_nobody_confirmed_and_nobody_lets_go_of_are_let_go_of() {
    let test = TestPlatform::new();
    let id = tenants::init(&test.platform, acme()).unwrap().tenant;
    test.clock.advance(TimeDelta::minutes(16));
    assert_eq!(wrong(&test), [], "a worker is going to");
    test.clock.advance(TimeDelta::minutes(16));
    let overdue = the(&test, "overdue_tenants", Severity::Warning);
    cured(&test, &overdue);
    assert_eq!(status(&test, id), Status::Expired);
}

#[test]
fn a_pool_that_nobody_keeps_is_reported_and_what_was_abandoned_is_finished() {
    let test = with_pool(1);
    the(&test, "pool_below_size", Severity::Warning);
    test.databases.die(DatabaseCall::Migrate, FailureMoment::BeforeEffect);
    catch_unwind(AssertUnwindSafe(|| tend_once(&test.platform))).unwrap_err();
    assert_eq!(wrong(&test), [], "somebody is at it");
    test.clock.advance(TimeDelta::minutes(5));
    let codes: Vec<_> = wrong(&test).iter().map(|symptom| symptom.code).collect();
    assert_eq!(codes, ["abandoned_pooled_database", "pool_below_size"]);
    cured(&test, &wrong(&test)[0]);
    assert_eq!(test.world.existing().len(), 1);
}

#[test]
fn a_notice_that_was_given_up_is_reported_with_its_reason() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let tenant = progress(&test, scope.tenant()).tenant;
    let now = test.clock.now();
    let notice = Notice {
        id: sample::id(),
        channel: Channel::Mail,
        tenant: tenant.id,
        event: EventType::USER_CREATED,
        payload: "{}".to_owned(),
        created_at: now,
    };
    let outcome = Attempted::GivenUp { error: "550 no such mailbox".to_owned() };
    let settlement = Settlement { id: notice.id, channel: notice.channel, attempt: 1, outcome };
    test.platform
        .control
        .write::<_, StoreError>(|tx| {
            tx.notices().insert(&[notice])?;
            tx.notices().claim(Channel::Mail, "worker", now, TimeDelta::minutes(1), 1)?;
            tx.notices().settle(&[settlement], now)
        })
        .unwrap();
    let lost = the(&test, "notices_given_up", Severity::Warning);
    assert_eq!(lost.what, "1 notice given up, the latest a mail: 550 no such mailbox");
}
