//! A tenant's settings and its usage.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::{Value, json};
use tenantry_domain::tenant::{Allowance, Limit, PlanLimits, Plans, QuotaKind};
use tenantry_ports::Scope;
use tenantry_security::ValicoCheck;
use tenantry_testkit::TestPlatform;
use tenantry_usecases::Policy;

use super::{Reply, World, authorised, config, get, pairs};

const SETTINGS: &str = "/api/v1/tenants/acme/settings";
const USAGE: &str = "/api/v1/tenants/acme/usage";

/// A world every plan of which gives four of everything but requests.
fn world() -> World {
    let limits = PlanLimits { allowance: Allowance::new(four_or_any), burst: 4 };
    let policy = Policy { plans: Plans::new(|_| limits), ..Policy::default() };
    World::on(TestPlatform::with(policy, Arc::new(ValicoCheck)))
}

fn four_or_any(kind: QuotaKind) -> Limit {
    if kind == QuotaKind::Requests { Limit::Unlimited } else { Limit::AtMost(4) }
}

fn put(credential: &str) -> TestRequest {
    authorised(TestRequest::put().uri(SETTINGS), credential)
}

async fn set(world: &World, credential: &str, settings: &Value) -> Reply {
    world.send(put(credential).set_json(settings)).await
}

#[actix_web::test]
async fn settings_are_replaced_whole_and_read_back_with_their_tag() {
    let world = world();
    let (_, key) = world.tenant_and_key("acme");
    let defaults = json!({ "allowedConfigs": "*", "versioningStrategy": "explicit", "quotas": {} });
    let first = world.get(SETTINGS, &key).await;
    assert_eq!((first.status, first.json()), (StatusCode::OK, defaults.clone()));
    let wanted = json!({
        "allowedConfigs": ["demo-25k-v1"], "versioningStrategy": "internal", "quotas": { "maxAccounts": 2 }
    });
    let demo = tenantry_domain::config::demo::DEMO_CONFIG_ID;
    let wanted: Value = wanted.to_string().replace("demo-25k-v1", demo).parse().unwrap();
    let replaced = set(&world, &key, &wanted).await;
    assert_eq!((replaced.status, replaced.json()), (StatusCode::OK, wanted.clone()));
    let read = world.get(SETTINGS, &key).await;
    assert_eq!((read.json(), read.header("etag")), (wanted, replaced.header("etag")));
    assert_ne!(read.header("etag"), first.header("etag"));
    let tag = read.header("etag").unwrap();
    let unchanged = world.send(get(SETTINGS, &key).insert_header(("If-None-Match", tag))).await;
    assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);
    let back = set(&world, &world.operator(), &json!({})).await;
    assert_eq!((back.json(), back.header("etag")), (defaults, first.header("etag")));
}

#[actix_web::test]
async fn who_saw_something_older_is_told_so() {
    let world = world();
    let (_, key) = world.tenant_and_key("acme");
    let seen = world.get(SETTINGS, &key).await.header("etag").unwrap().to_owned();
    let change = json!({ "versioningStrategy": "internal" });
    let on = async |tag: &str| world.send(put(&key).insert_header(("If-Match", tag)).set_json(&change)).await;
    for stale in ["\"1\"", "W/\"1\"", "x"] {
        let refused = on(stale).await;
        assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
        refused.problem("precondition_failed");
    }
    assert_eq!(on(&seen).await.status, StatusCode::OK);
    on(&seen).await.problem("precondition_failed");
}

