//! What an operator does with a tenant: every state it may be in, and what it becomes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use chrono::TimeDelta;
use support::{acme, acme_with_admin, active, assert_no_orphans, progress, queued, status, work_off};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{RunKind, Status, StepStatus};
use tenantry_ports::{Clock, DatabaseFault, StoreError, TenantScope};
use tenantry_testkit::{DatabaseCall, FailureMoment, TestPlatform, sample};
use tenantry_usecases::provisioning::{Worked, work_once};
use tenantry_usecases::tenants::{self, ChangeError, InitError, Target};

fn target(id: TenantId) -> Target<'static> {
    Target { tenant: id, version: None, by: "operator" }
}

fn failed(test: &TestPlatform) -> TenantId {
    test.databases.fail(DatabaseCall::Migrate, FailureMoment::AfterEffect, DatabaseFault::Lasting, 1);
    let id = tenants::create(&test.platform, acme_with_admin()).unwrap().tenant.id;
    work_off(test);
    assert_eq!(status(test, id), Status::Failed);
    id
}

#[test]
fn a_suspended_tenant_keeps_its_data_and_serves_nobody_until_it_is_resumed() {
    let test = TestPlatform::new();
    let id = active(&test).tenant();
    let suspended = tenants::suspend(&test.platform, target(id)).unwrap();
    assert!(TenantScope::serving(&suspended).is_err());
    assert!(TenantScope::maintenance(&suspended).is_ok());
    assert!(matches!(tenants::suspend(&test.platform, target(id)), Err(ChangeError::Refused(_))));
    let resumed = tenants::resume(&test.platform, target(id)).unwrap();
    let store = test.platform.stores.open(&TenantScope::serving(&resumed).unwrap()).unwrap();
    assert!(store.read::<_, StoreError>(|tx| tx.settings().get()).unwrap().is_some());
}

#[test]
fn a_change_meant_for_another_version_is_refused() {
    let test = TestPlatform::new();
    let id = active(&test).tenant();
    let version = progress(&test, id).tenant.version;
    let meant = |version| Target { tenant: id, version: Some(version), by: "operator" };
    assert!(matches!(tenants::suspend(&test.platform, meant(version - 1)), Err(ChangeError::Stale)));
    tenants::suspend(&test.platform, meant(version)).unwrap();
    let nobody = TenantId::new(uuid::Uuid::from_u128(1));
    assert!(matches!(tenants::resume(&test.platform, target(nobody)), Err(ChangeError::NoSuchTenant)));
}

#[test]
fn a_deleted_tenants_database_outlives_the_grace_period_and_not_more() {
    let test = TestPlatform::new();
    let id = active(&test).tenant();
    tenants::deprovision(&test.platform, target(id), Some(TimeDelta::hours(1))).unwrap();
    test.clock.advance(TimeDelta::minutes(59));
    assert_eq!(work_once(&test.platform, "worker").unwrap(), Worked::Idle);
    assert_eq!((status(&test, id), test.world.existing().len()), (Status::Deprovisioning, 1));
    assert!(matches!(tenants::init(&test.platform, acme()), Err(InitError::SlugTaken(_))));
    test.clock.advance(TimeDelta::minutes(1));
    assert_eq!(work_once(&test.platform, "worker").unwrap(), Worked::Finished(id));
    assert_eq!((status(&test, id), test.world.existing().len()), (Status::Deleted, 0));
    tenants::init(&test.platform, acme()).expect("the slug is free again");
    let runs = progress(&test, id).runs;
    assert_eq!(runs.iter().map(|run| run.kind).collect::<Vec<_>>()[1], RunKind::Deprovision);
}

