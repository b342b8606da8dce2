//! Quotas: of many who want the last one, one gets it; and what a tenant has is told.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;
use support::{acme_in_service, active, wish};
use tenantry_domain::config::demo;
use tenantry_domain::tenant::{
    Allowance, Limit, PlanLimits, Plans, QuotaExceeded, QuotaKind, Quotas, Settings,
};
use tenantry_ports::{IdempotencyKey, Scope, StoreError, TenantScope};
use tenantry_testkit::{FakeSchemaCheck, TestPlatform};
use tenantry_usecases::Policy;
use tenantry_usecases::api_keys::{self, ChangeKeyError, NewKey, NewKeyError, Rotation};
use tenantry_usecases::configs::{self, Upload, UploadError};
use tenantry_usecases::limits::{stored_allowance, usage};
use tenantry_usecases::users::{self, RegisterError, RegisterUser};

/// A platform every plan of which gives so many of everything.
fn platform(limit: u64) -> TestPlatform {
    let limits = PlanLimits { allowance: Allowance::new(|_| Limit::AtMost(limit)), burst: 1 };
    let policy = Policy { plans: Plans::new(|_| limits), ..Policy::default() };
    TestPlatform::with(policy, Arc::new(FakeSchemaCheck::content()))
}

fn agree(test: &TestPlatform, scope: &TenantScope, quotas: Quotas) {
    let settings = Settings { quotas, ..Settings::default() };
    let store = test.platform.stores.open(scope).unwrap();
    store.write::<_, StoreError>(|tx| tx.settings().put(&settings)).unwrap();
}

fn key(test: &TestPlatform, scope: &TenantScope) -> Result<(), NewKeyError> {
    let wish = NewKey {
        owner: Some(scope.tenant()),
        name: "test".to_owned(),
        scopes: BTreeSet::from([Scope::AccountsRead]),
        expires_at: None,
        created_by: "test".to_owned(),
    };
    api_keys::create(&test.platform, wish).map(drop)
}

fn upload(test: &TestPlatform, scope: &TenantScope, id: &str, capital: u32) -> Result<(), UploadError> {
    let mut document = demo::config();
    (document["id"], document["baseCapital"]) = (json!(id), json!(capital));
    let upload = Upload { document, actor: "key_1".to_owned(), trace: "trace".to_owned() };
    configs::upload(&test.platform, scope, upload).map(drop)
}

/// How many of a hundred at once succeed.
fn of_a_hundred(attempt: impl Fn(usize) -> bool + Sync) -> usize {
    std::thread::scope(|threads| {
        let attempt = &attempt;
        let threads: Vec<_> = (0..100).map(|n| threads.spawn(move || attempt(n))).collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
    })
}

#[test]
fn of_a_hundred_who_want_the_last_key_one_gets_it() {
    let test = platform(3);
    let scope = active(&test);
    for _ in 0..2 {
        key(&test, &scope).unwrap();
    }
    assert_eq!(of_a_hundred(|_| key(&test, &scope).is_ok()), 1);
    let full = QuotaExceeded { kind: QuotaKind::ApiKeys, limit: 3, used: 3 };
    assert!(matches!(key(&test, &scope), Err(NewKeyError::QuotaExceeded(refused)) if refused == full));
    let first = api_keys::list(&test.platform, Some(scope.tenant())).unwrap().remove(0);
    assert!(api_keys::revoke(&test.platform, Some(scope.tenant()), first.id, "operator").unwrap());
    key(&test, &scope).unwrap();
}

#[test]
fn a_key_is_replaced_where_there_is_no_place_and_its_place_is_given_once() {
    let test = platform(1);
    let scope = active(&test);
    key(&test, &scope).unwrap();
    let owner = Some(scope.tenant());
    let newest = || api_keys::list(&test.platform, owner).unwrap().remove(0).id;
    let replace = |key, overlap| {
        let created_by = "test".to_owned();
        let wish = Rotation { owner, key, version: None, overlap, created_by };
        api_keys::rotate(&test.platform, &wish)
    };
    let hour = TimeDelta::hours(1);
    let is_full = |refused, used| {
        let full = QuotaExceeded { kind: QuotaKind::ApiKeys, limit: 1, used };
        matches!(refused, Err(ChangeKeyError::New(NewKeyError::QuotaExceeded(refused))) if refused == full)
    };
    let first = newest();
    replace(first, hour).unwrap();
    let second = newest();
    assert!(is_full(replace(first, hour), 2), "it has left its place to the second");
    assert!(is_full(replace(second, hour), 2), "twice as many are enough for everybody");
    replace(second, TimeDelta::zero()).unwrap();
    test.clock.advance(hour);
    replace(newest(), hour).unwrap();
    assert_eq!(usage(&test.platform, &scope).unwrap().api_keys, 2);
    test.clock.advance(hour);
    assert_eq!(usage(&test.platform, &scope).unwrap().api_keys, 1);
}

