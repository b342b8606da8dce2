//! Accounts that nobody has.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use super::{Reply, World, config, pairs};

const PATH: &str = "/api/v1/tenants/acme/configs/25k-own/simulate";

/// The config of the domain's worked example.
async fn world() -> (World, String) {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    let uploaded = world.post("/api/v1/tenants/acme/configs", &key, &config("25k-own")).await;
    assert_eq!(uploaded.status, StatusCode::CREATED);
    (world, key)
}

fn trade(id: &str, side: &str, price: f64, time: &str) -> Value {
    json!({
        "type": "TradeExecuted", "tradeId": id, "symbol": "EURUSD", "side": side, "quantity": 1, "price": price,
        "contractSize": 100_000, "executedAt": format!("2025-01-10T{time}Z")
    })
}

fn mark(price: f64, time: &str) -> Value {
    json!({ "type": "PriceMarked", "symbol": "EURUSD", "price": price, "at": format!("2025-01-10T{time}Z") })
}

async fn simulate(world: &World, key: &str, events: &[Value]) -> Reply {
    world.post(PATH, key, &json!({ "events": events })).await
}

#[actix_web::test]
async fn the_worked_example_ends_in_a_breach_and_leaves_nothing_behind() {
    let (world, key) = world().await;
    let events = [
        trade("t-1", "buy", 1.1, "15:00:00"),
        mark(1.106, "15:01:00"),
        mark(1.093, "15:02:00"),
        mark(1.0925, "15:03:00"),
        mark(1.09249, "15:04:00"),
        trade("t-1", "buy", 1.1, "15:05:00"),
        trade("t-2", "buy", 1.1, "15:06:00"),
    ];
    let reply = simulate(&world, &key, &events).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.bytes);
    let told = reply.json();
    assert_eq!((&told["configId"], &told["version"]), (&json!("25k-own"), &json!(1)));
    for (pointer, value) in [
        ("/account/status", json!("breached")),
        ("/account/balance", json!(24_249)),
        ("/account/highWaterMark", json!(25_600)),
        ("/account/openPositions", json!([])),
        ("/account/baseCapital", json!(25_000)),
    ] {
        assert_eq!(told.pointer(pointer), Some(&value), "{pointer} of {told}");
    }
    let outcomes: Vec<_> =
        told["results"].as_array().unwrap().iter().map(|result| result["outcome"].clone()).collect();
    assert_eq!(
        outcomes,
        ["applied", "applied", "applied", "applied", "applied", "duplicate", "refused"].map(Value::from)
    );
    let emitted = |index: usize| -> Vec<&str> {
        let emitted = told["results"][index]["emitted"].as_array().unwrap();
        emitted.iter().map(|event| event["eventType"].as_str().unwrap()).collect()
    };
    assert_eq!(emitted(1), [""; 0]);
    assert!(emitted(4).contains(&"rule.violation.daily_loss"), "{:?}", emitted(4));
    assert!(emitted(4).contains(&"challenge.failed"), "{:?}", emitted(4));
    assert_eq!(told["results"][6]["refusal"]["code"], "account_final");
    let violated = |rule: &&Value| rule["rule"] == "daily_loss" && rule["status"] == "violated";
    assert!(told["account"]["ruleStatuses"].as_array().unwrap().iter().any(|rule| violated(&rule)), "{told}");

    assert_eq!(simulate(&world, &key, &events).await.bytes, reply.bytes, "the same again");
    let accounts = world.get("/api/v1/tenants/acme/accounts", &key).await.json();
    assert_eq!(accounts["items"], json!([]));
}

#[actix_web::test]
async fn amounts_stay_exact_on_their_way_in_and_out() {
    let (world, key) = world().await;
    let body = r#"{"events":[{"type":"TradeExecuted","tradeId":"t","symbol":"X","side":"buy","quantity":1,"price":1.1,
        "commission":0.1234567890123456789,"executedAt":"2025-01-10T15:00:00Z"}]}"#;
    let request = super::post(PATH, &key).insert_header(("Content-Type", "application/json"));
    let reply = world.send(request.set_payload(body)).await;
    let text = String::from_utf8_lossy(&reply.bytes).into_owned();
    assert!(text.contains("\"balance\":24999.8765432109876543211"), "{text}");
}

#[actix_web::test]
async fn every_invalid_event_is_told_at_once_with_its_place() {
    let (world, key) = world().await;
    let mut unpriced = trade("t-2", "buy", 1.1, "15:00:00");
    unpriced.as_object_mut().unwrap().remove("price");
    let mut unknown = mark(1.1, "15:00:00");
    unknown["colour"] = "red".into();
    let events =
        [trade("t-1", "buy", 1.1, "15:00:00"), unpriced, unknown, json!({ "type": "Nothing" }), json!(7)];
    let reply = simulate(&world, &key, &events).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    let found = reply.findings("validation_failed");
    let at: Vec<_> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    for pointer in ["/events/1/price", "/events/2/colour", "/events/3/type", "/events/4"] {
        assert!(at.contains(&pointer), "{pointer}: {found:?}");
    }
    assert!(at.iter().all(|pointer| !pointer.starts_with("/events/0")), "{found:?}");
}

#[actix_web::test]
async fn there_may_be_ten_thousand_events_and_no_more() {
    let (world, key) = world().await;
    let events: Vec<_> = (0..10_000).map(|_| mark(1.1, "15:00:00")).collect();
    let reply = simulate(&world, &key, &events).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.json()["results"].as_array().unwrap().len(), 10_000);
    let more = [events.as_slice(), &[mark(1.1, "15:00:00")]].concat();
    let refused = simulate(&world, &key, &more).await;
    assert_eq!(refused.findings("validation_failed"), pairs(&[("/events", "too_many_items")]));
    let none = simulate(&world, &key, &[]).await.json();
    assert_eq!((&none["account"]["status"], &none["results"]), (&json!("provisioned"), &json!([])));
}

#[actix_web::test]
async fn an_account_may_migrate_to_what_exists() {
    let (world, key) = world().await;
    let mut larger = config("50k-own");
    larger["baseCapital"] = 50_000.into();
    world.post("/api/v1/tenants/acme/configs", &key, &larger).await;
    let migrate = |id: &str| json!({ "type": "ConfigMigrated", "configId": id, "configVersion": 1, "at": "2025-01-10T15:00:00Z" });
    let told = simulate(&world, &key, &[migrate("50k-own")]).await.json();
    assert_eq!(told["account"]["baseCapital"], 50_000);
    let refused = simulate(&world, &key, &[migrate("50k-own"), migrate("60k-own")]).await;
    assert_eq!(refused.findings("validation_failed"), pairs(&[("/events/1/configId", "unknown_config")]));
}

#[actix_web::test]
async fn only_a_version_that_exists_is_simulated() {
    let (world, key) = world().await;
    let of = async |version: u32| world.post(PATH, &key, &json!({ "events": [], "version": version })).await;
    assert_eq!(of(1).await.json()["version"], 1);
    of(2).await.problem("config_not_found");
    let nowhere = PATH.replace("25k-own", "no-such");
    world.post(&nowhere, &key, &json!({ "events": [] })).await.problem("config_not_found");
}
