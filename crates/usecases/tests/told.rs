//! Every change of a tenant's state is told, once, in order, and by the commit that makes it so.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use chrono::TimeDelta;
use serde_json::json;
use support::{acme, acme_with_admin, queued, work_off};
use tenantry_domain::event::Event;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{CONFIRMATION_WINDOW, Plan};
use tenantry_ports::{Channel, DatabaseFault, LogEntry, NoticeFilter, NoticeRecord, Scope, StoreError};
use tenantry_testkit::{DatabaseCall, FailureMoment, TestPlatform};
use tenantry_usecases::api_keys::{self, NewKey, Rotation};
use tenantry_usecases::audit::verify;
use tenantry_usecases::notices::list;
use tenantry_usecases::provisioning::{Tended, tend_once};
use tenantry_usecases::signing_keys;
use tenantry_usecases::tenants::{self, Target, TenantChange};
use tenantry_usecases::{Log, Policy};

const BIRTH: [&str; 7] = [
    "announced",
    "provisioning.queued",
    "provisioning.started",
    "step CreateDatabase",
    "step ApplyMigrations",
    "step SeedData",
    "activated",
];

fn target(id: TenantId) -> Target<'static> {
    Target { tenant: id, version: None, by: "operator" }
}

fn notices(test: &TestPlatform, channel: Channel) -> Vec<NoticeRecord> {
    let mut found = list(&test.platform, &NoticeFilter::default(), None, 1000).unwrap();
    found.reverse();
    found.retain(|record| record.notice.channel == channel);
    found
}

/// What is in the platform's log, which is whole.
fn logged(test: &TestPlatform) -> Vec<Event> {
    assert_eq!(verify(&test.platform, &Log::Platform, &[]).unwrap().flaw, None);
    let entries = test.platform.control.read(|tx| tx.log().page(0, 1000));
    entries.map_err(|error: StoreError| error).unwrap().into_iter().map(LogEntry::told).collect()
}

/// What was told of by webhook so far, in order: types without `tenant.`, and steps by name.
fn told(test: &TestPlatform) -> Vec<String> {
    let event = |record: NoticeRecord| -> Event { serde_json::from_str(&record.notice.payload).unwrap() };
    let short = |event: Event| match event.data["step"].as_str() {
        Some(step) => format!("step {step}"),
        None => event.event_type.as_str().trim_start_matches("tenant.").to_owned(),
    };
    let told: Vec<_> = notices(test, Channel::Webhook).into_iter().map(event).collect();
    // What is told outside is what stands in the log, in the same order.
    let mut logged = logged(test);
    logged.retain(|event| event.event_type.as_str().starts_with("tenant."));
    logged.iter_mut().for_each(|event| event.meta.sequence = None);
    assert_eq!(told, logged);
    told.into_iter().map(short).collect()
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
    assert_eq!(
        told(&test)[BIRTH.len()..],
        ["suspended", "resumed", "deprovisioning.queued", "resumed", "deprovisioning.queued", "deleted",]
    );
}

#[test]
fn a_tenant_with_an_admin_is_told_of_alike_and_its_admin_gets_the_mail() {
    let test = TestPlatform::telling();
    tenants::create(&test.platform, acme_with_admin()).unwrap();
    work_off(&test);
    let steps = [&BIRTH[1..6], &["step CreateAdmin", "activated"]].concat();
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
    assert_eq!(told(&test), [&BIRTH[1..4], &["provisioning.failed"]].concat());
    assert_eq!(notices(&test, Channel::Mail).len(), 1);
    tenants::retry(&test.platform, target(id)).unwrap();
    work_off(&test);
    let again = [&BIRTH[1..6], &["step CreateAdmin", "activated"]].concat();
    assert_eq!(told(&test)[4..], again);
    assert_eq!(notices(&test, Channel::Mail).len(), 2);
}

#[test]
fn what_was_refused_is_not_told() {
    let test = TestPlatform::telling();
    let id = queued(&test);
    assert!(tenants::suspend(&test.platform, target(id)).is_err());
    assert!(tenants::create(&test.platform, acme_with_admin()).is_err(), "the slug is taken");
    assert_eq!(told(&test), BIRTH[..2]);
}

