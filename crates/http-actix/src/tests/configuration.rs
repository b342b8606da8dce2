//! Basis and processes: source 003, section 3, and what follows from it.

use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::walls::tenant_of;
use super::{Reply, World, authorised, get, pairs, post};

const BASIS: &str = "/api/v1/acme/config/basis";
const PROCESSES: &str = "/api/v1/acme/config/processes";

/// The request of source 003, section 3.
fn source() -> Value {
    json!({
        "tenantConfig": {
            "orgStructure": { "levels": 2, "notes": "CompanyCode > PurchasingGroup" },
            "businessVariants": [{ "name": "Default", "code": "DEF" }]
        },
        "processConfig": process("Standard Tender")
    })
}

fn process(name: &str) -> Value {
    json!({
        "name": name,
        "processType": "TENDER",
        "steps": [
            { "stepName": "Draft", "requiredRole": "BUYER" },
            { "stepName": "Publish", "requiredRole": "ADMIN" },
            { "stepName": "Score", "requiredRole": "BUYER" },
            { "stepName": "Award", "requiredRole": "ADMIN" }
        ]
    })
}

async fn world() -> (World, String) {
    let world = World::new();
    world.tenant_with_admin("acme");
    let admin = world.admin("acme").await;
    (world, admin)
}

/// Sends a body, if there is one, and an `If-Match`, if there is one.
async fn send(world: &World, method: Method, path: &str, by: &str, body: Option<Value>, tag: &str) -> Reply {
    let request = authorised(TestRequest::default().method(method).uri(path), by);
    let request = if tag.is_empty() { request } else { request.insert_header(("If-Match", tag)) };
    world.send(if let Some(body) = body { request.set_json(body) } else { request }).await
}

async fn add(world: &World, admin: &str, name: &str) -> String {
    let reply = world.post(BASIS, admin, &json!({ "processConfig": process(name) })).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.bytes);
    let id = reply.json()["processConfig"]["id"].as_str().unwrap().to_owned();
    format!("{PROCESSES}/{id}")
}

#[actix_web::test]
async fn configuring_answers_as_the_source_does() {
    let (world, admin) = world().await;
    let tenant = tenant_of(&world, "acme").to_string();
    let reply = world.post(BASIS, &admin, &source()).await;
    assert_eq!((reply.status, reply.header("etag")), (StatusCode::OK, Some("\"1\"")));
    let answer = reply.json();
    let mut expected = source();
    for (member, prefix) in [("tenantConfig", "tc_"), ("processConfig", "pc_")] {
        let told = &answer[member];
        assert!(told["id"].as_str().unwrap().starts_with(prefix), "{told}");
        let at = told["createdAt"].as_str().unwrap();
        assert!(at.len() == 24 && at.ends_with('Z'), "{at}");
        expected[member]["id"] = told["id"].clone();
        expected[member]["tenantId"] = json!(tenant);
        expected[member]["createdAt"] = json!(at);
        expected[member]["updatedAt"] = json!(at);
    }
    assert_eq!(answer, expected);
    let read = world.get(BASIS, &admin).await;
    assert_eq!(read.json(), json!({ "tenantConfig": expected["tenantConfig"] }));
    let path = format!("{PROCESSES}/{}", expected["processConfig"]["id"].as_str().unwrap());
    assert_eq!(world.get(&path, &admin).await.json(), expected["processConfig"]);
}

#[actix_web::test]
async fn what_is_sent_again_changes_nothing_and_what_is_different_does() {
    let (world, admin) = world().await;
    let first = world.post(BASIS, &admin, &source()).await;
    world.test.clock.advance(TimeDelta::seconds(5));
    let again = post(BASIS, &admin).insert_header(("Idempotency-Key", "k")).set_json(source());
    assert_eq!(world.send(again).await.bytes, first.bytes);
    let history = world.get(&format!("{BASIS}/history"), &admin).await.json();
    assert_eq!(history["items"].as_array().unwrap().len(), 1);
    let mut other = source();
    other["processConfig"]["steps"].as_array_mut().unwrap().pop();
    let third = world.post(BASIS, &admin, &other).await.json();
    let first = first.json();
    assert_eq!(third["tenantConfig"], first["tenantConfig"]);
    let (before, after) = (&first["processConfig"], &third["processConfig"]);
    assert_eq!((&before["id"], &before["createdAt"]), (&after["id"], &after["createdAt"]));
    assert_ne!(before["updatedAt"], after["updatedAt"]);
    assert_eq!(after["steps"].as_array().unwrap().len(), 3);
}

