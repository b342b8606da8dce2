//! The doctor finds each thing that can be wrong, and what it says to be safe puts it right; of a healthy installation it
//! finds nothing, whatever has happened to it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::TimeDelta;
use support::{acme, active, progress, queued, status, tend, with_pool, work_off};
use tenantry_domain::event::EventType;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{DatabaseName, Lifecycle, Status};
use tenantry_ports::{
    Attempted, Channel, DatabaseFault, Notice, PoolState, Settlement, StoreError, TenantDatabases as _,
    TenantScope,
};
use tenantry_testkit::{DatabaseCall, FailureMoment, TestPlatform, sample};
use tenantry_usecases::doctor::{CureError, Remedy, Severity, Symptom, cure, examine};
use tenantry_usecases::provisioning::{Worked, tend_once, work_once};
use tenantry_usecases::tenants::{self, Target};

const SECOND: TimeDelta = TimeDelta::seconds(1);

/// What is wrong.
fn wrong(test: &TestPlatform) -> Vec<Symptom> {
    let mut symptoms = examine(&test.platform);
    symptoms.retain(|symptom| symptom.severity != Severity::Ok);
    symptoms
}

/// The one thing that is wrong, which is this.
fn the(test: &TestPlatform, code: &str, severity: Severity) -> Symptom {
    let mut wrong = wrong(test);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    let symptom = wrong.remove(0);
    assert_eq!((symptom.code, symptom.severity), (code, severity), "{symptom:?}");
    assert!(symptom.next.as_ref().is_some_and(|next| !next.is_empty()), "{symptom:?}");
    symptom
}

/// Has the remedy applied, after which nothing is wrong.
fn cured(test: &TestPlatform, symptom: &Symptom) {
    let remedy = symptom.remedy.as_ref().expect("it can be put right");
    cure(&test.platform, remedy, 4).unwrap();
    assert_eq!(wrong(test), []);
}

fn of(tenant: TenantId) -> Target {
    Target { tenant, version: None }
}

/// A tenant that is gone, with its scope.
fn deleted(test: &TestPlatform) -> (TenantId, TenantScope) {
    let scope = active(test);
    tenants::deprovision(&test.platform, of(scope.tenant()), Some(TimeDelta::zero())).unwrap();
    work_off(test);
    assert_eq!(status(test, scope.tenant()), Status::Deleted);
    (scope.tenant(), scope)
}

#[test]
fn a_healthy_installation_is_said_to_be_so_in_every_respect() {
    let test = with_pool(2);
    active(&test);
    tend(&test);
    let symptoms = examine(&test.platform);
    assert!(symptoms.iter().all(|symptom| symptom.severity == Severity::Ok), "{symptoms:?}");
    let codes: Vec<_> = symptoms.iter().map(|symptom| symptom.code).collect();
    assert_eq!(codes, ["databases", "queue", "pool", "schema", "notices"]);
    assert_eq!(symptoms[0].what, "1 tenant and 2 pooled databases, each in its place");
}

#[test]
fn a_database_that_came_after_its_tenant_was_gone_is_dropped() {
    let test = TestPlatform::new();
    let (_, scope) = deleted(&test);
    // As PostgreSQL does that goes on after its client died.
    test.world.databases().create(&scope, &sample::permitted).unwrap();
    assert_eq!(wrong(&test), [], "it may be on its way for as long as a lease");
    test.clock.advance(test.platform.policy.lease + SECOND);
    let orphan = the(&test, "orphan_database", Severity::Error);
    assert!(orphan.what.contains("which is Deleted"), "{orphan:?}");
    cured(&test, &orphan);
    assert!(test.world.existing().is_empty());
}

#[test]
fn an_orphan_whose_tenant_moved_on_is_left_alone() {
    let test = TestPlatform::new();
    test.databases.fail(DatabaseCall::Migrate, FailureMoment::BeforeEffect, DatabaseFault::Lasting, 1);
    let id = queued(&test);
    work_off(&test);
    let tenant = progress(&test, id).tenant;
    test.world.databases().create(&TenantScope::leftover(&tenant).unwrap(), &sample::permitted).unwrap();
    test.clock.advance(test.platform.policy.lease + SECOND);
    let orphan = the(&test, "orphan_database", Severity::Error);

    tenants::retry(&test.platform, of(id)).unwrap();
    let remedy = orphan.remedy.unwrap();
    assert!(matches!(cure(&test.platform, &remedy, 1), Err(CureError::Changed)));
    work_off(&test);
    assert_eq!((status(&test, id), test.world.existing().len()), (Status::Active, 1));
}

#[test]
fn an_orphan_whose_tenant_moves_on_at_the_last_moment_is_left_alone() {
    let test = TestPlatform::new();
    let (id, scope) = deleted(&test);
    test.world.databases().create(&scope, &sample::permitted).unwrap();
    test.clock.advance(test.platform.policy.lease + SECOND);
    let remedy = the(&test, "orphan_database", Severity::Error).remedy.unwrap();
    let control = test.platform.control.clone();
    // Between the look and the lock under which the database is dropped.
    test.databases.before(DatabaseCall::Remove, move || {
        control
            .write::<_, StoreError>(|tx| {
                let mut tenant = tx.tenants().get(id)?.unwrap();
                let now = tenant.updated_at;
                tenant.enter(Lifecycle::Active { since: now }, now);
                tx.tenants().update(&tenant)
            })
            .unwrap();
    });
    assert!(cure(&test.platform, &remedy, 1).is_err());
    assert_eq!(test.world.existing().len(), 1, "it is the tenant's again");
}

