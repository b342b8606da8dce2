//! After any mixture of provisioning, failing, dying, suspending and deprovisioning, once the workers have come to rest, the
//! databases that exist are exactly those that should: the doctor finds nothing but tenants that say themselves that they
//! need attention.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::TimeDelta;
use proptest::prelude::*;
use support::{
    acme, acme_with_admin, come_to_rest, hollow, migrate, queued, status, tend, with_pool, work_off,
};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Lifecycle, Slug, Status};
use tenantry_ports::{DatabaseFault, StoreError, TenantDatabases as _, TenantFilter, TenantScope};
use tenantry_testkit::{DatabaseCall, FailureMoment, TestPlatform, sample};
use tenantry_usecases::doctor::{Severity, examine};
use tenantry_usecases::fleet;
use tenantry_usecases::provisioning::{Worked, tend_once, work_once};
use tenantry_usecases::tenants::{self, CreateTenant, InitTenant, Target};

const SCHEMAS: [&str; 5] = ["1", "2", "3", "4", "5"];

#[derive(Debug, Clone)]
enum Action {
    Init {
        slug: u8,
        confirm: bool,
    },
    Create {
        slug: u8,
    },
    Work,
    Tend,
    Migrate,
    Fail {
        call: DatabaseCall,
        moment: FailureMoment,
        fault: DatabaseFault,
        times: usize,
    },
    Die {
        call: DatabaseCall,
        moment: FailureMoment,
    },
    Change {
        tenant: usize,
        how: Change,
    },
    Wait {
        seconds: i64,
    },
    /// There is no way back.
    NewSchema,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Suspend,
    Resume,
    Retry,
    Deprovision,
    DeprovisionNow,
    Restore,
}

fn call() -> impl Strategy<Value = DatabaseCall> {
    use DatabaseCall::{Adopt, Close, Create, Migrate, Remove, Write};
    prop::sample::select(vec![Create, Adopt, Migrate, Close, Remove, Write])
}

fn moment() -> impl Strategy<Value = FailureMoment> {
    prop::sample::select(vec![FailureMoment::BeforeEffect, FailureMoment::AfterEffect])
}

fn action() -> impl Strategy<Value = Action> {
    use Change::{Deprovision, DeprovisionNow, Restore, Resume, Retry, Suspend};
    let fault = prop::sample::select(vec![DatabaseFault::Passing, DatabaseFault::Lasting]);
    let how = prop::sample::select(vec![Suspend, Resume, Retry, Deprovision, DeprovisionNow, Restore]);
    prop_oneof![
        3 => (0_u8..4, any::<bool>()).prop_map(|(slug, confirm)| Action::Init { slug, confirm }),
        2 => (0_u8..4).prop_map(|slug| Action::Create { slug }),
        6 => Just(Action::Work),
        3 => Just(Action::Tend),
        1 => Just(Action::Migrate),
        2 => (call(), moment(), fault, 1_usize..8)
            .prop_map(|(call, moment, fault, times)| Action::Fail { call, moment, fault, times }),
        1 => (call(), moment()).prop_map(|(call, moment)| Action::Die { call, moment }),
        4 => (0_usize..6, how).prop_map(|(tenant, how)| Action::Change { tenant, how }),
        2 => (1_i64..3_000).prop_map(|seconds| Action::Wait { seconds }),
        1 => Just(Action::NewSchema),
    ]
}

fn slug(number: u8) -> Slug {
    Slug::new(format!("tenant-{number}")).unwrap()
}

