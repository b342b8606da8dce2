//! The warm pool: a tenant that finds a database ready gets it whole, and nothing is ever left over.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chrono::TimeDelta;
use support::{acme_with_admin, assert_no_orphans, progress, queued, status, tend, with_pool, work_off};
use tenantry_domain::config::demo;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{ClusterName, Plan, Slug, Status, StepKind, StepStatus};
use tenantry_ports::{DatabaseFault, PoolState, PooledDatabase, StoreError, TenantScope};
use tenantry_testkit::{DatabaseCall, FailureMoment, FakeSchemaCheck, TestPlatform, sample};
use tenantry_usecases::Policy;
use tenantry_usecases::provisioning::{Tended, Worked, tend_once, work_once};
use tenantry_usecases::tenants::{self, CreateTenant, Placement};

const MOMENTS: [FailureMoment; 2] = [FailureMoment::BeforeEffect, FailureMoment::AfterEffect];

fn stock(test: &TestPlatform) -> Vec<(PooledDatabase, PoolState)> {
    test.platform.control.read::<_, StoreError>(|tx| tx.pool().all()).unwrap()
}

fn ready(test: &TestPlatform) -> usize {
    stock(test).iter().filter(|(_, state)| matches!(state, PoolState::Ready { .. })).count()
}

fn serving(test: &TestPlatform, id: TenantId) -> TenantScope {
    TenantScope::serving(&progress(test, id).tenant).unwrap()
}

#[test]
fn the_pool_is_filled_to_its_size_and_then_left_alone() {
    let test = with_pool(3);
    tend(&test);
    assert_eq!((ready(&test), test.world.existing().len()), (3, 3));
    let calls = test.databases.calls(DatabaseCall::Create);
    assert_eq!(tend_once(&test.platform).unwrap(), Tended::Idle);
    assert_eq!(test.databases.calls(DatabaseCall::Create), calls);
    assert_no_orphans(&test);
}

#[test]
fn a_tenant_that_finds_a_database_ready_gets_it_under_its_own_name() {
    let test = with_pool(2);
    tend(&test);
    let made = test.databases.calls(DatabaseCall::Create);
    let id = queued(&test);
    assert_eq!(work_once(&test.platform, "worker").unwrap(), Worked::Finished(id));
    assert_eq!(status(&test, id), Status::Active);
    assert_eq!(test.databases.calls(DatabaseCall::Create), made, "nothing was made");
    assert_eq!(stock(&test).len(), 1);
    let names: Vec<_> = test.world.existing().into_iter().filter(|(_, owner)| *owner == Some(id)).collect();
    assert_eq!(names.len(), 1);
    assert_eq!(names[0].0.as_str(), "ecom_tenant_acme");

    let journal = &progress(&test, id).runs[0].journal;
    let kinds: Vec<_> = journal.iter().map(|step| (step.kind, step.status)).collect();
    let all = [StepKind::Init, StepKind::CreateDatabase, StepKind::ApplyMigrations, StepKind::SeedData];
    assert_eq!(kinds, all.map(|kind| (kind, StepStatus::Success)), "the journal is that of any other tenant");

    let configs = test.platform.stores.open(&serving(&test, id)).unwrap();
    let configs = configs.read::<_, StoreError>(|tx| tx.configs().page(None, 10)).unwrap();
    assert_eq!(configs[0].id.as_str(), demo::DEMO_CONFIG_ID);
    tend(&test);
    assert_eq!(ready(&test), 2, "it is refilled");
    assert_no_orphans(&test);
}

#[test]
fn an_admin_moves_into_a_database_from_the_pool_and_it_is_known_as_whom_to_enter() {
    let test = with_pool(1);
    tend(&test);
    let pooled = stock(&test)[0].0.id;
    let id = tenants::create(&test.platform, acme_with_admin()).unwrap().tenant.id;
    work_off(&test);
    let tenant = progress(&test, id).tenant;
    assert_eq!((tenant.lifecycle.status(), tenant.home.login), (Status::Active, Some(pooled)));
    let store = test.platform.stores.open(&serving(&test, id)).unwrap();
    let email = sample::email("admin@acme.example");
    assert!(store.read::<_, StoreError>(|tx| tx.users().credentials(&email)).unwrap().is_some());
    assert!(stock(&test).is_empty());
}

#[test]
fn without_a_database_ready_the_road_is_the_same_only_longer() {
    let test = with_pool(1);
    let id = queued(&test);
    work_off(&test);
    assert_eq!((status(&test, id), progress(&test, id).tenant.home.login), (Status::Active, None));
    assert_eq!(test.databases.calls(DatabaseCall::Create), 1);
}

#[test]
fn a_database_of_an_older_schema_is_brought_up_to_date_before_anybody_takes_it() {
    let test = with_pool(1);
    tend(&test);
    test.world.set_schema("2");
    let id = queued(&test);
    work_off(&test);
    assert_eq!(progress(&test, id).tenant.home.login, None, "the outdated one was not taken");
    tend(&test);
    assert!(matches!(&stock(&test)[0].1, PoolState::Ready { schema } if schema == "2"));
}

