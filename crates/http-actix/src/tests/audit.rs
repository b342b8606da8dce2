//! What happened to an account.

use actix_web::http::StatusCode;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tenantry_domain::account::Rule;
use tenantry_domain::event::{EventType, NewEvent, chain_input};
use tenantry_domain::id::AccountId;
use tenantry_ports::{Digest as _, LogEntry, LogHead, StoreError, TenantScope};
use tenantry_testkit::FakeDigest;
use tenantry_usecases::tenants::{self, TenantRef};

use super::World;

const BASE: &str = "/api/v1/tenants/acme/accounts";

/// A world with an account, which breaks a rule every second, one after the other, until so many violations.
async fn world(violations: usize) -> (World, String, String) {
    let world = World::new();
    let (tenant, key) = world.tenant_and_key("acme");
    let body = json!({ "userId": "ann", "configId": "demo-25k-eval-v1" });
    let account = world.post(BASE, &key, &body).await.json()["accountId"].as_str().unwrap().to_owned();
    world.post(BASE, &key, &body).await;
    let tenant = tenants::find(world.platform(), &TenantRef::Id(tenant)).unwrap().unwrap();
    let scope = TenantScope::serving(&tenant).unwrap();
    let id: AccountId = account.parse().unwrap();
    for n in 0..violations {
        world.test.clock.advance(TimeDelta::seconds(1));
        let rule = Rule::ALL[n % 3];
        let event = NewEvent::new(EventType::rule_violation(rule), json!({ "value": n })).account(id);
        let platform = world.platform();
        let store = platform.stores.open(&scope).unwrap();
        store
            .write::<_, StoreError>(|tx| {
                let LogHead { sequence, hash: previous } = tx.log().lock()?;
                let event = event.seal(platform.ids.next(), scope.tenant(), platform.clock.now(), "trace");
                let hash = FakeDigest.sha256(&chain_input(&previous, &event));
                tx.log().append(&[LogEntry { sequence: sequence + 1, event, previous, hash }])
            })
            .unwrap();
    }
    (world, key, format!("{BASE}/{account}"))
}

async fn items(world: &World, key: &str, path: &str) -> Vec<Value> {
    let reply = world.get(path, key).await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {:?}", reply.bytes);
    reply.json()["items"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn the_audit_log_is_what_happened_to_the_account_newest_first() {
    let (world, key, account) = world(4).await;
    let log = items(&world, &key, &format!("{account}/audit-logs")).await;
    let types: Vec<_> = log.iter().map(|event| event["eventType"].as_str().unwrap()).collect();
    assert_eq!(
        types,
        [
            "rule.violation.profit_target",
            "rule.violation.daily_loss",
            "rule.violation.max_drawdown",
            "rule.violation.profit_target",
            "account.provisioned",
        ]
    );
    assert!(log.iter().all(|event| account.ends_with(event["accountId"].as_str().unwrap())));
    assert!(log.iter().all(|event| event["meta"]["traceId"].is_string() && event["id"].is_string()));
    for (query, count) in [
        ("eventType=account.provisioned", 1),
        ("eventType=rule.violation.*", 4),
        ("eventType=rule.violation.profit_target", 2),
        ("eventType=*", 5),
        ("eventType=account", 0),
        ("startTime=2026-03-01T12:00:02.123Z", 3),
        ("startTime=2026-03-01T12:00:02.124Z", 2),
        ("endTime=2026-03-01T12:00:02.123Z", 2),
        ("startTime=2026-03-01T13:00:01Z&endTime=2026-03-01T13:00:03%2B01:00&eventType=rule.*", 0),
        ("startTime=2026-03-01T13:00:01%2B01:00&endTime=2026-03-01T12:00:03Z&eventType=rule.*", 2),
    ] {
        assert_eq!(
            items(&world, &key, &format!("{account}/audit-logs?{query}")).await.len(),
            count,
            "{query}"
        );
    }
}

#[actix_web::test]
async fn violations_name_their_rule() {
    let (world, key, account) = world(4).await;
    let all = items(&world, &key, &format!("{account}/violations")).await;
    let rules: Vec<_> = all.iter().map(|violation| violation["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["profit_target", "daily_loss", "max_drawdown", "profit_target"]);
    assert_eq!(
        (&all[0]["data"], &all[0]["timestamp"]),
        (&json!({ "value": 3 }), &json!("2026-03-01T12:00:04.123Z"))
    );
    let query = "startTime=2026-03-01T12:00:02Z&endTime=2026-03-01T12:00:04Z";
    let some = items(&world, &key, &format!("{account}/violations?{query}")).await;
    assert_eq!(some, all[1..3]);
}

#[actix_web::test]
async fn pages_follow_each_other_also_when_more_happens() {
    let (world, key, account) = world(5).await;
    for list in ["audit-logs", "violations"] {
        let whole = items(&world, &key, &format!("{account}/{list}")).await;
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = world.get(&format!("{account}/{list}?limit=2{cursor}"), &key).await.json();
            seen.extend(page["items"].as_array().unwrap().clone());
            let Some(next) = page["nextCursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
            let id = account.rsplit('/').next().unwrap();
            let path = format!("/api/v1/tenants/acme/users/u{}/accounts/{id}/map", seen.len());
            world.send(super::post(&path, &key)).await;
        }
        assert_eq!(seen, whole, "{list}");
        let other = format!("{account}/{list}?limit=2&startTime=2020-01-01T00:00:00Z{cursor}");
        world.get(&other, &key).await.problem("invalid_cursor");
    }
}

#[actix_web::test]
async fn what_is_wrong_with_the_filters_is_told_at_once() {
    let (world, key, account) = world(0).await;
    let query = "startTime=yesterday&endTime=2026-03-01T12:00:00+01:00&eventType=*.closed&limit=0&x=1";
    let reply = world.get(&format!("{account}/audit-logs?{query}"), &key).await;
    let pointers: Vec<_> =
        reply.findings("invalid_parameter").into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(pointers, ["/startTime", "/endTime", "/eventType", "/limit", "/x"]);
    let reply = world.get(&format!("{account}/violations?eventType=*"), &key).await;
    assert_eq!(reply.findings("invalid_parameter"), super::pairs(&[("/eventType", "unknown_parameter")]));
    for unknown in ["acc_0195c0de00007000800000000000000a", "x"] {
        for list in ["audit-logs", "violations"] {
            world.get(&format!("{BASE}/{unknown}/{list}"), &key).await.problem("account_not_found");
        }
    }
}
