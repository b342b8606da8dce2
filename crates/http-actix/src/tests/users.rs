//! What admins do with users.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::people::Browser;
use super::{Reply, World, authorised, pairs, post};

fn world() -> World {
    let world = World::new();
    world.tenant_with_admin("acme");
    world
}

/// The example of source 003, section 5.
fn john() -> Value {
    json!({
        "email": "john.doe@acme.com",
        "username": "johndoe",
        "password": "SecurePassword123!",
        "firstName": "John",
        "lastName": "Doe",
        "role": "USER"
    })
}

const REGISTER: &str = "/api/v1/acme/auth/register";

async fn patch(world: &World, credential: &str, id: &str, tag: Option<&str>, body: Value) -> Reply {
    let uri = format!("/api/v1/acme/users/{id}");
    let request = authorised(TestRequest::patch().uri(&uri), credential).set_json(body);
    let request = match tag {
        Some(tag) => request.insert_header(("If-Match", tag)),
        None => request,
    };
    world.send(request).await
}

#[actix_web::test]
async fn registering_answers_as_the_source_does() {
    let world = world();
    let tenant = world.get("/api/v1/tenants/acme", &world.operator()).await.json();
    let admin = world.admin("acme").await;
    let reply = world.post(REGISTER, &admin, &john()).await;
    assert_eq!((reply.status, reply.header("cache-control")), (StatusCode::CREATED, Some("no-store")));
    let mut body = reply.json();
    let id = body["user"]["id"].as_str().unwrap().to_owned();
    assert_eq!(reply.header("location"), Some(format!("/api/v1/acme/users/{id}").as_str()));
    assert!(!body["accessToken"].take().as_str().unwrap().is_empty());
    assert_eq!(
        body,
        json!({
            "accessToken": null,
            "user": {
                "id": id,
                "email": "john.doe@acme.com",
                "username": "johndoe",
                "firstName": "John",
                "lastName": "Doe",
                "role": "USER",
                "abilities": [
                    {
                        "actions": ["create", "read", "update"],
                        "subjects": ["Tender"],
                        "conditions": { "creatorId": "{{userId}}" }
                    },
                    { "actions": ["read", "score"], "subjects": ["Bid"] }
                ],
                "tenantId": tenant["id"]
            }
        })
    );
    let read = world.get(&format!("/api/v1/acme/users/{id}"), &admin).await;
    assert_eq!((read.status, read.header("etag")), (StatusCode::OK, Some("\"1\"")));
    assert_eq!((&read.json()["active"], &read.json()["verified"]), (&json!(true), &json!(true)));
}

#[actix_web::test]
async fn what_is_left_out_has_the_sources_defaults_and_what_is_wrong_is_told_at_once() {
    let world = world();
    let admin = world.admin("acme").await;
    let least = json!({ "email": "jane@acme.com", "password": "SecurePassword123!" });
    let user = world.post(REGISTER, &admin, &least).await.json()["user"].take();
    assert_eq!((&user["username"], &user["role"]), (&json!("jane"), &json!("USER")));
    let given = json!({
        "email": "ann@acme.com",
        "password": "SecurePassword123!",
        "role": "VENDOR",
        "abilities": [{ "actions": ["read"], "subjects": ["Report"] }]
    });
    let user = world.post(REGISTER, &admin, &given).await.json()["user"].take();
    assert_eq!(user["abilities"], json!([{ "actions": ["read"], "subjects": ["Report"] }]));
    let wrong = json!({
        "email": "x@", "username": "ab", "password": 7, "role": "BOSS", "tenantId": "ten_1", "active": true
    });
    assert_eq!(
        world.post(REGISTER, &admin, &wrong).await.findings("validation_failed"),
        pairs(&[
            ("/active", "unknown_member"),
            ("/email", "too_short"),
            ("/password", "wrong_type"),
            ("/role", "invalid_role"),
            ("/tenantId", "unknown_member"),
            ("/username", "too_short"),
        ])
    );
    let weak = json!({ "email": "weak@acme.com", "password": "1234567" });
    let findings = world.post(REGISTER, &admin, &weak).await.findings("validation_failed");
    assert_eq!(findings, pairs(&[("/password", "too_short"), ("/password", "common_password")]));
}

#[actix_web::test]
async fn an_address_or_a_username_that_is_taken_is_a_conflict() {
    let world = world();
    let admin = world.admin("acme").await;
    world.post(REGISTER, &admin, &john()).await;
    let mut same_email = john();
    (same_email["email"], same_email["username"]) = (json!("JOHN.DOE@ACME.COM"), json!("other"));
    let mut same_name = john();
    same_name["email"] = json!("other@acme.com");
    for (body, code) in [(same_email, "email_taken"), (same_name, "username_taken")] {
        let reply = world.post(REGISTER, &admin, &body).await;
        assert_eq!(reply.status, StatusCode::CONFLICT);
        reply.problem(code);
    }
}

