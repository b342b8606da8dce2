//! API keys that are replaced, revoked and used, on one server and on several.

use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tenantry_ports::Scope;
use tenantry_usecases::api_keys::record_uses;

use super::{Reply, World, authorised, post};

const PATH: &str = "/api/v1/tenants/acme/api-keys";
const ACCOUNTS: &str = "/api/v1/tenants/acme/accounts";

/// A key of acme that may read accounts: its id and its text.
async fn made(world: &World, operator: &str, more: Value) -> (String, String) {
    let mut body = json!({ "name": "Website", "scopes": ["accounts:read"] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let reply = world.post(PATH, operator, &body).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{:?}", reply.bytes);
    parts(&reply)
}

fn parts(reply: &Reply) -> (String, String) {
    let body = reply.json();
    (body["id"].as_str().unwrap().to_owned(), body["key"].as_str().unwrap().to_owned())
}

async fn rotate(world: &World, credential: &str, id: &str, body: Value) -> Reply {
    world.post(&format!("{PATH}/{id}/rotate"), credential, &body).await
}

async fn record(world: &World, operator: &str, id: &str) -> Value {
    world.get(&format!("{PATH}/{id}"), operator).await.json()
}

#[actix_web::test]
async fn a_replaced_key_works_beside_its_successor_for_as_long_as_was_said() {
    let world = World::new();
    world.tenant("acme");
    let operator = world.operator();
    let (id, old) = made(&world, &operator, json!({})).await;
    let rotated = rotate(&world, &operator, &id, json!({ "overlapSeconds": 3600 })).await;
    assert_eq!(rotated.status, StatusCode::CREATED);
    assert_eq!(rotated.header("cache-control"), Some("no-store"));
    let (new_id, new) = parts(&rotated);
    assert_eq!(rotated.header("location").unwrap(), format!("{PATH}/{new_id}"));
    let body = rotated.json();
    assert_eq!((&body["name"], &body["scopes"]), (&json!("Website"), &json!(["accounts:read"])));
    assert!(new_id != id && new != old);
    for key in [&old, &new] {
        assert_eq!(world.get(ACCOUNTS, key).await.status, StatusCode::OK);
    }
    world.test.clock.advance(TimeDelta::seconds(3601));
    // Asked anew, as any replica does within a second.
    let replica = world.replica();
    replica.get(ACCOUNTS, &old).await.problem("invalid_token");
    assert_eq!(replica.get(ACCOUNTS, &new).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn without_a_body_a_replaced_key_works_for_another_day() {
    let world = World::new();
    world.tenant("acme");
    let operator = world.operator();
    let (id, old) = made(&world, &operator, json!({})).await;
    let reply = world.send(post(&format!("{PATH}/{id}/rotate"), &operator)).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{:?}", reply.bytes);
    world.test.clock.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    assert_eq!(world.replica().get(ACCOUNTS, &old).await.status, StatusCode::OK);
    world.test.clock.advance(TimeDelta::seconds(1));
    world.replica().get(ACCOUNTS, &old).await.problem("invalid_token");
}

#[actix_web::test]
async fn with_no_overlap_the_old_key_stops_at_once() {
    let world = World::new();
    world.tenant("acme");
    let operator = world.operator();
    let (id, old) = made(&world, &operator, json!({})).await;
    assert_eq!(world.get(ACCOUNTS, &old).await.status, StatusCode::OK);
    let (_, new) = parts(&rotate(&world, &operator, &id, json!({ "overlapSeconds": 0 })).await);
    world.get(ACCOUNTS, &old).await.problem("invalid_token");
    assert_eq!(world.get(ACCOUNTS, &new).await.status, StatusCode::OK);
    rotate(&world, &operator, &id, json!({})).await.problem("api_key_ended");
}

#[actix_web::test]
async fn a_successor_lives_as_long_as_the_old_key_was_made_for() {
    let world = World::new();
    world.tenant("acme");
    let operator = world.operator();
    let now = tenantry_testkit::sample::now();
    let expires_at = |days| tenantry_domain::timestamp::to_text(now + TimeDelta::days(days));
    let (id, _) = made(&world, &operator, json!({ "expiresAt": expires_at(30) })).await;
    let elapsed = world.platform().clock.now() - now;
    world.test.clock.advance(TimeDelta::days(29) - elapsed);
    let rotated = rotate(&world, &operator, &id, json!({ "overlapSeconds": 2_592_000 })).await.json();
    let created: chrono::DateTime<chrono::Utc> = rotated["createdAt"].as_str().unwrap().parse().unwrap();
    let expires: chrono::DateTime<chrono::Utc> = rotated["expiresAt"].as_str().unwrap().parse().unwrap();
    assert!((expires - created - TimeDelta::days(30)).abs() < TimeDelta::hours(1), "{rotated}");
    let old = record(&world, &operator, &id).await;
    assert_eq!(old["expiresAt"], expires_at(30), "an overlap never lengthens a key's life");
}

#[actix_web::test]
async fn what_is_no_rotation_is_refused() {
    let world = World::new();
    world.tenant_with_admin("acme");
    world.tenant_with_admin("other");
    let operator = world.operator();
    let (id, key) = made(&world, &operator, json!({})).await;
    for body in [json!({ "overlapSeconds": -1 }), json!({ "overlapSeconds": 2_592_001 }), json!({ "x": 1 })] {
        let findings = rotate(&world, &operator, &id, body.clone()).await.findings("validation_failed");
        assert_eq!(findings.len(), 1, "{body}: {findings:?}");
    }
    rotate(&world, &operator, "key_0195c0de00007000800000000000000a", json!({}))
        .await
        .problem("api_key_not_found");
    // Another tenant's admin, below their own tenant: there is no such key.
    let foreign = world.admin("other").await;
    let path = format!("/api/v1/tenants/other/api-keys/{id}/rotate");
    world.post(&path, &foreign, &json!({})).await.problem("api_key_not_found");
    rotate(&world, &key, &id, json!({})).await.problem("forbidden");
    assert_eq!(world.get(ACCOUNTS, &key).await.status, StatusCode::OK, "nothing was changed");
}

#[actix_web::test]
async fn a_repeated_request_makes_no_second_key_and_shows_the_first_one_again() {
    let world = World::new();
    world.tenant("acme");
    let operator = world.operator();
    let send = |path: String, body: Value| {
        let request = post(&path, &operator).insert_header(("Idempotency-Key", "k1")).set_json(body);
        world.send(request)
    };
    let body = json!({ "name": "Website", "scopes": ["accounts:read"] });
    let first = send(PATH.to_owned(), body.clone()).await;
    let (id, key) = parts(&first);
    let again = send(PATH.to_owned(), body.clone()).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (StatusCode::CREATED, Some("true")));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!((&again.bytes, again.header("etag")), (&first.bytes, first.header("etag")));
    send(PATH.to_owned(), json!({ "name": "Other", "scopes": ["accounts:read"] }))
        .await
        .problem("idempotency_key_reused");

    world.tenant("other");
    let elsewhere = send("/api/v1/tenants/other/api-keys".to_owned(), body.clone()).await;
    assert_eq!(elsewhere.header("idempotent-replayed"), None, "another tenant's key is another one");

    let path = format!("{PATH}/{id}/rotate");
    let rotated = send(path.clone(), json!({ "overlapSeconds": 0 })).await;
    let again = send(path.clone(), json!({ "overlapSeconds": 0 })).await;
    assert_eq!(again.json()["id"], rotated.json()["id"], "although the old key has ended");
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let listed = world.get(PATH, &operator).await;
    assert_eq!(listed.json()["items"].as_array().unwrap().len(), 2);
    assert!(!String::from_utf8_lossy(&listed.bytes).contains(&key));

    // After a day the key may be used again.
    world.test.clock.advance(TimeDelta::hours(25));
    let anew = send(PATH.to_owned(), body).await;
    assert_ne!(parts(&anew).0, id);
}

#[actix_web::test]
async fn only_the_version_that_was_meant_is_changed() {
    let world = World::new();
    world.tenant("acme");
    let operator = world.operator();
    let (id, _) = made(&world, &operator, json!({})).await;
    let path = format!("{PATH}/{id}");
    let etag = world.get(&path, &operator).await.header("etag").unwrap().to_owned();
    let delete = |etag: &str| {
        let request = TestRequest::delete().uri(&path).insert_header(("If-Match", etag));
        world.send(authorised(request, &operator))
    };
    delete("\"7\"").await.problem("precondition_failed");
    rotate(&world, &operator, &id, json!({})).await;
    delete(&etag).await.problem("precondition_failed");
    let rotate_it = post(&format!("{path}/rotate"), &operator).insert_header(("If-Match", etag.as_str()));
    world.send(rotate_it).await.problem("precondition_failed");
    let etag = world.get(&path, &operator).await.header("etag").unwrap().to_owned();
    assert_eq!(delete(&etag).await.status, StatusCode::NO_CONTENT);
}

#[actix_web::test]
async fn the_last_use_of_a_key_is_shown_once_it_is_written_down() {
    let world = World::new();
    world.tenant("acme");
    let operator = world.operator();
    let (id, key) = made(&world, &operator, json!({})).await;
    let (unused, _) = made(&world, &operator, json!({})).await;
    assert_eq!(record(&world, &operator, &id).await["lastUsedAt"], Value::Null);
    world.get(ACCOUNTS, &key).await;
    assert!(record_uses(world.platform()).unwrap() >= 1);
    let shown = record(&world, &operator, &id).await;
    let now = tenantry_domain::timestamp::to_text(world.platform().clock.now());
    assert_eq!(shown["lastUsedAt"].as_str().unwrap()[..16], now[..16], "{shown}");
    assert_eq!(record(&world, &operator, &unused).await["lastUsedAt"], Value::Null);
}

/// Three replicas that have each just seen the key work: within a second after one of them has revoked it, no one takes it
/// any more, however often it is tried.
#[actix_web::test]
async fn a_revoked_key_is_refused_by_every_replica_within_a_second() {
    let first = &World::new();
    let (second, third) = (first.replica(), first.replica());
    let tenant = first.tenant("acme");
    let operator = first.operator();
    let key = first.key(Some(tenant), &[Scope::AccountsRead]);
    for replica in [first, &second, &third] {
        assert_eq!(replica.get(ACCOUNTS, &key).await.status, StatusCode::OK);
    }
    let id = first.get(PATH, &operator).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let delete = TestRequest::delete().uri(&format!("{PATH}/{id}"));
    assert_eq!(first.send(authorised(delete, &operator)).await.status, StatusCode::NO_CONTENT);
    let revoked = Instant::now();
    first.get(ACCOUNTS, &key).await.problem("invalid_token");
    let (mut refused, mut asked) = ([false; 2], 0);
    while refused != [true; 2] {
        for (place, replica) in [&second, &third].into_iter().enumerate() {
            let sent = revoked.elapsed();
            let status = replica.get(ACCOUNTS, &key).await.status;
            asked += 1;
            if status == StatusCode::UNAUTHORIZED {
                refused[place] = true;
            } else {
                assert!(sent < Duration::from_secs(1), "still taken {sent:?} after it was revoked");
                assert!(!refused[place], "refused once, and then taken");
            }
        }
    }
    assert!(asked > 2, "they had it in mind, or this shows nothing");
}
