//! A tenant's API keys.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::json;

use super::{World, authorised, pairs};

const PATH: &str = "/api/v1/tenants/acme/api-keys";

#[actix_web::test]
async fn a_key_is_shown_once_works_and_stops_working_when_revoked() {
    let world = World::new();
    let tenant = world.tenant("acme");
    let operator = world.operator();
    let body = json!({ "name": "Website", "scopes": ["accounts:read"], "expiresAt": "2027-01-01T00:00:00Z" });
    let made = world.post(PATH, &operator, &body).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let made_body = made.json();
    let (id, key) = (made_body["id"].as_str().unwrap(), made_body["key"].as_str().unwrap());
    assert!(id.starts_with("key_") && key.starts_with(made_body["prefix"].as_str().unwrap()), "{made_body}");
    assert_eq!(made_body["expiresAt"], "2027-01-01T00:00:00.000Z");
    assert_eq!(made.header("location").unwrap(), format!("{PATH}/{id}"));

    let accounts = "/api/v1/tenants/acme/accounts";
    assert_eq!(world.get(accounts, key).await.status, StatusCode::OK);
    assert_eq!(
        world.send(TestRequest::get().uri(accounts).insert_header(("X-API-Key", key))).await.status,
        StatusCode::OK
    );

    let listed = world.get(&format!("/api/v1/tenants/{tenant}/api-keys"), &operator).await;
    assert!(!String::from_utf8_lossy(&listed.bytes).contains(key));
    let listed = listed.json();
    assert_eq!(listed["items"][0]["id"], id);
    assert_eq!(listed["items"][0]["scopes"], json!(["accounts:read"]));
    assert_eq!(listed["nextCursor"], json!(null));

    let delete = || authorised(TestRequest::delete().uri(&format!("{PATH}/{id}")), &operator);
    let revoked = world.send(delete()).await;
    assert_eq!((revoked.status, revoked.bytes.len()), (StatusCode::NO_CONTENT, 0));
    world.get(accounts, key).await.problem("invalid_token");
    assert_eq!(world.send(delete()).await.status, StatusCode::NO_CONTENT, "once more changes nothing");
    for unknown in ["key_0195c0de00007000800000000000000a", "x"] {
        let path = format!("{PATH}/{unknown}");
        world
            .send(authorised(TestRequest::delete().uri(&path), &operator))
            .await
            .problem("api_key_not_found");
    }
}

#[actix_web::test]
async fn a_tenants_admin_manages_its_keys_and_nobody_elses() {
    let world = World::new();
    world.tenant_with_admin("acme");
    world.tenant_with_admin("other");
    let (admin, foreign) = (world.admin("acme").await, world.admin("other").await);
    let body = json!({ "name": "Website", "scopes": ["accounts:read"] });
    let made = world.post(PATH, &admin, &body).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    world.post(PATH, &foreign, &body).await.problem("wrong_tenant");
    // The id of another tenant's key does not exist, even below one's own tenant.
    let path = format!("/api/v1/tenants/other/api-keys/{id}");
    world.send(authorised(TestRequest::delete().uri(&path), &foreign)).await.problem("api_key_not_found");
    let path = format!("{PATH}/{id}");
    assert_eq!(
        world.send(authorised(TestRequest::delete().uri(&path), &admin)).await.status,
        StatusCode::NO_CONTENT
    );
}

#[actix_web::test]
async fn machines_do_not_manage_keys() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    let reply = world.post(PATH, &key, &json!({ "name": "x", "scopes": ["accounts:read"] })).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    reply.problem("forbidden");
}

#[actix_web::test]
async fn what_is_no_wish_for_a_key_is_refused() {
    let world = World::new();
    world.tenant("acme");
    let operator = world.operator();
    let body = json!({ "name": "", "scopes": ["accounts:fly"], "expiresAt": "tomorrow" });
    let findings = world.post(PATH, &operator, &body).await.findings("validation_failed");
    let pointers: Vec<_> = findings.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/expiresAt", "/name", "/scopes/0"], "{findings:?}");
    let unprintable = json!({ "name": "a\0b", "scopes": ["accounts:read"] });
    let findings = world.post(PATH, &operator, &unprintable).await.findings("validation_failed");
    assert_eq!(findings, pairs(&[("/name", "invalid_name")]));
    let past = json!({ "name": "x", "scopes": ["accounts:read"], "expiresAt": "2020-01-01T00:00:00Z" });
    let findings = world.post(PATH, &operator, &past).await.findings("validation_failed");
    assert_eq!(findings, pairs(&[("/expiresAt", "in_the_past")]));
}

#[actix_web::test]
async fn keys_are_paged_in_order() {
    let world = World::new();
    let tenant = world.tenant("acme");
    let operator = world.operator();
    for _ in 0..5 {
        world.key(Some(tenant), &[tenantry_ports::Scope::AccountsRead]);
    }
    let whole = world.get(PATH, &operator).await.json();
    let mut paged = Vec::new();
    let mut path = format!("{PATH}?limit=2");
    loop {
        let page = world.get(&path, &operator).await.json();
        paged.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["nextCursor"].as_str() else {
            break;
        };
        path = format!("{PATH}?limit=2&cursor={cursor}");
    }
    assert_eq!(json!(paged), whole["items"]);
    assert_eq!(paged.len(), 5);
}