#[test]
fn a_pool_that_shrinks_lets_go_of_its_newest() {
    let mut test = with_pool(3);
    tend(&test);
    let oldest = stock(&test)[0].0.id;
    Arc::get_mut(&mut test.platform).unwrap().policy.pool_size = 1;
    tend(&test);
    assert_eq!(stock(&test).iter().map(|(pooled, _)| pooled.id).collect::<Vec<_>>(), [oldest]);
    assert_no_orphans(&test);
}

#[test]
fn whatever_fails_while_the_pool_is_filled_is_got_over() {
    for call in [DatabaseCall::Create, DatabaseCall::Migrate, DatabaseCall::Write, DatabaseCall::Close] {
        for moment in MOMENTS {
            for fault in [DatabaseFault::Passing, DatabaseFault::Lasting] {
                let test = with_pool(1);
                test.databases.fail(call, moment, fault, 2);
                tend(&test);
                assert_eq!(
                    (ready(&test), test.world.existing().len()),
                    (1, 1),
                    "{call:?} {moment:?} {fault:?}"
                );
            }
        }
    }
}

#[test]
fn whoever_dies_while_filling_or_emptying_the_pool_is_replaced() {
    for (call, size) in [
        (DatabaseCall::Create, 1),
        (DatabaseCall::Migrate, 1),
        (DatabaseCall::Write, 1),
        (DatabaseCall::Close, 1),
        (DatabaseCall::Remove, 0),
    ] {
        for moment in MOMENTS {
            let mut test = with_pool(1);
            if size == 0 {
                tend(&test);
                Arc::get_mut(&mut test.platform).unwrap().policy.pool_size = 0;
            }
            test.databases.die(call, moment);
            assert!(catch_unwind(AssertUnwindSafe(|| tend_once(&test.platform))).is_err(), "{call:?}");
            assert_eq!(tend_once(&test.platform).unwrap(), Tended::Idle, "the lease still holds");
            test.clock.advance(test.platform.policy.lease + TimeDelta::microseconds(1));
            tend(&test);
            assert_eq!((ready(&test), test.world.existing().len()), (size, size), "{call:?} {moment:?}");
        }
    }
}

#[test]
fn a_worker_that_dies_while_adopting_is_replaced_and_the_database_is_adopted_once() {
    for moment in MOMENTS {
        let test = with_pool(1);
        tend(&test);
        let pooled = stock(&test)[0].0.id;
        let id = tenants::create(&test.platform, acme_with_admin()).unwrap().tenant.id;
        test.databases.die(DatabaseCall::Adopt, moment);
        assert!(catch_unwind(AssertUnwindSafe(|| work_once(&test.platform, "first"))).is_err());
        test.clock.advance(test.platform.policy.lease + TimeDelta::microseconds(1));
        assert_eq!(work_once(&test.platform, "second").unwrap(), Worked::Finished(id));
        assert_eq!(progress(&test, id).tenant.home.login, Some(pooled), "{moment:?}");
        assert_eq!((test.world.existing().len(), stock(&test).len()), (1, 0), "{moment:?}");
    }
}

#[test]
fn a_run_that_dies_after_adopting_knows_later_as_whom_to_enter() {
    let test = with_pool(1);
    tend(&test);
    let pooled = stock(&test)[0].0.id;
    let id = tenants::create(&test.platform, acme_with_admin()).unwrap().tenant.id;
    test.databases.die(DatabaseCall::Write, FailureMoment::BeforeEffect);
    assert!(catch_unwind(AssertUnwindSafe(|| work_once(&test.platform, "first"))).is_err());
    test.clock.advance(test.platform.policy.lease + TimeDelta::microseconds(1));
    assert_eq!(work_once(&test.platform, "second").unwrap(), Worked::Finished(id));
    let tenant = progress(&test, id).tenant;
    assert_eq!((tenant.lifecycle.status(), tenant.home.login), (Status::Active, Some(pooled)));
}

#[test]
fn a_fault_for_good_after_adopting_leaves_neither_the_tenants_nor_the_pools_database() {
    for (call, moment) in [
        (DatabaseCall::Adopt, FailureMoment::BeforeEffect),
        (DatabaseCall::Adopt, FailureMoment::AfterEffect),
        (DatabaseCall::Write, FailureMoment::BeforeEffect),
        (DatabaseCall::Write, FailureMoment::AfterEffect),
    ] {
        let test = with_pool(1);
        tend(&test);
        test.databases.fail(call, moment, DatabaseFault::Lasting, 1);
        let id = tenants::create(&test.platform, acme_with_admin()).unwrap().tenant.id;
        work_off(&test);
        assert_eq!(status(&test, id), Status::Failed, "{call:?} {moment:?}");
        assert!(test.world.existing().is_empty(), "{call:?} {moment:?}");
        assert!(stock(&test).is_empty(), "{call:?} {moment:?}");
        assert_eq!(progress(&test, id).tenant.home.login, None);
    }
}

