//! Events: by the page, one by one, and as they happen.

mod platform;
mod streams;

use actix_web::http::StatusCode;
use serde_json::{Value, json};
use tenantry_ports::Scope;
use tenantry_usecases::Policy;

use super::{Reply, World, config};

const EVENTS: &str = "/api/v1/tenants/acme/events";

/// Has so many accounts provisioned; their ids.
async fn provision(world: &World, key: &str, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        let body = json!({ "userId": format!("user-{number}"), "configId": "demo-25k-eval-v1" });
        let reply = world.post("/api/v1/tenants/acme/accounts", key, &body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{:?}", reply.bytes);
        ids.push(reply.json()["accountId"].as_str().unwrap().to_owned());
    }
    ids
}

fn items(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.bytes);
    reply.json()["items"].as_array().unwrap().clone()
}

fn accounts(items: &[Value]) -> Vec<&str> {
    items.iter().map(|event| event["accountId"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn a_poller_that_goes_on_where_it_was_misses_nothing_and_sees_nothing_twice() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    let mut made = provision(&world, &key, 5).await;
    let path = format!("{EVENTS}?eventType=account.*&limit=2");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for round in 0..8 {
        if round == 4 {
            made.extend(provision(&world, &key, 3).await);
        }
        let reply = world.get(&format!("{path}{cursor}"), &key).await;
        let page = items(&reply);
        assert!(page.len() <= 2);
        seen.extend(accounts(&page).into_iter().map(str::to_owned));
        let told = reply.json();
        assert_eq!(told["hasMore"], seen.len() < made.len(), "round {round}");
        cursor = format!("&cursor={}", told["nextCursor"].as_str().expect("there is always one"));
    }
    assert_eq!(seen, made);
}

#[actix_web::test]
async fn an_event_is_the_same_in_the_list_and_alone_and_has_its_place_in_the_log() {
    let world = World::new();
    let (tenant, key) = world.tenant_and_key("acme");
    let made = provision(&world, &key, 1).await.remove(0);
    let all = items(&world.get(EVENTS, &key).await);
    let places: Vec<_> = all.iter().map(|event| event["meta"]["sequence"].as_i64().unwrap()).collect();
    assert_eq!(places, (1..=i64::try_from(all.len()).unwrap()).collect::<Vec<_>>());
    let event = all.last().unwrap();
    assert_eq!(event["eventType"], "account.provisioned");
    assert_eq!((&event["accountId"], &event["tenantId"]), (&json!(made), &json!(tenant)));
    let id = event["id"].as_str().unwrap();
    assert_eq!(world.get(&format!("{EVENTS}/{id}"), &key).await.json(), *event);
    for id in ["evt_0195c0de00007000800000000000000a", "x"] {
        world.get(&format!("{EVENTS}/{id}"), &key).await.problem("event_not_found");
    }
}

#[actix_web::test]
async fn filters_say_which_events() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    let before = items(&world.get(EVENTS, &key).await).len();
    let made = provision(&world, &key, 3).await;
    world.test.clock.advance(chrono::TimeDelta::hours(1));
    let uploaded = world.post("/api/v1/tenants/acme/configs", &key, &config("own-v1")).await;
    assert_eq!(uploaded.status, StatusCode::CREATED);
    let list = async |query: &str| items(&world.get(&format!("{EVENTS}?{query}"), &key).await);
    let all = list("").await;
    assert_eq!(all.len(), before + 4);
    assert_eq!(accounts(&list(&format!("accountId={}", made[1])).await), [&made[1]]);
    assert_eq!(accounts(&list("eventType=account.provisioned").await), made);
    assert_eq!(list("eventType=account.provisione").await, Vec::<Value>::new());
    assert_eq!(list("eventType=config.*").await.last(), all.last());
    let last = all.last().unwrap();
    let time = last["timestamp"].as_str().unwrap();
    assert_eq!(list(&format!("startTime={time}")).await, std::slice::from_ref(last));
    assert_eq!(list(&format!("endTime={time}")).await, all[..all.len() - 1]);
    let second = all[before]["id"].as_str().unwrap();
    assert_eq!(list(&format!("after={second}")).await, all[before + 1..]);
}

#[actix_web::test]
async fn what_cannot_be_asked_is_refused() {
    let world = World::new();
    let (tenant, key) = world.tenant_and_key("acme");
    let refused = async |query: &str| world.get(&format!("{EVENTS}?{query}"), &key).await;
    for query in
        ["eventType=A*", "accountId=x", "startTime=yesterday", "endTime=1", "after=x", "limit=0", "n=1"]
    {
        refused(query).await.problem("invalid_parameter");
    }
    refused("after=evt_0195c0de00007000800000000000000a").await.problem("event_not_found");
    refused("cursor=00").await.problem("invalid_cursor");
    let cursor = refused("").await.json()["nextCursor"].as_str().unwrap().to_owned();
    let other = refused(&format!("eventType=account.*&cursor={cursor}")).await;
    other.problem("invalid_cursor");
    let without = world.key(Some(tenant), &[Scope::AccountsRead]);
    for path in [EVENTS.to_owned(), format!("{EVENTS}/stream")] {
        world.get(&path, &without).await.problem("missing_scope");
    }
}

/// A world that keeps events for a month, where a tenant has some that are older, and some that are not.
async fn aged() -> (World, String, Vec<Value>) {
    let retention = chrono::TimeDelta::days(30);
    let world = World::with_policy(Policy { event_retention: Some(retention), ..Policy::default() });
    let (_, key) = world.tenant_and_key("acme");
    provision(&world, &key, 3).await;
    let before = items(&world.get(EVENTS, &key).await);
    world.test.clock.advance(retention);
    provision(&world, &key, 2).await;
    world.test.clock.advance(chrono::TimeDelta::seconds(1));
    (world, key, before)
}

#[actix_web::test]
async fn who_asks_for_events_that_are_kept_no_longer_is_told_where_they_begin() {
    let (world, key, before) = aged().await;
    let cursor = world.get(&format!("{EVENTS}?limit=2"), &key).await.json()["nextCursor"].clone();
    let removed = tenantry_usecases::upkeep::turn(&world.test.platform, "worker").unwrap().unwrap();
    assert_eq!(removed.events, before.len());
    let first = i64::try_from(before.len()).unwrap() + 1;
    let gone = before[0]["id"].as_str().unwrap();
    for path in [
        format!("{EVENTS}?limit=2&cursor={}", cursor.as_str().unwrap()),
        format!("{EVENTS}?after={gone}"),
        format!("{EVENTS}/{gone}"),
        format!("{EVENTS}/stream?after={gone}"),
    ] {
        let reply = world.get(&path, &key).await;
        assert_eq!(reply.status, StatusCode::GONE, "{path}");
        assert_eq!(reply.json()["firstSequence"], first, "{path}");
        reply.problem("events_expired");
    }
    let all = items(&world.get(EVENTS, &key).await);
    assert_eq!((all.len(), &all[0]["meta"]["sequence"]), (2, &json!(first)));
    let since = before[0]["timestamp"].as_str().unwrap();
    assert_eq!(items(&world.get(&format!("{EVENTS}?startTime={since}"), &key).await), all);
    let account = before.last().unwrap()["accountId"].as_str().unwrap();
    let reply = world.get(&format!("/api/v1/tenants/acme/accounts/{account}/audit-logs"), &key).await;
    assert_eq!(items(&reply), Vec::<Value>::new(), "the account is there, what happened to it is not");
}
