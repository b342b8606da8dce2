//! What happened to tenants and keys: the platform's own log.

use serde_json::{Value, json};

use super::super::World;
use super::items;

const EVENTS: &str = "/api/v1/events";

fn types(items: &[Value]) -> Vec<&str> {
    items.iter().map(|event| event["eventType"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn the_operator_reads_what_happened_to_tenants_and_keys() {
    let world = World::new();
    let operator = world.operator();
    let (acme, other) = (world.tenant("acme"), world.tenant("other"));
    let before = items(&world.get(EVENTS, &operator).await).len();
    world.post("/api/v1/tenants/acme/suspend", &operator, &json!({})).await;
    world.test.clock.advance(chrono::TimeDelta::hours(1));
    world.post("/api/v1/tenants/other/suspend", &operator, &json!({})).await;
    let wish = json!({ "name": "website", "scopes": ["accounts:read"] });
    let key = world.post("/api/v1/tenants/other/api-keys", &operator, &wish).await.json();

    let all = items(&world.get(EVENTS, &operator).await);
    let places: Vec<_> = all.iter().map(|event| event["meta"]["sequence"].as_i64().unwrap()).collect();
    assert_eq!(places, (1..=i64::try_from(all.len()).unwrap()).collect::<Vec<_>>());
    let new = &all[before..];
    assert_eq!(types(new), ["tenant.suspended", "tenant.suspended", "api_key.created"]);
    assert_eq!((&new[0]["tenantId"], &new[1]["tenantId"]), (&json!(acme), &json!(other)));
    assert_eq!(new[2]["data"]["keyId"], key["id"]);
    assert!(new[0]["data"]["by"].as_str().unwrap().starts_with("key_"), "{}", new[0]);

    let list = async |query: &str| items(&world.get(&format!("{EVENTS}?{query}"), &operator).await);
    assert_eq!(list("eventType=api_key.*").await.last(), new.last());
    assert_eq!(list(&format!("eventType=tenant.suspended&tenantId={acme}")).await, new[..1]);
    assert_eq!(list(&format!("after={}", new[0]["id"].as_str().unwrap())).await, new[1..]);
    let time = new[1]["timestamp"].as_str().unwrap();
    assert_eq!(list(&format!("startTime={time}")).await, new[1..]);
    assert_eq!(list(&format!("endTime={time}")).await, all[..=before]);
    let one = format!("{EVENTS}/{}", new[0]["id"].as_str().unwrap());
    assert_eq!(world.get(&one, &operator).await.json(), new[0]);
}

#[actix_web::test]
async fn a_page_goes_on_where_the_one_before_ended() {
    let world = World::new();
    let operator = world.operator();
    for slug in ["one", "two", "six"] {
        world.tenant(slug);
    }
    let all = items(&world.get(&format!("{EVENTS}?limit=200"), &operator).await);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    while seen.len() < all.len() {
        let reply = world.get(&format!("{EVENTS}?limit=2{cursor}"), &operator).await;
        let page = items(&reply);
        assert!(!page.is_empty());
        seen.extend(page);
        let told = reply.json();
        assert_eq!(told["hasMore"], seen.len() < all.len());
        cursor = format!("&cursor={}", told["nextCursor"].as_str().unwrap());
    }
    assert_eq!(seen, all);
}

#[actix_web::test]
async fn a_tenants_credential_and_what_is_a_tenants_are_refused() {
    let world = World::new();
    let (tenant, key) = world.tenant_and_key("acme");
    let operator = world.operator();
    for path in [EVENTS.to_owned(), format!("{EVENTS}/stream"), format!("{EVENTS}/head")] {
        world.get(&path, &key).await.problem("forbidden");
    }
    let own = "/api/v1/tenants/acme/events";
    for query in ["accountId=acc_0195c0de00007000800000000000000b", "tenantId=acme", "n=1"] {
        world.get(&format!("{EVENTS}?{query}"), &operator).await.problem("invalid_parameter");
    }
    world.get(&format!("{own}?tenantId={tenant}"), &key).await.problem("invalid_parameter");
    let cursor = world.get(EVENTS, &operator).await.json()["nextCursor"].as_str().unwrap().to_owned();
    world.get(&format!("{own}?cursor={cursor}"), &operator).await.problem("invalid_cursor");
}

#[actix_web::test]
async fn the_head_is_signed_as_the_platforms() {
    let world = World::new();
    world.tenant("acme");
    let operator = world.operator();
    let all = items(&world.get(&format!("{EVENTS}?limit=200"), &operator).await);
    let head = world.get(&format!("{EVENTS}/head"), &operator).await.json();
    assert_eq!(head["sequence"], all.len());
    assert!(head["statement"].as_str().unwrap().starts_with("tenantry-head.v1.platform."), "{head}");
}