#[test]
fn an_undo_that_fails_for_good_keeps_what_it_left_known_and_a_retry_takes_it_up() {
    let test = with_pool(1);
    tend(&test);
    test.databases.fail(DatabaseCall::Adopt, FailureMoment::AfterEffect, DatabaseFault::Lasting, 1);
    test.databases.fail(DatabaseCall::Remove, FailureMoment::BeforeEffect, DatabaseFault::Lasting, 1);
    let id = queued(&test);
    work_off(&test);
    assert_eq!((status(&test, id), stock(&test).len()), (Status::Failed, 1));
    let target = tenants::Target { tenant: id, version: None, by: "operator" };
    tenants::retry(&test.platform, target).unwrap();
    work_off(&test);
    assert_eq!((status(&test, id), stock(&test).len(), test.world.existing().len()), (Status::Active, 0, 1));
}

#[test]
fn a_taken_database_that_is_not_there_is_made_anew() {
    let test = with_pool(1);
    tend(&test);
    let pooled = stock(&test)[0].0.clone();
    test.platform.databases.remove(&TenantScope::pooled(&pooled), &|| Ok(())).unwrap();
    let id = queued(&test);
    work_off(&test);
    assert_eq!((status(&test, id), progress(&test, id).tenant.home.login), (Status::Active, None));
    assert!(stock(&test).is_empty());
}

#[test]
fn a_filler_that_slept_through_its_lease_makes_nothing_any_more() {
    let test = Arc::new(with_pool(1));
    let meanwhile = Arc::clone(&test);
    test.databases.before(DatabaseCall::Create, move || {
        meanwhile.clock.advance(TimeDelta::minutes(5));
        assert_eq!(tend_once(&meanwhile.platform).unwrap(), Tended::Done);
        // Somebody takes it at once; the sleeper must not make it again.
        let id = queued(&meanwhile);
        assert_eq!(work_once(&meanwhile.platform, "worker").unwrap(), Worked::Finished(id));
    });
    assert_eq!(tend_once(&test.platform).unwrap(), Tended::Postponed);
    assert_no_orphans(&test);
    assert_eq!(test.world.existing().len(), 1);
}

#[test]
fn a_worker_that_slept_through_an_undo_makes_nothing_any_more() {
    let test = Arc::new(with_pool(0));
    let id = queued(&test);
    let meanwhile = Arc::clone(&test);
    test.databases.before(DatabaseCall::Create, move || {
        meanwhile.clock.advance(TimeDelta::minutes(5));
        meanwhile.databases.fail(
            DatabaseCall::Create,
            FailureMoment::BeforeEffect,
            DatabaseFault::Lasting,
            1,
        );
        assert_eq!(work_once(&meanwhile.platform, "second").unwrap(), Worked::Finished(id));
        assert_eq!(status(&meanwhile, id), Status::Failed);
    });
    assert_eq!(work_once(&test.platform, "first").unwrap(), Worked::Lost(id));
    assert!(test.world.existing().is_empty(), "the sleeper was told in time");
}

fn placed(test: &TestPlatform, slug: &str, plan: Plan, cluster: Option<&str>) -> ClusterName {
    let cluster = cluster.map(|name| ClusterName::new(name).unwrap());
    let command = CreateTenant { slug: Slug::new(slug).unwrap(), plan, cluster, ..acme_with_admin() };
    tenants::create(&test.platform, command).unwrap().tenant.home.cluster
}

#[test]
fn tenants_are_placed_by_name_by_plan_and_where_there_are_the_fewest() {
    let names = ["main", "eu-1", "eu-2"].map(|name| ClusterName::new(name).unwrap());
    let by_plan = BTreeMap::from([(Plan::Enterprise, names[2].clone())]);
    let placement = Placement::new(names.to_vec(), by_plan).unwrap();
    let policy = Policy { placement, pool_size: 1, ..Policy::default() };
    let test = TestPlatform::with(policy, Arc::new(FakeSchemaCheck::content()));
    tend(&test);
    let homes: Vec<_> = stock(&test).into_iter().map(|(pooled, _)| pooled.cluster).collect();
    assert!(names.iter().all(|name| homes.contains(name)), "each server has a pool of its own: {homes:?}");

    assert_eq!(placed(&test, "by-plan", Plan::Enterprise, None).as_str(), "eu-2");
    assert_eq!(placed(&test, "by-name", Plan::Enterprise, Some("main")).as_str(), "main");
    assert_eq!(placed(&test, "fewest", Plan::Basic, None).as_str(), "eu-1");
    assert_eq!(placed(&test, "tie", Plan::Basic, None).as_str(), "main", "ties go to the first");
    let nowhere = CreateTenant { cluster: Some(ClusterName::new("mars").unwrap()), ..acme_with_admin() };
    let refused = tenants::create(&test.platform, nowhere).unwrap_err();
    assert!(matches!(refused, tenants::CreateError::UnknownCluster(_)));
    work_off(&test);
    let only_there = tenants::find(&test.platform, &"by-plan".parse().unwrap()).unwrap().unwrap();
    assert!(only_there.home.login.is_some(), "taken from that server's pool");
    assert_no_orphans(&test);
}