#[actix_web::test]
async fn a_repeated_registration_gets_the_first_answer_byte_for_byte() {
    let world = world();
    let admin = world.admin("acme").await;
    let send =
        |body: Value| post(REGISTER, &admin).insert_header(("Idempotency-Key", "reg-1")).set_json(body);
    let first = world.send(send(john())).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (StatusCode::CREATED, None));
    world.test.clock.advance(chrono::TimeDelta::seconds(5));
    let again = world.send(send(john())).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (StatusCode::CREATED, Some("true")));
    assert_eq!((&again.bytes, again.header("location")), (&first.bytes, first.header("location")));
    let mut other = john();
    other["password"] = json!("AnotherPassword123!");
    world.send(send(other)).await.problem("idempotency_key_reused");
}

#[actix_web::test]
async fn users_are_listed_filtered_and_paged() {
    let world = world();
    let admin = world.admin("acme").await;
    for (name, role) in [("ann", "USER"), ("ben", "VENDOR"), ("carl", "USER")] {
        let body =
            json!({ "email": format!("{name}@acme.com"), "password": "SecurePassword123!", "role": role });
        assert_eq!(world.post(REGISTER, &admin, &body).await.status, StatusCode::CREATED);
    }
    let list = async |query: &str| {
        let page = world.get(&format!("/api/v1/acme/users{query}"), &admin).await.json();
        let items = page["items"].as_array().unwrap().iter();
        let names: Vec<_> = items.map(|user| user["username"].as_str().unwrap().to_owned()).collect();
        (names, page["nextCursor"].as_str().map(str::to_owned))
    };
    assert_eq!(list("").await, (["carl", "ben", "ann", "admin"].map(str::to_owned).to_vec(), None));
    assert_eq!(list("?role=USER").await.0, ["carl", "ann"]);
    assert_eq!(list("?role=USER&q=AR").await.0, ["carl"]);
    assert_eq!(list("?active=false").await.0, [""; 0]);
    let (first, cursor) = list("?role=USER&limit=1").await;
    let cursor = cursor.unwrap();
    assert_eq!(first, ["carl"]);
    assert_eq!(list(&format!("?role=USER&limit=1&cursor={cursor}")).await.0, ["ann"]);
    let elsewhere = world.get(&format!("/api/v1/acme/users?role=VENDOR&cursor={cursor}"), &admin).await;
    elsewhere.problem("invalid_cursor");
    let wrong = world.get("/api/v1/acme/users?role=boss&active=maybe&name=x", &admin).await;
    assert_eq!(
        wrong.findings("invalid_parameter"),
        pairs(&[("/role", "invalid_value"), ("/active", "invalid_value"), ("/name", "unknown_parameter")])
    );
}

#[actix_web::test]
async fn a_user_is_changed_as_the_caller_has_seen_them() {
    let world = world();
    let admin = world.admin("acme").await;
    let user = world.post(REGISTER, &admin, &john()).await.json();
    let (id, token) = (user["user"]["id"].as_str().unwrap(), user["accessToken"].as_str().unwrap());
    let change = json!({ "lastName": null, "role": "VENDOR" });
    let reply = patch(&world, &admin, id, Some("\"1\""), change.clone()).await;
    assert_eq!((reply.status, reply.header("etag")), (StatusCode::OK, Some("\"2\"")));
    let changed = reply.json();
    assert_eq!((&changed["role"], changed.get("lastName")), (&json!("VENDOR"), None));
    assert_eq!(changed["abilities"][0]["conditions"]["status"], "published", "those of the new role");
    let stale = patch(&world, &admin, id, Some("\"1\""), change).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(world.get("/api/v1/acme/auth/me", token).await.json()["role"], "VENDOR");
    let disabled = patch(&world, &admin, id, None, json!({ "active": false })).await;
    assert_eq!(disabled.json()["active"], false);
    world.get("/api/v1/acme/auth/me", token).await.problem("invalid_token");
    let mut browser = Browser::new(&world);
    browser.login("john.doe@acme.com", "SecurePassword123!").await.problem("invalid_credentials");
    for unknown in ["usr_0195c0de00007000800000000000000a", "x"] {
        let reply = patch(&world, &admin, unknown, None, json!({})).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
        reply.problem("user_not_found");
    }
    let wrong =
        patch(&world, &admin, id, None, json!({ "role": "x", "active": null, "email": "a@b.io" })).await;
    assert_eq!(
        wrong.findings("validation_failed"),
        pairs(&[("/active", "wrong_type"), ("/email", "unknown_member"), ("/role", "invalid_role")])
    );
}