#[test]
fn a_deletion_can_be_taken_back_and_then_nothing_is_dropped() {
    let test = TestPlatform::new();
    let id = active(&test).tenant();
    for round in 1..=2 {
        tenants::deprovision(&test.platform, target(id), Some(TimeDelta::hours(1))).unwrap();
        let back = tenants::restore(&test.platform, target(id)).unwrap();
        assert_eq!(back.lifecycle.status(), Status::Active, "round {round}");
        test.clock.advance(TimeDelta::hours(2));
        assert_eq!(work_once(&test.platform, "worker").unwrap(), Worked::Idle, "round {round}");
        assert_eq!(test.world.existing().len(), 1);
    }
    tenants::deprovision(&test.platform, target(id), Some(TimeDelta::zero())).unwrap();
    test.databases.fail(DatabaseCall::Remove, FailureMoment::BeforeEffect, DatabaseFault::Passing, 1);
    assert!(matches!(work_once(&test.platform, "worker").unwrap(), Worked::Postponed(..)));
    let late = tenants::restore(&test.platform, target(id));
    assert!(matches!(late, Err(ChangeError::Refused(_))), "a worker has begun: {late:?}");
    test.clock.advance(TimeDelta::minutes(1));
    work_off(&test);
    assert_eq!(status(&test, id), Status::Deleted);
}

#[test]
fn dropping_goes_on_whatever_the_fault_until_it_has_succeeded() {
    for moment in [FailureMoment::BeforeEffect, FailureMoment::AfterEffect] {
        for fault in [DatabaseFault::Passing, DatabaseFault::Lasting] {
            let test = TestPlatform::new();
            let id = active(&test).tenant();
            test.databases.fail(DatabaseCall::Remove, moment, fault, 12);
            tenants::deprovision(&test.platform, target(id), Some(TimeDelta::zero())).unwrap();
            work_off(&test);
            assert_eq!((status(&test, id), test.world.existing().len()), (Status::Deleted, 0));
            let attempts = progress(&test, id).runs.pop().unwrap().journal;
            assert_eq!(attempts.len(), 13, "every attempt is kept");
            assert_eq!(attempts.last().unwrap().status, StepStatus::Success);
        }
    }
}

#[test]
fn a_worker_that_dies_while_dropping_is_replaced() {
    for moment in [FailureMoment::BeforeEffect, FailureMoment::AfterEffect] {
        let test = TestPlatform::new();
        let id = active(&test).tenant();
        tenants::deprovision(&test.platform, target(id), Some(TimeDelta::zero())).unwrap();
        test.databases.die(DatabaseCall::Remove, moment);
        let died =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work_once(&test.platform, "first")));
        assert!(died.is_err());
        test.clock.advance(test.platform.policy.lease + TimeDelta::microseconds(1));
        assert_eq!(work_once(&test.platform, "second").unwrap(), Worked::Finished(id));
        assert_eq!((status(&test, id), test.world.existing().len()), (Status::Deleted, 0), "{moment:?}");
    }
}

#[test]
fn a_failed_tenant_is_tried_again_with_the_admin_that_was_ordered() {
    let test = TestPlatform::new();
    let id = failed(&test);
    tenants::retry(&test.platform, target(id)).unwrap();
    assert_eq!(status(&test, id), Status::Queued);
    work_off(&test);
    let tenant = progress(&test, id).tenant;
    assert_eq!(tenant.lifecycle.status(), Status::Active);
    let store = test.platform.stores.open(&TenantScope::serving(&tenant).unwrap()).unwrap();
    let email = sample::email("admin@acme.example");
    assert!(store.read::<_, StoreError>(|tx| tx.users().credentials(&email)).unwrap().is_some());
    assert_eq!(progress(&test, id).runs.len(), 2, "the first run's journal is kept");
    let left = test.platform.control.write::<_, StoreError>(|tx| tx.runs().take_admin(id)).unwrap();
    assert_eq!(left, None, "once created, the admin's password hash is nowhere but in the tenant's database");
}