/// What would kill the process, or is refused, is part of the mixture.
fn act(test: &TestPlatform, known: &mut Vec<TenantId>, action: &Action) {
    let platform = &test.platform;
    match *action {
        Action::Init { slug: number, confirm } => {
            let wish = InitTenant { slug: slug(number), ..acme() };
            let Ok(announced) = tenants::init(platform, wish) else { return };
            known.push(announced.tenant);
            if confirm {
                tenants::confirm(platform, announced.confirm_token.expose()).unwrap();
            }
        }
        Action::Create { slug: number } => {
            let wish = CreateTenant { slug: slug(number), ..acme_with_admin() };
            known.extend(tenants::create(platform, wish).ok().map(|created| created.tenant.id));
        }
        Action::Work => drop(catch_unwind(AssertUnwindSafe(|| work_once(platform, "worker")))),
        Action::Tend => drop(catch_unwind(AssertUnwindSafe(|| tend_once(platform)))),
        Action::Migrate => drop(catch_unwind(AssertUnwindSafe(|| migrate(test)))),
        Action::Fail { call, moment, fault, times } => test.databases.fail(call, moment, fault, times),
        Action::Die { call, moment } => test.databases.die(call, moment),
        Action::Change { tenant, how } => {
            let Some(tenant) = known.get(tenant).copied() else { return };
            let target = Target { tenant, version: None, by: "operator" };
            // What its state does not allow is refused.
            let _ = match how {
                Change::Suspend => tenants::suspend(platform, target),
                Change::Resume => tenants::resume(platform, target),
                Change::Retry => tenants::retry(platform, target),
                Change::Deprovision => tenants::deprovision(platform, target, None),
                Change::DeprovisionNow => tenants::deprovision(platform, target, Some(TimeDelta::zero())),
                Change::Restore => tenants::restore(platform, target),
            };
        }
        Action::Wait { seconds } => drop(test.clock.advance(TimeDelta::seconds(seconds))),
        Action::NewSchema => {
            let later =
                SCHEMAS.iter().position(|schema| *schema == test.platform.databases.schema()).unwrap() + 1;
            test.world.set_schema(SCHEMAS[later.min(SCHEMAS.len() - 1)]);
        }
    }
}

fn attention(test: &TestPlatform) -> usize {
    let all = test
        .platform
        .control
        .read::<_, StoreError>(|tx| tx.tenants().page(&TenantFilter::default(), None, 1_000));
    let needs = |lifecycle: &Lifecycle| matches!(lifecycle, Lifecycle::Failed { needs_attention: true, .. });
    all.unwrap().iter().filter(|tenant| needs(&tenant.lifecycle)).count()
}

/// Announces and confirms acme, has the answer to the making of its database get lost once, and works until it is active.
fn active_after_a_lost_answer(test: &TestPlatform, meanwhile: impl FnOnce()) {
    test.databases.fail(DatabaseCall::Create, FailureMoment::AfterEffect, DatabaseFault::Passing, 1);
    let id = queued(test);
    assert!(matches!(work_once(&test.platform, "worker").unwrap(), Worked::Postponed(..)));
    meanwhile();
    test.clock.advance(TimeDelta::minutes(1));
    work_off(test);
    assert_eq!(status(test, id), Status::Active);
    assert_eq!(hollow(test), Vec::<String>::new());
    tend(test);
    let wrong = examine(&test.platform).into_iter().filter(|symptom| symptom.severity != Severity::Ok);
    assert_eq!(wrong.collect::<Vec<_>>(), []);
}

#[test]
fn a_database_that_was_made_without_the_pool_is_not_taken_for_one_of_it() {
    let test = with_pool(1);
    active_after_a_lost_answer(&test, || tend(&test));
}

#[test]
fn a_database_that_was_made_since_the_pools_was_not_there_is_not_taken_for_it() {
    let test = with_pool(1);
    tend(&test);
    let pool = test.platform.control.read::<_, StoreError>(|tx| tx.pool().all()).unwrap();
    test.world.databases().remove(&TenantScope::pooled(&pool[0].0), &sample::permitted).unwrap();
    active_after_a_lost_answer(&test, || {});
}

#[test]
fn an_upgrade_in_the_midst_of_a_run_is_caught_up_with() {
    let test = TestPlatform::new();
    test.databases.fail(DatabaseCall::Write, FailureMoment::BeforeEffect, DatabaseFault::Passing, 1);
    queued(&test);
    assert!(matches!(work_once(&test.platform, "worker").unwrap(), Worked::Postponed(..)));
    test.world.set_schema("2");
    test.clock.advance(TimeDelta::minutes(1));
    work_off(&test);
    assert_eq!(hollow(&test), Vec::<String>::new());
    assert_eq!(fleet::behind(&test.platform).unwrap(), []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_nothing_is_left_over_and_nothing_missing(
        pool in 0_usize..3,
        actions in prop::collection::vec(action(), 0..60),
    ) {
        let test = with_pool(pool);
        let mut known = Vec::new();
        for action in &actions {
            act(&test, &mut known, action);
        }
        come_to_rest(&test);
        test.clock.advance(TimeDelta::hours(1));
        come_to_rest(&test);
        let wrong: Vec<_> =
            examine(&test.platform).into_iter().filter(|symptom| symptom.severity != Severity::Ok).collect();
        let unforeseen: Vec<_> = wrong.iter().filter(|symptom| symptom.code != "needs_attention").collect();
        prop_assert!(unforeseen.is_empty(), "{unforeseen:?}");
        prop_assert_eq!(wrong.len(), attention(&test));
        prop_assert_eq!(hollow(&test), Vec::<String>::new());
    }
}