#[actix_web::test]
async fn the_organisation_is_kept_to_the_letter() {
    let (world, admin) = world().await;
    let structure = r#"{"z":1.10,"a":[12345678901234567890123,1E2],"e":"\u00e9\u0000","n":{"b":1,"a":null}}"#;
    let body = format!(r#"{{ "tenantConfig": {{ "orgStructure": {structure} }} }}"#);
    let request = post(BASIS, &admin).insert_header(("Content-Type", "application/json")).set_payload(body);
    let reply = world.send(request).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.bytes);
    for reply in [reply, world.get(BASIS, &admin).await] {
        let text = String::from_utf8(reply.bytes.to_vec()).unwrap();
        assert!(text.contains(&format!(r#""orgStructure":{structure},"businessVariants":[]"#)), "{text}");
    }
}

#[actix_web::test]
async fn one_of_both_is_enough_and_what_is_left_out_stays() {
    let (world, admin) = world().await;
    world.get(BASIS, &admin).await.problem("basis_not_found");
    let only_process = world.post(BASIS, &admin, &json!({ "processConfig": process("one") })).await;
    assert_eq!((only_process.header("etag"), only_process.json().get("tenantConfig")), (None, None));
    world.get(BASIS, &admin).await.problem("basis_not_found");
    let variants = json!([{ "name": "Default", "code": "DEF" }]);
    let basis = json!({ "tenantConfig": { "businessVariants": variants }, "processConfig": null });
    let only_basis = world.post(BASIS, &admin, &basis).await.json();
    assert_eq!(only_basis.get("processConfig"), None);
    assert_eq!(only_basis["tenantConfig"]["orgStructure"], json!({}));
    let body = json!({ "tenantConfig": { "orgStructure": { "levels": 3 } } });
    let changed = world.post(BASIS, &admin, &body).await.json();
    assert_eq!(changed["tenantConfig"]["businessVariants"], variants);
    let neither = world.post(BASIS, &admin, &json!({})).await;
    assert_eq!(neither.status, StatusCode::BAD_REQUEST);
    let expected = pairs(&[("/tenantConfig", "one_of_required"), ("/processConfig", "one_of_required")]);
    assert_eq!(neither.findings("validation_failed"), expected);
}

#[actix_web::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let (world, admin) = world().await;
    let wrong = json!({
        "tenantConfig": {
            "orgStructure": [], "businessVariants": [{ "name": "Default" }, { "name": " ", "code": "x", "colour": 1 }]
        },
        "processConfig": { "name": "", "processType": 5, "steps": [{ "stepName": "Draft" }], "id": "pc_1" },
        "surprise": true
    });
    let reply = world.post(BASIS, &admin, &wrong).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    let pointers: Vec<_> = reply.findings("validation_failed").into_iter().map(|(at, _)| at).collect();
    for expected in [
        "/tenantConfig/orgStructure",
        "/tenantConfig/businessVariants/0/code",
        "/tenantConfig/businessVariants/1/name",
        "/tenantConfig/businessVariants/1/colour",
        "/processConfig/name",
        "/processConfig/processType",
        "/processConfig/steps/0/requiredRole",
        "/processConfig/id",
        "/surprise",
    ] {
        assert!(pointers.iter().any(|pointer| pointer == expected), "{expected} in {pointers:?}");
    }
    let mut twice = source();
    twice["tenantConfig"]["businessVariants"] =
        json!([{ "name": "a", "code": "DEF" }, { "name": "b", "code": "DEF" }]);
    twice["processConfig"]["steps"][3]["stepName"] = json!("Draft");
    assert_eq!(
        world.post(BASIS, &admin, &twice).await.findings("validation_failed"),
        pairs(&[
            ("/tenantConfig/businessVariants/1/code", "duplicate_code"),
            ("/processConfig/steps/3/stepName", "duplicate_step"),
        ])
    );
    world.get(BASIS, &admin).await.problem("basis_not_found");
    let path = add(&world, &admin, "one").await;
    let empty = json!({ "name": "one", "processType": "TENDER", "steps": [] });
    let reply = send(&world, Method::PUT, &path, &admin, Some(empty), "").await;
    assert_eq!(reply.findings("validation_failed"), pairs(&[("/steps", "too_few")]));
}

#[actix_web::test]
async fn who_saw_something_older_is_told_so() {
    let (world, admin) = world().await;
    let early = send(&world, Method::POST, BASIS, &admin, Some(source()), "\"1\"").await;
    early.problem("precondition_failed");
    world.post(BASIS, &admin, &source()).await;
    let mut other = source();
    other["tenantConfig"]["orgStructure"] = json!({ "levels": 3 });
    let changed = send(&world, Method::POST, BASIS, &admin, Some(other.clone()), "\"1\"").await;
    assert_eq!((changed.status, changed.header("etag")), (StatusCode::OK, Some("\"2\"")));
    let stale = send(&world, Method::POST, BASIS, &admin, Some(other), "\"1\"").await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    let restore = format!("{BASIS}/restore");
    let stale = send(&world, Method::POST, &restore, &admin, Some(json!({ "version": 1 })), "\"1\"").await;
    stale.problem("precondition_failed");
    let unchanged = world.send(get(BASIS, &admin).insert_header(("If-None-Match", "\"2\""))).await;
    assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);
    let path = add(&world, &admin, "one").await;
    for (method, body) in [(Method::PUT, Some(process("two"))), (Method::DELETE, None)] {
        send(&world, method, &path, &admin, body, "\"2\"").await.problem("precondition_failed");
    }
    let put = send(&world, Method::PUT, &path, &admin, Some(process("two")), "\"1\"").await;
    assert_eq!((put.status, put.header("etag")), (StatusCode::OK, Some("\"2\"")));
    let gone = send(&world, Method::DELETE, &path, &admin, None, "\"2\"").await;
    assert_eq!((gone.status, gone.bytes.len()), (StatusCode::NO_CONTENT, 0));
    world.get(&path, &admin).await.problem("process_not_found");
    send(&world, Method::DELETE, &path, &admin, None, "").await.problem("process_not_found");
}

#[actix_web::test]
async fn a_process_cannot_be_called_like_another_of_its_type() {
    let (world, admin) = world().await;
    add(&world, &admin, "one").await;
    let path = add(&world, &admin, "two").await;
    let taken = send(&world, Method::PUT, &path, &admin, Some(process("one")), "").await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    let told = taken.problem("process_name_taken")["detail"].as_str().unwrap().to_owned();
    assert!(told.contains("'TENDER'") && told.contains("'one'"), "{told}");
    let mut auction = process("one");
    auction["processType"] = json!("AUCTION");
    let renamed = send(&world, Method::PUT, &path, &admin, Some(auction), "").await;
    assert_eq!(renamed.json()["processType"], "AUCTION");
}

#[actix_web::test]
async fn processes_are_listed_filtered_and_paged() {
    let (world, admin) = world().await;
    for name in ["one", "two", "three"] {
        add(&world, &admin, name).await;
    }
    let list = async |query: &str| {
        let page = world.get(&format!("{PROCESSES}{query}"), &admin).await.json();
        let names =
            page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), page["nextCursor"].as_str().map(str::to_owned))
    };
    assert_eq!(
        list("?processType=TENDER").await,
        (["three", "two", "one"].map(str::to_owned).to_vec(), None)
    );
    assert_eq!(list("?processType=tender").await.0, [""; 0]);
    let (first, cursor) = list("?limit=2").await;
    assert_eq!(first, ["three", "two"]);
    let cursor = cursor.unwrap();
    assert_eq!(list(&format!("?limit=2&cursor={cursor}")).await, (vec!["one".to_owned()], None));
    let filtered = world.get(&format!("{PROCESSES}?processType=TENDER&cursor={cursor}"), &admin).await;
    filtered.problem("invalid_cursor");
    world.get(&format!("{PROCESSES}?processType="), &admin).await.problem("invalid_parameter");
}

