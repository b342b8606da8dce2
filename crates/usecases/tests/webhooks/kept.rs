use std::sync::Arc;

use chrono::TimeDelta;
use tenantry_domain::event::EventType;
use tenantry_domain::tenant::{Allowance, Limit, PlanLimits, Plans};
use tenantry_domain::webhook::DisabledReason;
use tenantry_ports::IdempotencyKey;
use tenantry_testkit::{FakeSchemaCheck, TestPlatform};
use tenantry_usecases::Policy;
use tenantry_usecases::idempotency::{Answer, Once};
use tenantry_usecases::webhooks::{self, Change, Rotation, WebhookError};

use super::support::active;
use super::{accounts, create, deliver, done, endpoint, hand, happen, told, wish};

#[test]
fn every_change_is_told_with_who_made_it_and_without_the_url() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let created = create(&test, &scope, &["account.*"]);
    let id = created.endpoint.id;
    let change = Change { enabled: Some(false), ..Change::default() };
    let updated =
        webhooks::update(&test.platform, &scope, id, change, &hand(), |version| version == 1).unwrap();
    assert_eq!((updated.version, updated.disabled.map(|(why, _)| why)), (2, Some(DisabledReason::Requested)));
    let rotation = Rotation { webhook: id, overlap: TimeDelta::hours(24), force: false };
    let rotated = webhooks::rotate(&test.platform, &scope, rotation, &hand(), |_| true, None, |_| None)
        .map(done)
        .unwrap();
    assert_ne!(rotated.secret, created.secret);
    webhooks::remove(&test.platform, &scope, id, &hand(), |_| true).unwrap();
    for event_type in [
        EventType::WEBHOOK_ENDPOINT_CREATED,
        EventType::WEBHOOK_ENDPOINT_UPDATED,
        EventType::WEBHOOK_ENDPOINT_SECRET_ROTATED,
        EventType::WEBHOOK_ENDPOINT_DELETED,
    ] {
        let told = told(&test, &scope, &event_type);
        assert_eq!(told.len(), 1, "{event_type}");
        assert_eq!((&told[0]["by"], &told[0]["webhookId"]), (&"key_1".into(), &id.to_string().into()));
        assert!(!told[0].to_string().contains("hunter2"), "{event_type}");
    }
    assert!(matches!(webhooks::find(&test.platform, &scope, id), Err(WebhookError::NotFound)));
}

#[test]
fn a_stale_version_is_refused_and_no_difference_is_no_change() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let id = create(&test, &scope, &[]).endpoint.id;
    let change = Change { description: Some(None), ..Change::default() };
    let stale = webhooks::update(&test.platform, &scope, id, change, &hand(), |version| version == 7);
    assert!(matches!(stale, Err(WebhookError::Stale { version: 1 })));
    let same = Change { enabled: Some(true), description: Some(Some("CRM".to_owned())), ..Change::default() };
    assert_eq!(webhooks::update(&test.platform, &scope, id, same, &hand(), |_| true).unwrap().version, 1);
    assert!(told(&test, &scope, &EventType::WEBHOOK_ENDPOINT_UPDATED).is_empty());
    let wrong = Change { url: Some("http://a.example".to_owned()), ..Change::default() };
    let wrong = webhooks::update(&test.platform, &scope, id, wrong, &hand(), |_| true);
    assert!(matches!(wrong, Err(WebhookError::Invalid(findings)) if findings.len() == 1));
}

#[test]
fn there_are_as_many_endpoints_as_the_quota_says() {
    let limits = PlanLimits { allowance: Allowance::new(|_| Limit::AtMost(2)), burst: 1 };
    let policy = Policy { plans: Plans::new(|_| limits), ..Policy::default() };
    let test = TestPlatform::with(policy, Arc::new(FakeSchemaCheck::content()));
    let scope = active(&test);
    let (first, _) = (create(&test, &scope, &[]), create(&test, &scope, &[]));
    let third = || webhooks::create(&test.platform, &scope, wish(&[]), hand(), None, |_| None);
    assert!(matches!(third(), Err(WebhookError::QuotaExceeded(_))));
    assert_eq!(tenantry_usecases::limits::usage(&test.platform, &scope).unwrap().webhooks, 2);
    webhooks::remove(&test.platform, &scope, first.endpoint.id, &hand(), |_| true).unwrap();
    assert!(matches!(third(), Ok(Once::Done(_))));
}

#[test]
fn a_repeated_request_gets_the_same_secret_which_is_kept_sealed() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let key = IdempotencyKey { scope: "key_1:createWebhook:1".to_owned(), fingerprint: [7; 32] };
    let create = || {
        webhooks::create(&test.platform, &scope, wish(&[]), hand(), Some(&key), |outcome| {
            let body = outcome.as_ref().ok()?.secret.expose().as_bytes().to_vec();
            Some(Answer { status: 201, body })
        })
        .unwrap()
    };
    let Once::Done(first) = create() else { panic!("it was not created") };
    let Once::Before(again) = create() else { panic!("it was created twice") };
    assert_eq!(again.body, first.secret.expose().as_bytes());
    let store = test.platform.stores.open(&scope).unwrap();
    let since = tenantry_ports::Clock::now(&*test.clock) - TimeDelta::hours(1);
    let kept = store.read(|tx| tx.idempotency().find(&[&key.scope], since)).unwrap().remove(0);
    assert_ne!(kept.body, first.secret.expose().as_bytes());
}

#[test]
fn while_a_secret_changes_over_calls_are_signed_with_both() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let created = create(&test, &scope, &["account.*"]);
    let id = created.endpoint.id;
    let rotate = |force| {
        let rotation = Rotation { webhook: id, overlap: TimeDelta::hours(24), force };
        webhooks::rotate(&test.platform, &scope, rotation, &hand(), |_| true, None, |_| None).map(done)
    };
    let signature = || {
        happen(&test, &scope, &EventType::ACCOUNT_CLOSED, &accounts(1));
        deliver(&test, &scope);
        test.endpoints.calls().pop().unwrap().signature
    };
    let second = rotate(false).unwrap();
    let signed = signature();
    assert!(signed.contains(second.secret.expose()) && signed.contains(created.secret.expose()), "{signed}");
    assert!(matches!(rotate(false), Err(WebhookError::RotationUnderWay { .. })));
    let third = rotate(true).unwrap();
    let signed = signature();
    assert!(signed.contains(third.secret.expose()) && signed.contains(second.secret.expose()), "{signed}");
    assert!(!signed.contains(created.secret.expose()), "{signed}");
    test.clock.advance(TimeDelta::hours(24));
    let signed = signature();
    assert!(signed.contains(third.secret.expose()) && !signed.contains(second.secret.expose()), "{signed}");
    assert!(rotate(false).is_ok());
    assert!(!format!("{:?}", endpoint(&test, &scope, &created)).contains("hunter2"));
}
