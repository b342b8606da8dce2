//! Every change of a tenant's state is told, once, in order, and by the commit that makes it so.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use chrono::TimeDelta;
use support::{acme_with_admin, queued, work_off};
use tenantry_domain::event::Event;
use tenantry_domain::id::TenantId;
use tenantry_ports::{Channel, DatabaseFault, NoticeFilter, NoticeRecord};
use tenantry_testkit::{DatabaseCall, FailureMoment, TestPlatform};
use tenantry_usecases::Policy;
use tenantry_usecases::notices::list;
use tenantry_usecases::provisioning::{Tended, tend_once};
use tenantry_usecases::tenants::{self, Target};

const BIRTH: [&str; 6] = [
    "provisioning.queued",
    "provisioning.started",
    "step CreateDatabase",
    "step ApplyMigrations",
    "step SeedData",
    "activated",
];

fn target(id: TenantId) -> Target {
    Target { tenant: id, version: None }
}

fn notices(test: &TestPlatform, channel: Channel) -> Vec<NoticeRecord> {
    let mut found = list(&test.platform, &NoticeFilter::default(), None, 1000).unwrap();
    found.reverse();
    found.retain(|record| record.notice.channel == channel);
    found
}

/// What was told of by webhook so far, in order: types without `tenant.`, and steps by name.
fn told(test: &TestPlatform) -> Vec<String> {
    let event = |record: NoticeRecord| -> Event { serde_json::from_str(&record.notice.payload).unwrap() };
    let short = |event: Event| match event.data["step"].as_str() {
        Some(step) => format!("step {step}"),
        None => event.event_type.as_str().trim_start_matches("tenant.").to_owned(),
    };
    notices(test, Channel::Webhook).into_iter().map(event).map(short).collect()
}

#[test]
fn a_life_is_told_from_its_birth_to_its_end() {
    let test = TestPlatform::telling();
    let id = queued(&test);
    work_off(&test);
    assert_eq!(told(&test), BIRTH);
    tenants::suspend(&test.platform, target(id)).unwrap();
    tenants::resume(&test.platform, target(id)).unwrap();
    tenants::deprovision(&test.platform, target(id), Some(TimeDelta::hours(1))).unwrap();
    tenants::restore(&test.platform, target(id)).unwrap();
    tenants::deprovision(&test.platform, target(id), Some(TimeDelta::hours(1))).unwrap();
    test.clock.advance(TimeDelta::hours(1));
    work_off(&test);
    assert_eq!(told(&test)[BIRTH.len()..], ["suspended", "resumed", "resumed", "deleted"]);
}

#[test]
fn a_tenant_with_an_admin_is_told_of_alike_and_its_admin_gets_the_mail() {
    let test = TestPlatform::telling();
    tenants::create(&test.platform, acme_with_admin()).unwrap();
    work_off(&test);
    let steps = [&BIRTH[..5], &["step CreateAdmin", "activated"]].concat();
    assert_eq!(told(&test), steps);
    assert_eq!(notices(&test, Channel::Mail).len(), 1);
}

#[test]
fn a_database_from_the_pool_is_told_of_alike() {
    let test = TestPlatform::telling_with(Policy { pool_size: 1, ..Policy::default() });
    while tend_once(&test.platform).unwrap() == Tended::Done {}
    let made = test.databases.calls(DatabaseCall::Create);
    queued(&test);
    work_off(&test);
    assert_eq!(test.databases.calls(DatabaseCall::Create), made, "it came from the pool");
    assert_eq!(told(&test), BIRTH);
}

#[test]
fn passing_faults_are_nobodys_business_and_lasting_ones_are() {
    let test = TestPlatform::telling();
    test.databases.fail(DatabaseCall::Create, FailureMoment::AfterEffect, DatabaseFault::Passing, 2);
    queued(&test);
    work_off(&test);
    assert_eq!(told(&test), BIRTH);

    let test = TestPlatform::telling();
    test.databases.fail(DatabaseCall::Migrate, FailureMoment::AfterEffect, DatabaseFault::Lasting, 1);
    let id = tenants::create(&test.platform, acme_with_admin()).unwrap().tenant.id;
    work_off(&test);
    assert_eq!(told(&test), [&BIRTH[..3], &["provisioning.failed"]].concat());
    assert_eq!(notices(&test, Channel::Mail).len(), 1);
    tenants::retry(&test.platform, target(id)).unwrap();
    work_off(&test);
    let again = [&BIRTH[..5], &["step CreateAdmin", "activated"]].concat();
    assert_eq!(told(&test)[4..], again);
    assert_eq!(notices(&test, Channel::Mail).len(), 2);
}

#[test]
fn what_was_refused_is_not_told() {
    let test = TestPlatform::telling();
    let id = queued(&test);
    assert!(tenants::suspend(&test.platform, target(id)).is_err());
    assert!(tenants::create(&test.platform, acme_with_admin()).is_err(), "the slug is taken");
    assert_eq!(told(&test), BIRTH[..1]);
}