#[actix_web::test]
async fn every_change_is_in_the_history_and_can_be_taken_back() {
    let (world, admin) = world().await;
    for levels in 1..=3 {
        world.test.clock.advance(TimeDelta::seconds(1));
        let body = json!({ "tenantConfig": { "orgStructure": { "levels": levels } } });
        world.post(BASIS, &admin, &body).await;
    }
    let me = world.get("/api/v1/acme/auth/me", &admin).await.json()["id"].clone();
    let history = async |query: &str| world.get(&format!("{BASIS}/history{query}"), &admin).await.json();
    let first = history("?limit=2").await;
    let items = first["items"].as_array().unwrap();
    let said = |levels: i64| json!({ "orgStructure": { "levels": levels }, "businessVariants": [] });
    assert_eq!(items.len(), 2);
    let change = &items[0];
    assert_eq!((&change["version"], &change["changedBy"]), (&json!(3), &me));
    assert_eq!((&change["before"], &change["after"]), (&said(2), &said(3)));
    let rest = history(&format!("?limit=2&cursor={}", first["nextCursor"].as_str().unwrap())).await;
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["nextCursor"]), (1, &Value::Null));
    assert_eq!((&rest["items"][0]["before"], &rest["items"][0]["after"]), (&Value::Null, &said(1)));
    let restore = async |version: i64| {
        world.post(&format!("{BASIS}/restore"), &admin, &json!({ "version": version })).await
    };
    let restored = restore(1).await;
    assert_eq!((restored.status, restored.header("etag")), (StatusCode::OK, Some("\"4\"")));
    assert_eq!(restored.json()["tenantConfig"]["orgStructure"], json!({ "levels": 1 }));
    for missing in [0, 5] {
        let refused = restore(missing).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        refused.problem("unknown_version");
    }
    assert_eq!(history("").await["items"].as_array().unwrap().len(), 4);
}