#[actix_web::test]
async fn a_demoted_admin_is_one_no_more_at_once_and_the_last_one_stays() {
    let world = world();
    let admin = world.admin("acme").await;
    let me = world.get("/api/v1/acme/auth/me", &admin).await.json()["id"].as_str().unwrap().to_owned();
    for change in [json!({ "active": false }), json!({ "role": "USER" })] {
        let refused = patch(&world, &admin, &me, None, change).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        refused.problem("last_admin");
    }
    let mut second = john();
    second["role"] = json!("ADMIN");
    world.post(REGISTER, &admin, &second).await;
    let reply = patch(&world, &admin, &me, None, json!({ "role": "USER" })).await;
    assert_eq!(reply.status, StatusCode::OK);
    world.get("/api/v1/acme/users", &admin).await.problem("forbidden");
    assert_eq!(world.get("/api/v1/acme/auth/me", &admin).await.json()["role"], "USER");
}

#[actix_web::test]
async fn an_admin_sees_and_ends_a_users_sessions() {
    let world = world();
    let admin = world.admin("acme").await;
    let user = world.post(REGISTER, &admin, &john()).await.json()["user"].take();
    let mut browser = Browser::new(&world);
    browser.login("john.doe@acme.com", "SecurePassword123!").await;
    let path = format!("/api/v1/acme/users/{}/sessions", user["id"].as_str().unwrap());
    let items = world.get(&path, &admin).await.json()["items"].take();
    assert_eq!(items.as_array().unwrap().len(), 2, "that of the registration, too: {items}");
    assert_eq!((&items[0]["userId"], &items[0]["current"]), (&user["id"], &json!(false)));
    let end = format!("{path}/{}", items[0]["id"].as_str().unwrap());
    world.get(&path, &browser.access).await.problem("forbidden");
    let delete = || authorised(TestRequest::delete().uri(&end), &admin);
    assert_eq!(world.send(delete()).await.status, StatusCode::NO_CONTENT);
    world.get("/api/v1/acme/auth/me", &browser.access).await.problem("invalid_token");
    let nobody = "/api/v1/acme/users/usr_0195c0de00007000800000000000000a/sessions";
    world.get(nobody, &admin).await.problem("user_not_found");
}

#[actix_web::test]
async fn an_admin_signs_a_user_out_everywhere() {
    let world = world();
    let admin = world.admin("acme").await;
    let user = world.post(REGISTER, &admin, &john()).await.json();
    let mut browser = Browser::new(&world);
    browser.login("john.doe@acme.com", "SecurePassword123!").await;
    let path = format!("/api/v1/acme/users/{}/sessions", user["user"]["id"].as_str().unwrap());
    let end = |path: &str, credential: &str| authorised(TestRequest::delete().uri(path), credential);
    world.send(end(&path, &browser.access)).await.problem("forbidden");
    for token in [&browser.access, user["accessToken"].as_str().unwrap()] {
        assert_eq!(world.get("/api/v1/acme/auth/me", token).await.status, StatusCode::OK);
    }
    for _ in 0..2 {
        let reply = world.send(end(&path, &admin)).await;
        assert_eq!((reply.status, reply.bytes.len()), (StatusCode::NO_CONTENT, 0), "again is as good");
    }
    for token in [&browser.access, user["accessToken"].as_str().unwrap()] {
        world.get("/api/v1/acme/auth/me", token).await.problem("invalid_token");
    }
    browser.refresh().await.problem("invalid_refresh_token");
    assert_eq!(world.get(&path, &admin).await.json()["items"], json!([]));
    let again = browser.login("john.doe@acme.com", "SecurePassword123!").await;
    assert_eq!(again.status, StatusCode::OK, "they were signed out, not disabled");
    for nobody in ["usr_0195c0de00007000800000000000000a", "x"] {
        let path = format!("/api/v1/acme/users/{nobody}/sessions");
        world.send(end(&path, &admin)).await.problem("user_not_found");
    }
}

#[actix_web::test]
async fn the_role_configuration_is_the_sources_to_the_letter() {
    let world = world();
    let reply = world.get("/api/v1/acme/auth/roles/config", &world.admin("acme").await).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(
        reply.json(),
        json!({
            "roles": [
                { "role": "ADMIN", "permissions": ["*"], "description": "System administrator with full access" },
                {
                    "role": "USER",
                    "permissions": ["read:tenders", "create:tenders", "score:bids"],
                    "description": "Internal user who can create tenders and score bids"
                },
                {
                    "role": "VENDOR",
                    "permissions": ["read:own", "create:bids", "submit:bids"],
                    "description": "External vendor who can submit bids"
                }
            ]
        })
    );
}
