//! A change of the master key, carried on wherever it was stopped.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chrono::TimeDelta;
use tenantry_domain::tenant::{Slug, TenantName};
use tenantry_ports::{Clock as _, DatabaseFault};
use tenantry_testkit::{DatabaseCall, FailureMoment, FakeSchemaCheck, TestPlatform};
use tenantry_usecases::Policy;
use tenantry_usecases::master_keys::{CarryError, MasterKeyNames, Standing, Step, carry_over, standing};
use tenantry_usecases::provisioning::{Worked, work_once};
use tenantry_usecases::tenants::{self, InitTenant};

use support::{acme, tend, work_off};

const LONGEST: TimeDelta = TimeDelta::minutes(60);

/// So many tenants and pooled databases, after a change of the master key.
fn changed(tenants: usize, pool_size: usize) -> TestPlatform {
    let master_keys = MasterKeyNames { current: "new".to_owned(), others: vec!["old".to_owned()] };
    let policy = Policy { pool_size, master_keys, ..Policy::default() };
    let test = TestPlatform::with(policy, Arc::new(FakeSchemaCheck::content()));
    for number in 0..tenants {
        queue(&test, number);
    }
    work_off(&test);
    tend(&test);
    test.clock.advance(TimeDelta::seconds(1));
    test
}

fn wish(number: usize) -> InitTenant {
    let slug = format!("tenant-{number:03}");
    InitTenant { name: TenantName::new(&slug).unwrap(), slug: Slug::new(&slug).unwrap(), ..acme() }
}

fn queue(test: &TestPlatform, number: usize) {
    let announced = tenants::init(&test.platform, wish(number)).unwrap();
    tenants::confirm(&test.platform, announced.confirm_token.expose()).unwrap();
}

fn renewed(test: &TestPlatform) -> usize {
    test.databases.calls(DatabaseCall::RenewLogin)
}

#[test]
fn every_login_is_renewed_once_and_the_former_key_is_needed_for_as_long_as_its_tokens_live() {
    let test = changed(120, 3);
    assert_eq!(standing(&test.platform, LONGEST).unwrap(), Standing::Unfinished);
    let mut logins = 0;
    let at = carry_over(&test.platform, |step| match step {
        Step::Logins(count) => logins += count,
        Step::Sealed(_) => panic!("nothing is sealed under the former key here"),
    });
    assert_eq!(at.unwrap(), test.clock.now());
    assert_eq!((logins, renewed(&test)), (123, 123));
    let until = test.clock.now() + LONGEST;
    assert_eq!(standing(&test.platform, LONGEST).unwrap(), Standing::NeededUntil(until));
    test.clock.advance(TimeDelta::hours(1));
    carry_over(&test.platform, |step| panic!("it is done: {step:?}")).unwrap();
    assert_eq!(standing(&test.platform, LONGEST).unwrap(), Standing::NeededUntil(until), "once is enough");
}

#[test]
fn what_was_stopped_goes_on_where_it_was() {
    let test = changed(120, 0);
    // 50 are done and noted, and 20 of the next 50.
    for _ in 0..70 {
        test.databases.before(DatabaseCall::RenewLogin, || ());
    }
    test.databases.die(DatabaseCall::RenewLogin, FailureMoment::AfterEffect);
    let died = catch_unwind(AssertUnwindSafe(|| carry_over(&test.platform, |_| ())));
    assert!(died.is_err());
    assert_eq!(renewed(&test), 71);
    assert_eq!(standing(&test.platform, LONGEST).unwrap(), Standing::Unfinished);
    carry_over(&test.platform, |_| ()).unwrap();
    assert_eq!(renewed(&test), 71 + 70, "the first 50 are not done again");
    assert!(matches!(standing(&test.platform, LONGEST).unwrap(), Standing::NeededUntil(_)));
}

#[test]
fn a_server_that_fails_is_named_and_nothing_is_called_done() {
    let test = changed(3, 0);
    let (moment, fault) = (FailureMoment::BeforeEffect, DatabaseFault::Passing);
    test.databases.fail(DatabaseCall::RenewLogin, moment, fault, 1);
    let error = carry_over(&test.platform, |_| ()).unwrap_err();
    assert!(matches!(&error, CarryError::Login { database, .. } if database.contains("tenant")), "{error}");
    assert_eq!(standing(&test.platform, LONGEST).unwrap(), Standing::Unfinished);
    carry_over(&test.platform, |_| ()).unwrap();
    assert_eq!(renewed(&test), 1 + 3);
}

/// What was begun before may have been made with the former key; what is begun later is not.
#[test]
fn databases_in_the_making_are_waited_for() {
    let test = changed(2, 0);
    queue(&test, 7);
    let (moment, fault) = (FailureMoment::BeforeEffect, DatabaseFault::Passing);
    test.databases.fail(DatabaseCall::Create, moment, fault, 1);
    work_once(&test.platform, "worker").unwrap();
    test.clock.advance(TimeDelta::seconds(1));
    let error = carry_over(&test.platform, |_| ()).unwrap_err();
    assert!(matches!(error, CarryError::Busy(1)), "{error}");
    assert_eq!(renewed(&test), 0);
    work_off(&test);
    carry_over(&test.platform, |_| ()).unwrap();
    assert_eq!(renewed(&test), 3 + 1, "the one that came into service meanwhile once more");
}

/// Its database had been made ahead of need, with the former key, and became a tenant's when the tenants were done.
#[test]
fn a_tenant_that_takes_a_pooled_database_meanwhile_is_not_forgotten() {
    let test = changed(2, 2);
    let adopted = test.databases.calls(DatabaseCall::Adopt);
    for _ in 0..2 {
        test.databases.before(DatabaseCall::RenewLogin, || ());
    }
    let (platform, clock) = (Arc::clone(&test.platform), Arc::clone(&test.clock));
    test.databases.before(DatabaseCall::RenewLogin, move || {
        clock.advance(TimeDelta::seconds(1));
        let announced = tenants::init(&platform, wish(9)).unwrap();
        tenants::confirm(&platform, announced.confirm_token.expose()).unwrap();
        let worked = work_once(&platform, "worker").unwrap();
        assert!(matches!(worked, Worked::Finished(_)), "{worked:?}");
    });
    carry_over(&test.platform, |_| ()).unwrap();
    assert_eq!(test.databases.calls(DatabaseCall::Adopt), adopted + 1, "it took one of the pool");
    assert_eq!(renewed(&test), 2 + 2 + 1, "two tenants, two pooled databases, and the newcomer");
}

#[test]
fn another_change_is_another_matter() {
    let test = changed(2, 0);
    carry_over(&test.platform, |_| ()).unwrap();
    let back = MasterKeyNames { current: "old".to_owned(), others: vec!["new".to_owned()] };
    let mut platform = Arc::into_inner(test.platform).expect("nobody else has it");
    platform.policy.master_keys = back;
    assert_eq!(standing(&platform, LONGEST).unwrap(), Standing::Unfinished);
    carry_over(&platform, |_| ()).unwrap();
    assert_eq!(test.databases.calls(DatabaseCall::RenewLogin), 4);
    platform.policy.master_keys = MasterKeyNames { current: "new".to_owned(), others: Vec::new() };
    assert_eq!(standing(&platform, LONGEST).unwrap(), Standing::Alone);
}