#[actix_web::test]
async fn a_removed_process_keeps_its_history_and_comes_back() {
    let (world, admin) = world().await;
    let path = add(&world, &admin, "one").await;
    let first = world.get(&path, &admin).await.json();
    send(&world, Method::DELETE, &path, &admin, None, "").await;
    let history = world.get(&format!("{path}/history"), &admin).await.json();
    let items = history["items"].as_array().unwrap();
    assert_eq!((&items[0]["after"], &items[0]["before"]["name"]), (&Value::Null, &json!("one")));
    let restore = async || world.post(&format!("{path}/restore"), &admin, &json!({ "version": 1 })).await;
    let restored = restore().await;
    assert_eq!((restored.header("etag"), &restored.json()["steps"]), (Some("\"3\""), &first["steps"]));
    assert_eq!(restored.json()["createdAt"], first["createdAt"]);
    send(&world, Method::DELETE, &path, &admin, None, "").await;
    add(&world, &admin, "one").await;
    restore().await.problem("process_name_taken");
    let unknown = format!("{PROCESSES}/pc_0195c0de00007000800000000000000a");
    for path in [unknown.clone(), format!("{unknown}/history"), format!("{PROCESSES}/x/history")] {
        world.get(&path, &admin).await.problem("process_not_found");
    }
}

#[actix_web::test]
async fn users_read_and_vendors_see_nothing() {
    let (world, admin) = world().await;
    let path = add(&world, &admin, "one").await;
    world.post(BASIS, &admin, &source()).await;
    let person = async |role: &str| {
        let body =
            json!({ "email": format!("{role}@acme.com"), "password": "SecurePassword123!", "role": role });
        let reply = world.post("/api/v1/acme/auth/register", &admin, &body).await;
        reply.json()["accessToken"].as_str().unwrap().to_owned()
    };
    let (user, vendor) = (person("USER").await, person("VENDOR").await);
    for path in [BASIS.to_owned(), format!("{BASIS}/history"), PROCESSES.to_owned(), path.clone()] {
        assert_eq!(world.get(&path, &user).await.status, StatusCode::OK, "{path}");
        assert_eq!(world.get(&path, &world.operator()).await.status, StatusCode::OK, "{path}");
        let refused = world.get(&path, &vendor).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
        refused.problem("forbidden");
    }
    for caller in [&user, &vendor] {
        assert_eq!(world.post(BASIS, caller, &source()).await.status, StatusCode::FORBIDDEN);
        send(&world, Method::DELETE, &path, caller, None, "").await.problem("forbidden");
    }
}