#[test]
fn a_database_of_somebody_unknown_is_reported_and_never_dropped() {
    let test = TestPlatform::new();
    let stranger = sample::scope("stranger");
    test.world.databases().create(&stranger, &sample::permitted).unwrap();
    test.clock.advance(TimeDelta::days(1));
    let symptom = the(&test, "unknown_owner", Severity::Warning);
    assert_eq!(symptom.remedy, None);
    assert!(symptom.what.contains(&stranger.tenant().to_string()), "{symptom:?}");
}

#[test]
fn a_tenant_without_its_database_is_missing_it_whatever_state_it_is_in() {
    let test = TestPlatform::new();
    let scope = active(&test);
    test.world.databases().remove(&scope, &sample::permitted).unwrap();
    let missing = the(&test, "missing_database", Severity::Error);
    assert_eq!((&*missing.place, missing.remedy), ("tenant acme", None));
    tenants::suspend(&test.platform, of(scope.tenant())).unwrap();
    the(&test, "missing_database", Severity::Error);
    tenants::deprovision(&test.platform, of(scope.tenant()), None).unwrap();
    the(&test, "missing_database", Severity::Error);
}

#[test]
fn a_foreign_database_in_a_tenants_place_is_no_missing_one() {
    let test = TestPlatform::new();
    let scope = active(&test);
    test.world.databases().remove(&scope, &sample::permitted).unwrap();
    test.world.make_foreign(scope.database());
    assert_eq!(the(&test, "foreign_database", Severity::Error).remedy, None);
}

#[test]
fn a_database_without_a_tag_is_reported() {
    let test = TestPlatform::new();
    test.world.make_foreign(sample::scope("nobody").database());
    assert_eq!(the(&test, "untagged_database", Severity::Warning).place, "ecom_tenant_nobody");
}

#[test]
fn a_half_made_database_belongs_to_whom_its_name_says() {
    let test = TestPlatform::new();
    let id = queued(&test);
    let half_made = |id: TenantId| {
        let name = format!("ecom_tenant_~new_{}", id.uuid().simple());
        test.world.make_foreign(&DatabaseName::new(name).unwrap());
    };
    half_made(id);
    assert_eq!(wrong(&test), [], "it is being made");
    work_off(&test);
    assert_eq!(the(&test, "misplaced_database", Severity::Warning).remedy, None);
    tenants::deprovision(&test.platform, of(id), Some(TimeDelta::zero())).unwrap();
    work_off(&test);
    test.clock.advance(test.platform.policy.lease + SECOND);
    assert!(the(&test, "orphan_database", Severity::Error).remedy.is_some());
    half_made(sample::tenant("stranger").id);
    let codes: Vec<_> = wrong(&test).iter().map(|symptom| symptom.code).collect();
    assert!(codes.contains(&"unknown_owner"), "{codes:?}");
}

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
    let begun = tenantry_ports::Clock::now(&*test.clock);
    while tenantry_ports::Clock::now(&*test.clock) < begun + TimeDelta::minutes(11) {
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
fn a_pooled_database_that_is_not_there_is_made_again() {
    let test = with_pool(2);
    tend(&test);
    let pool = test.platform.control.read::<_, StoreError>(|tx| tx.pool().all()).unwrap();
    test.world.databases().remove(&TenantScope::pooled(&pool[0].0), &sample::permitted).unwrap();
    let missing = the(&test, "missing_pooled_database", Severity::Warning);
    cured(&test, &missing);
    assert_eq!(test.world.existing().len(), 2);
    let pool = test.platform.control.read::<_, StoreError>(|tx| tx.pool().all()).unwrap();
    assert!(pool.iter().all(|(_, state)| matches!(state, PoolState::Ready { .. })));
}

#[test]
fn databases_that_are_behind_are_named_with_what_they_have_and_migrated() {
    let test = with_pool(1);
    active(&test);
    tend(&test);
    test.world.set_schema("2");
    let behind = the(&test, "behind_in_schema", Severity::Warning);
    assert!(
        behind.what.starts_with("schema 2 is missing in 2 databases: acme (1), ecom_tenant_~pool_"),
        "{behind:?}"
    );
    cured(&test, &behind);
}

#[test]
fn a_notice_that_was_given_up_is_reported_with_its_reason() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let tenant = progress(&test, scope.tenant()).tenant;
    let now = tenantry_ports::Clock::now(&*test.clock);
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

#[test]
fn what_cannot_be_looked_at_is_itself_a_finding() {
    let test = TestPlatform::new();
    let scope = active(&test);
    test.databases.fail(DatabaseCall::Inventory, FailureMoment::BeforeEffect, DatabaseFault::Passing, 1);
    assert_eq!(wrong(&test), [], "a second look succeeds");
    test.databases.fail(DatabaseCall::Inventory, FailureMoment::BeforeEffect, DatabaseFault::Passing, 2);
    the(&test, "databases_unlisted", Severity::Error);
    test.world.control().spoil_tenant(scope.tenant());
    the(&test, "registry_unreadable", Severity::Error);
}

#[test]
fn a_remedy_that_does_not_help_says_so() {
    let test = TestPlatform::new();
    active(&test);
    test.world.set_schema("2");
    test.databases.fail(DatabaseCall::Migrate, FailureMoment::BeforeEffect, DatabaseFault::Lasting, 1);
    let error = cure(&test.platform, &Remedy::Migrate, 1).unwrap_err();
    assert!(error.to_string().starts_with("1 database could not be migrated"), "{error}");
    the(&test, "behind_in_schema", Severity::Warning);
}