#[test]
fn a_failed_tenant_whose_slug_has_gone_to_another_cannot_be_tried_again_but_deleted() {
    let test = TestPlatform::new();
    let id = failed(&test);
    let other = queued(&test);
    let refused = tenants::retry(&test.platform, target(id));
    assert!(matches!(refused, Err(ChangeError::SlugTaken(_))), "{refused:?}");
    work_off(&test);
    tenants::deprovision(&test.platform, target(id), None).unwrap();
    work_off(&test);
    assert_eq!((status(&test, id), status(&test, other)), (Status::Deleted, Status::Active));
    assert_eq!(test.world.existing().len(), 1, "the other's database of the same name is untouched");
    assert_no_orphans(&test);
}

#[test]
fn what_an_undo_left_is_removed_by_deleting_the_tenant() {
    let test = TestPlatform::new();
    test.databases.fail(DatabaseCall::Remove, FailureMoment::BeforeEffect, DatabaseFault::Lasting, 1);
    let id = failed(&test);
    assert_eq!(test.world.existing().len(), 1);
    assert!(matches!(tenants::init(&test.platform, acme()), Err(InitError::SlugTaken(_))));
    tenants::deprovision(&test.platform, target(id), None).unwrap();
    work_off(&test);
    assert_eq!((status(&test, id), test.world.existing().len()), (Status::Deleted, 0));
    tenants::init(&test.platform, acme()).expect("the slug is free again");
}

#[test]
fn tenants_that_nobody_confirmed_in_time_expire_and_free_their_slugs() {
    let test = TestPlatform::new();
    let late = tenants::init(&test.platform, acme()).unwrap().tenant;
    assert_eq!(tenants::expire(&test.platform).unwrap(), 0);
    test.clock.advance(TimeDelta::minutes(15) + TimeDelta::microseconds(1));
    assert_eq!(tenants::expire(&test.platform).unwrap(), 1);
    assert_eq!((status(&test, late), tenants::expire(&test.platform).unwrap()), (Status::Expired, 0));
    assert!(progress(&test, late).tenant.updated_at <= test.clock.now());
    tenants::init(&test.platform, acme()).expect("the slug is free again");
}

fn open_runs(test: &TestPlatform) -> Vec<TenantId> {
    let open = test.platform.control.read::<_, StoreError>(|tx| tx.runs().open()).unwrap();
    open.into_iter().map(|run| run.tenant).collect()
}

#[test]
fn a_tenant_that_nobody_confirmed_leaves_no_run_open() {
    let test = TestPlatform::new();
    let overdue = TimeDelta::minutes(15) + TimeDelta::microseconds(1);
    let first = tenants::init(&test.platform, acme()).unwrap();
    assert_eq!(open_runs(&test), [first.tenant]);
    test.clock.advance(overdue);
    let second = tenants::init(&test.platform, acme()).expect("the slug is taken over").tenant;
    assert_eq!(open_runs(&test), [second]);
    test.clock.advance(overdue);
    assert_eq!(tenants::expire(&test.platform).unwrap(), 1);
    assert!(open_runs(&test).is_empty());
    assert_eq!(progress(&test, first.tenant).runs.len(), 1, "what was done is kept");
    assert!(tenants::confirm(&test.platform, first.confirm_token.expose()).is_err());
}

#[test]
fn a_run_that_cannot_be_read_is_set_aside_and_holds_up_nobody() {
    let test = TestPlatform::new();
    let spoilt = queued(&test);
    test.world.control().spoil_run(spoilt, 1);
    let other = tenants::CreateTenant { slug: "globex".parse().unwrap(), ..acme_with_admin() };
    let other = tenants::create(&test.platform, other).unwrap().tenant.id;
    work_off(&test);
    assert_eq!((status(&test, other)), Status::Active);
    let aside = test.platform.control.read::<_, StoreError>(|tx| tx.runs().set_aside()).unwrap();
    assert_eq!(aside.iter().map(|(tenant, number, _)| (*tenant, *number)).collect::<Vec<_>>(), [(spoilt, 1)]);
    test.world.control().mend_run(spoilt, 1);
    let now = test.clock.now();
    test.platform.control.write::<_, StoreError>(|tx| tx.runs().enqueue(spoilt, 1, now)).unwrap();
    work_off(&test);
    assert_eq!(status(&test, spoilt), Status::Active);
}