#[actix_web::test]
async fn only_the_operator_grants_more_and_every_member_that_asks_for_it_is_named() {
    let world = world();
    let tenant = world.tenant_with_admin("acme");
    let (key, admin) = (world.key(Some(tenant), &Scope::ALL), world.admin("acme").await);
    let more =
        json!({ "quotas": { "maxAccounts": 5, "maxUsers": "unlimited", "maxConfigs": 4, "maxWebhooks": 1 } });
    for credential in [&key, &admin] {
        let refused = set(&world, credential, &more).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let expected =
            pairs(&[("/quotas/maxAccounts", "quota_raised"), ("/quotas/maxUsers", "quota_raised")]);
        assert_eq!(refused.findings("quota_raised"), expected);
    }
    assert_eq!(set(&world, &world.operator(), &more).await.status, StatusCode::OK);
    assert_eq!(set(&world, &admin, &more).await.status, StatusCode::OK, "what was granted stays");
    assert_eq!(
        set(&world, &key, &json!({ "quotas": { "maxAccounts": 0, "maxUsers": 0, "maxWebhooks": 1 } }))
            .await
            .status,
        200
    );
    // To have what the plan gives again would be more.
    set(&world, &admin, &json!({})).await.problem("quota_raised");
}

#[actix_web::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let world = world();
    let (_, key) = world.tenant_and_key("acme");
    let wrong = json!({
        "versioningStrategy": "sometimes",
        "quotas": { "maxAccounts": -1, "maxCats": 1, "requestsPerMinute": "many" },
        "roles": []
    });
    let reply = set(&world, &key, &wrong).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    let pointers: Vec<_> = reply.findings("validation_failed").into_iter().map(|(at, _)| at).collect();
    for expected in [
        "/quotas/maxAccounts",
        "/quotas/maxCats",
        "/quotas/requestsPerMinute",
        "/roles",
        "/versioningStrategy",
    ] {
        assert!(pointers.iter().any(|pointer| pointer == expected), "{expected} in {pointers:?}");
    }
    let unknown = set(&world, &key, &json!({ "allowedConfigs": ["no-such", "nor-this"] })).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    let expected = pairs(&[("/allowedConfigs", "unknown_config"), ("/allowedConfigs", "unknown_config")]);
    assert_eq!(unknown.findings("unknown_config"), expected);
    for (malformed, status) in [("{", 400), ("", 400), ("[]", 400)] {
        let request = put(&key).insert_header(("Content-Type", "application/json")).set_payload(malformed);
        assert_eq!(world.send(request).await.status.as_u16(), status, "{malformed}");
    }
}

#[actix_web::test]
async fn what_a_quota_refuses_says_what_there_is_and_may_be() {
    let world = world();
    let tenant = world.tenant_with_admin("acme");
    let (key, admin) = (world.key(Some(tenant), &Scope::ALL), world.admin("acme").await);
    for n in 1..4 {
        let path = "/api/v1/tenants/acme/configs";
        assert_eq!(world.post(path, &key, &config(&format!("own-v{n}"))).await.status, 201);
        let body = json!({ "name": "another", "scopes": ["accounts:read"] });
        assert_eq!(world.post("/api/v1/tenants/acme/api-keys", &admin, &body).await.status, 201);
    }
    for n in 0..4 {
        let body = json!({ "userId": format!("user-{n}"), "configId": "own-v1" });
        assert_eq!(world.post("/api/v1/tenants/acme/accounts", &key, &body).await.status, 201);
    }
    let usage = world.get(USAGE, &key).await.json();
    for (what, used) in [("accounts", 4), ("users", 1), ("configs", 4), ("apiKeys", 4)] {
        assert_eq!(usage[what], json!({ "quota": 4, "used": used, "resetAt": null }), "{what}");
    }
    assert_eq!(usage["plan"], "Basic");
    for (path, credential, body, quota) in [
        ("accounts", &key, json!({ "userId": "user-9", "configId": "own-v1" }), "maxAccounts"),
        ("configs", &key, config("own-v9"), "maxConfigs"),
        ("api-keys", &admin, json!({ "name": "one more", "scopes": ["accounts:read"] }), "maxApiKeys"),
    ] {
        let refused = world.post(&format!("/api/v1/tenants/acme/{path}"), credential, &body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        let problem = refused.problem("quota_exceeded");
        assert_eq!(
            [&problem["quota"], &problem["limit"], &problem["used"]],
            [&json!(quota), &json!(4), &json!(4)]
        );
    }
}
