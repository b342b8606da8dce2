//! The doctor finds each thing that can be wrong, and what it says to be safe puts it right; of a healthy installation it
//! finds nothing, whatever has happened to it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../support/mod.rs"]
mod support;

mod databases;
mod work;

use chrono::TimeDelta;
use support::{acme, active, status, tend, with_pool, work_off};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::Status;
use tenantry_ports::{DatabaseFault, StoreError, TenantFilter};
use tenantry_testkit::{DatabaseCall, FailureMoment, TestPlatform};
use tenantry_usecases::doctor::{Severity, Symptom, cure, examine};
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

fn of(tenant: TenantId) -> Target<'static> {
    Target { tenant, version: None, by: "operator" }
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
fn what_cannot_be_looked_at_is_itself_a_finding() {
    let test = TestPlatform::new();
    active(&test);
    test.databases.fail(DatabaseCall::Inventory, FailureMoment::BeforeEffect, DatabaseFault::Passing, 1);
    assert_eq!(wrong(&test), [], "a second look succeeds");
    test.databases.fail(DatabaseCall::Inventory, FailureMoment::BeforeEffect, DatabaseFault::Passing, 2);
    the(&test, "databases_unlisted", Severity::Error);
}

#[test]
fn who_cannot_be_read_is_named_and_hides_nobody() {
    let test = with_pool(2);
    let scope = active(&test);
    tend(&test);
    test.world.control().spoil_tenant(scope.tenant());
    let symptom = the(&test, "unreadable_tenant", Severity::Error);
    assert_eq!(symptom.place, format!("tenant {}", scope.tenant()));
    assert!(symptom.what.contains("spoilt") && symptom.remedy.is_none(), "{symptom:?}");

    let pool = test.platform.control.read::<_, StoreError>(|tx| tx.pool().all()).unwrap();
    test.world.control().spoil_pooled(pool[0].0.id);
    tend(&test);
    let codes: Vec<_> = wrong(&test).iter().map(|symptom| symptom.code).collect();
    assert_eq!(codes, ["unreadable_tenant", "unreadable_pooled_database"]);

    // Somebody who comes after them is served as if they were not there.
    let next = tenants::InitTenant { slug: "globex".parse().unwrap(), ..acme() };
    let next = tenants::init(&test.platform, next).unwrap();
    tenants::confirm(&test.platform, next.confirm_token.expose()).unwrap();
    work_off(&test);
    tend(&test);
    assert_eq!(status(&test, next.tenant), Status::Active);
    let listed = tenants::list(&test.platform, &TenantFilter::default(), None, 10).unwrap();
    assert_eq!(listed.iter().map(|tenant| tenant.id).collect::<Vec<_>>(), [next.tenant]);
    assert_eq!(wrong(&test).len(), 2, "{:?}", wrong(&test));
}