#[test]
fn the_operator_makes_as_many_keys_as_they_like() {
    let test = platform(0);
    for _ in 0..3 {
        assert!(api_keys::ensure_operator(&test.platform).is_ok());
        let wish = NewKey {
            owner: None,
            name: "another".to_owned(),
            scopes: BTreeSet::new(),
            expires_at: None,
            created_by: "test".to_owned(),
        };
        api_keys::create(&test.platform, wish).unwrap();
    }
}

#[test]
fn of_a_hundred_who_want_the_last_config_one_gets_it() {
    let test = platform(3);
    let scope = active(&test);
    // With the one that every tenant is given, this is the second.
    upload(&test, &scope, "first-v1", 1000).unwrap();
    assert_eq!(of_a_hundred(|n| upload(&test, &scope, &format!("wish-{n}"), 1000).is_ok()), 1);
    let full = QuotaExceeded { kind: QuotaKind::Configs, limit: 3, used: 3 };
    let refused = upload(&test, &scope, "one-more", 1000);
    assert!(matches!(refused, Err(UploadError::QuotaExceeded(refused)) if refused == full));
}

#[test]
fn another_version_of_a_config_is_not_another_config() {
    let test = platform(1);
    let scope = active(&test);
    let store = test.platform.stores.open(&scope).unwrap();
    let versioning_strategy = tenantry_domain::config::VersioningStrategy::Internal;
    let settings = Settings { versioning_strategy, ..Settings::default() };
    store.write::<_, StoreError>(|tx| tx.settings().put(&settings)).unwrap();
    upload(&test, &scope, demo::DEMO_CONFIG_ID, 1000).unwrap();
    upload(&test, &scope, demo::DEMO_CONFIG_ID, 2000).unwrap();
    assert_eq!(usage(&test.platform, &scope).unwrap().counts.configs, 1);
}

#[test]
fn of_a_hundred_who_register_for_the_last_place_one_gets_it() {
    let test = platform(3);
    let (tenant, scope) = acme_in_service(&test);
    let register =
        |wish| users::register(&test.platform, &tenant, &scope, wish, |_, _| serde_json::Value::Null);
    // With the admin that the tenant was created with, this is the second.
    let key = IdempotencyKey { scope: "second".to_owned(), fingerprint: [1; 32] };
    let second = RegisterUser { idempotency: Some(key), ..wish("second") };
    register(second.clone()).unwrap();
    assert_eq!(of_a_hundred(|n| register(wish(&format!("wish-{n}"))).is_ok()), 1);
    let full = QuotaExceeded { kind: QuotaKind::Users, limit: 3, used: 3 };
    let refused = register(wish("one-more"));
    assert!(matches!(refused, Err(RegisterError::QuotaExceeded(refused)) if refused == full));
    assert!(register(second).unwrap().replayed, "a repeated request asks for no other place");
    assert_eq!(usage(&test.platform, &scope).unwrap().counts.users, 3);
}

#[test]
fn what_was_agreed_on_counts_instead_of_the_plan() {
    let test = platform(1);
    let scope = active(&test);
    let quotas = Quotas { max_api_keys: Some(Limit::AtMost(2)), ..Quotas::default() };
    agree(&test, &scope, quotas);
    assert_eq!(
        [key(&test, &scope), key(&test, &scope), key(&test, &scope)].map(|made| made.is_ok()),
        [true, true, false]
    );
    let allowance = stored_allowance(&test.platform, &scope).unwrap();
    assert_eq!(allowance.of(QuotaKind::ApiKeys), Limit::AtMost(2));
    assert_eq!(allowance.of(QuotaKind::Users), Limit::AtMost(1), "the plan says the rest");
}

#[test]
fn usage_says_what_there_is_and_may_be() {
    let test = platform(7);
    let scope = active(&test);
    upload(&test, &scope, "first-v1", 1000).unwrap();
    key(&test, &scope).unwrap();
    let told = usage(&test.platform, &scope).unwrap();
    for (kind, used) in [
        (QuotaKind::Accounts, Some(0)),
        (QuotaKind::Users, Some(0)),
        (QuotaKind::Configs, Some(2)),
        (QuotaKind::ApiKeys, Some(1)),
        (QuotaKind::Webhooks, Some(0)),
        (QuotaKind::Requests, None),
    ] {
        assert_eq!((told.of(kind), told.allowance.of(kind)), (used, Limit::AtMost(7)), "{kind:?}");
    }
}