#[test]
fn where_nobody_is_told_the_log_says_it_all_the_same_and_who_did_it() {
    let test = TestPlatform::new();
    let id = queued(&test);
    work_off(&test);
    tenants::suspend(&test.platform, Target { by: "key_1", ..target(id) }).unwrap();
    let plan = TenantChange { plan: Some(Plan::Basic), ..TenantChange::default() };
    for _ in 0..2 {
        tenants::update(&test.platform, target(id), plan.clone()).unwrap();
    }
    assert_eq!(notices(&test, Channel::Webhook), []);
    let logged = logged(&test);
    let types: Vec<_> = logged.iter().map(|event| event.event_type.as_str()).collect();
    let change = &types[BIRTH.len()..];
    assert_eq!(change, ["tenant.suspended", "tenant.updated"], "what changed nothing left nothing");
    assert!(logged.iter().all(|event| event.tenant_id == Some(id)));
    let [suspended, updated] = [&logged[BIRTH.len()].data, &logged[BIRTH.len() + 1].data];
    assert_eq!((&suspended["by"], &suspended["status"]), (&json!("key_1"), &json!("Suspended")));
    assert_eq!((&updated["changed"], &updated["plan"]), (&json!(["plan"]), &json!("Basic")));
}

#[test]
fn what_becomes_of_a_deletion_is_told() {
    let test = TestPlatform::telling();
    let id = queued(&test);
    work_off(&test);
    tenants::suspend(&test.platform, target(id)).unwrap();
    let dropped = |grace| tenants::deprovision(&test.platform, target(id), Some(grace)).unwrap();
    dropped(TimeDelta::days(2));
    dropped(TimeDelta::days(1));
    tenants::restore(&test.platform, target(id)).unwrap();
    let expected = ["deprovisioning.queued", "deprovisioning.queued", "deprovisioning.cancelled"];
    assert_eq!(told(&test)[BIRTH.len() + 1..], expected);
    let drops: Vec<_> =
        logged(&test).iter().filter_map(|event| event.data["dropAt"].as_str().map(str::to_owned)).collect();
    assert!(drops.len() == 2 && drops[1] < drops[0], "{drops:?}");
}

#[test]
fn who_is_never_confirmed_is_told_of() {
    let test = TestPlatform::telling();
    tenants::init(&test.platform, acme()).unwrap();
    test.clock.advance(CONFIRMATION_WINDOW + TimeDelta::seconds(1));
    assert_eq!(tenants::expire(&test.platform).unwrap(), 1);
    assert_eq!(told(&test), ["announced", "expired"]);
}

#[test]
fn what_happens_to_keys_is_in_the_log_and_told_nobody() {
    let test = TestPlatform::telling();
    let id = queued(&test);
    work_off(&test);
    let before = logged(&test).len();
    let wish = |owner: Option<TenantId>| NewKey {
        owner,
        name: "website".to_owned(),
        scopes: owner.map(|_| Scope::AccountsRead).into_iter().collect(),
        expires_at: None,
        created_by: "operator".to_owned(),
    };
    let (own, text) = api_keys::create(&test.platform, wish(Some(id))).unwrap();
    let (key, overlap, created_by) = (own.id, TimeDelta::hours(1), "key_1".to_owned());
    let rotation = Rotation { owner: Some(id), key, version: None, overlap, created_by };
    let (successor, _) = api_keys::rotate(&test.platform, &rotation).unwrap();
    for _ in 0..2 {
        assert!(api_keys::revoke(&test.platform, Some(id), own.id, "cli").unwrap());
    }
    api_keys::create(&test.platform, wish(None)).unwrap();
    signing_keys::ensure(&test.platform).unwrap();
    signing_keys::rotate(&test.platform, signing_keys::Rotation::Compromised, "cli").unwrap();

    let events = logged(&test).split_off(before);
    let seen: Vec<_> = events.iter().map(|event| (event.event_type.as_str(), event.tenant_id)).collect();
    let expected = [
        ("api_key.created", Some(id)),
        ("api_key.rotated", Some(id)),
        ("api_key.revoked", Some(id)),
        ("api_key.created", None),
        ("signing_key.created", None),
        ("signing_key.rotated", None),
    ];
    assert_eq!(seen, expected);
    assert_eq!(events[0].data["scopes"], json!(["accounts:read"]));
    assert_eq!(
        (&events[1].data["successorId"], &events[1].data["by"]),
        (&json!(successor.id), &json!("key_1"))
    );
    assert_eq!((&events[2].data["keyId"], &events[2].data["by"]), (&json!(own.id), &json!("cli")));
    let all = serde_json::to_string(&events).unwrap();
    assert!(!all.contains(text.expose()), "{all}");
    assert!(told(&test).iter().all(|told| !told.contains("key")));
}
