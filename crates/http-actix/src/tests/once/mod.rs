//! Requests that come again: every operation that creates something, sent in every way that a retry can take.
//!
//! [`table`] has a row of each; an operation that is missing there fails the tests.

mod table;

use std::collections::BTreeSet;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Reply, World, post};
use crate::{Access, HttpSettings};
use table::{OTHERS, PARTICULAR, ROWS, Row, Scene, Who};

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

impl Scene {
    async fn send(&self, row: &Row, headers: &[(&str, &str)], body: &Value) -> Reply {
        self.send_as(&self.credential(row), row, headers, body).await
    }

    async fn send_as(&self, credential: &str, row: &Row, headers: &[(&str, &str)], body: &Value) -> Reply {
        let request = post(&self.path(row), credential).set_json(body);
        let request = headers.iter().fold(request, |request, header| request.append_header(*header));
        self.world.send(request).await
    }
}

fn replayed(reply: &Reply) -> bool {
    reply.header("idempotent-replayed") == Some("true")
}

#[track_caller]
fn assert_first(row: &Row, reply: &Reply) {
    assert_eq!(
        (reply.status.as_u16(), replayed(reply)),
        (row.status, false),
        "{}: {:?}",
        row.operation,
        reply.bytes
    );
}

#[track_caller]
fn assert_again(row: &Row, reply: &Reply, first: &Reply) {
    assert!(replayed(reply), "{}: {} {:?}", row.operation, reply.status, reply.bytes);
    assert_eq!((reply.status, &reply.bytes), (first.status, &first.bytes), "{}", row.operation);
    for header in ["location", "content-type", "etag"] {
        assert_eq!(reply.header(header), first.header(header), "{header} of {}", row.operation);
    }
}

/// Every POST of the document is in the table or in the list of the others, and says whether it can be repeated.
#[test]
fn every_operation_that_creates_takes_a_key() {
    let document = crate::openapi(&HttpSettings::default(), Access::Open);
    let mut posts = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        let Some(operation) = item.get("post") else { continue };
        let id = operation["operationId"].as_str().unwrap();
        let id = id.strip_suffix("AtRoot").unwrap_or(id);
        posts.insert(id.to_owned());
        let named = |name: &str| {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            parameters.into_iter().any(|parameter| parameter["name"] == name && parameter["in"] == "header")
        };
        let in_table = ROWS.iter().any(|row| row.operation == id) || PARTICULAR.contains(&id);
        let creates = operation["responses"]["201"].is_object();
        assert!(in_table || OTHERS.contains(&id), "{id} has no row in tests/once/table.rs");
        assert_eq!((named("Idempotency-Key"), named("requestId")), (in_table, in_table), "{id}");
        assert!(in_table || !creates, "{id} creates something, and cannot be repeated");
    }
    let known: BTreeSet<_> =
        ROWS.iter().map(|row| row.operation).chain(PARTICULAR).chain(OTHERS).map(str::to_owned).collect();
    assert_eq!(posts, known);
}

#[actix_web::test]
async fn a_request_that_comes_again_in_whatever_spelling_gets_the_first_answer_byte_for_byte() {
    for row in &ROWS {
        let scene = Scene::new().await;
        let body = (row.body)();
        let first = scene.send(row, &[("Idempotency-Key", KEY)], &body).await;
        assert_first(row, &first);
        let quoted = format!("\"{KEY}\"");
        for headers in [
            &[("Idempotency-Key", KEY)][..],
            &[("Idempotency-Key", &quoted)],
            &[("requestId", KEY)],
            &[("requestid", &quoted), ("idempotency-key", KEY)],
        ] {
            assert_again(row, &scene.send(row, headers, &body).await, &first);
        }
    }
}

#[actix_web::test]
async fn another_request_of_the_same_key_is_refused() {
    for row in &ROWS {
        let scene = Scene::new().await;
        let headers = [("Idempotency-Key", KEY)];
        let first = scene.send(row, &headers, &(row.body)()).await;
        let reused = scene.send(row, &headers, &(row.other)()).await;
        assert_eq!(reused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", row.operation);
        reused.problem("idempotency_key_reused");
        // The same members, with white space: it is the bytes that count.
        let spaced = format!(" {}", (row.body)());
        let request = post(&scene.path(row), &scene.credential(row)).insert_header(headers[0]);
        let request = request.insert_header(("Content-Type", "application/json")).set_payload(spaced);
        scene.world.send(request).await.problem("idempotency_key_reused");
        let asked = format!("{}?a=1", scene.path(row));
        let request = post(&asked, &scene.credential(row)).insert_header(headers[0]).set_json((row.body)());
        scene.world.send(request).await.problem("idempotency_key_reused");
        assert_again(row, &scene.send(row, &headers, &(row.body)()).await, &first);
    }
}

#[actix_web::test]
async fn what_is_no_key_is_refused_before_anything_is_done() {
    let long = "x".repeat(256);
    for row in &ROWS {
        let scene = Scene::new().await;
        for headers in [
            &[("Idempotency-Key", "")][..],
            &[("Idempotency-Key", "\"\"")],
            &[("Idempotency-Key", &long)],
            &[("Idempotency-Key", "a\tb")],
            &[("requestId", "\"a")],
            &[("Idempotency-Key", "a"), ("requestId", "b")],
            &[("Idempotency-Key", "a"), ("Idempotency-Key", "a")],
        ] {
            let refused = scene.send(row, headers, &(row.body)()).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{} {headers:?}", row.operation);
            refused.problem("invalid_idempotency_key");
        }
        assert_first(row, &scene.send(row, &[("Idempotency-Key", "' OR 1=1; --")], &(row.body)()).await);
    }
}

#[actix_web::test]
async fn a_key_is_its_callers_and_its_operations_own() {
    for row in ROWS.iter().filter(|row| row.who != Who::Anybody) {
        let scene = Scene::new().await;
        let headers = [("Idempotency-Key", KEY)];
        let first = scene.send(row, &headers, &(row.body)()).await;
        let elsewhere = scene.send_as(&scene.anothers(row), row, &headers, &(row.body)()).await;
        let differs = (elsewhere.status, &elsewhere.bytes) != (first.status, &first.bytes);
        assert!(!replayed(&elsewhere) && differs, "{}", row.operation);
    }
    let scene = Scene::new().await;
    for row in &ROWS {
        // Both doors cannot make the same tenant.
        let body = if row.operation == "initTenantProvisioning" { (row.other)() } else { (row.body)() };
        assert_first(row, &scene.send(row, &[("Idempotency-Key", KEY)], &body).await);
    }
    for row in ROWS.iter().filter(|row| row.who == Who::Anybody) {
        let from = |address: &str| {
            let request = TestRequest::post().uri(row.path).insert_header(("Idempotency-Key", "k"));
            request.peer_addr(format!("{address}:40000").parse().unwrap()).set_json((row.body)())
        };
        let scene = Scene::new().await;
        let first = scene.world.send(from("203.0.113.5")).await;
        assert_first(row, &first);
        assert_again(row, &scene.world.send(from("203.0.113.5")).await, &first);
        let other = scene.world.send(from("203.0.113.6")).await;
        assert!(!replayed(&other) && other.status == StatusCode::CONFLICT, "{}", row.operation);
    }
}

#[actix_web::test]
async fn an_answer_is_kept_for_a_day() {
    for row in &ROWS {
        let scene = Scene::new().await;
        let headers = [("Idempotency-Key", KEY)];
        let first = scene.send(row, &headers, &(row.body)()).await;
        scene.world.test.clock.advance(TimeDelta::hours(24));
        assert_again(row, &scene.send(row, &headers, &(row.body)()).await, &first);
        scene.world.test.clock.advance(TimeDelta::microseconds(1));
        let anew = scene.send(row, &headers, &(row.body)()).await;
        assert!(!replayed(&anew), "{}", row.operation);
    }
}

#[actix_web::test]
async fn what_was_not_begun_is_not_kept() {
    for row in &ROWS {
        let scene = Scene::new().await;
        let headers = [("Idempotency-Key", KEY)];
        if row.who != Who::Anybody {
            let nobody = scene.send_as("", row, &headers, &(row.body)()).await;
            assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{}", row.operation);
            let narrow = super::walls::tenant_of(&scene.world, "acme");
            let narrow = scene.world.key(Some(narrow), &[tenantry_ports::Scope::EventsRead]);
            let forbidden = scene.send_as(&narrow, row, &headers, &(row.body)()).await;
            assert_eq!(forbidden.status, StatusCode::FORBIDDEN, "{}", row.operation);
        }
        let malformed = post(&scene.path(row), &scene.credential(row)).insert_header(headers[0]);
        let malformed = malformed.insert_header(("Content-Type", "application/json")).set_payload("{");
        scene.world.send(malformed).await.problem("malformed_json");
        if row.operation != "uploadConfig" {
            let wrong = scene.send(row, &headers, &json!({ "colour": "red" })).await;
            assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{}", row.operation);
        }
        assert_first(row, &scene.send(row, &headers, &(row.body)()).await);
    }
}

#[actix_web::test]
async fn a_refusal_by_the_domain_is_kept_and_repeated_byte_for_byte() {
    for row in &ROWS {
        let Some((body, code)) = row.refused else { continue };
        let scene = Scene::new().await;
        let headers = [("Idempotency-Key", KEY)];
        let first = scene.send(row, &headers, &body()).await;
        first.problem(code);
        assert!(!replayed(&first));
        for _ in 0..2 {
            assert_again(row, &scene.send(row, &headers, &body()).await, &first);
        }
        scene.send(row, &headers, &(row.body)()).await.problem("idempotency_key_reused");
        let without = scene.send(row, &[], &body()).await;
        without.problem(code);
        scene.world.test.clock.advance(TimeDelta::hours(25));
        assert!(!replayed(&scene.send(row, &headers, &body()).await), "{}", row.operation);
    }
}

/// What is refused once may be taken later, but not under the same key.
#[actix_web::test]
async fn a_refusal_stays_one_when_its_reason_is_gone() {
    let scene = Scene::new().await;
    let row = &ROWS[0];
    let (body, code) = row.refused.unwrap();
    let first = scene.send(row, &[("Idempotency-Key", "a")], &body()).await;
    first.problem(code);
    let upload =
        scene.world.post("/api/v1/tenants/acme/configs", &scene.key, &super::config("later-v1")).await;
    assert_eq!(upload.status, StatusCode::CREATED);
    assert_again(row, &scene.send(row, &[("Idempotency-Key", "a")], &body()).await, &first);
    assert_first(row, &scene.send(row, &[("Idempotency-Key", "b")], &body()).await);
}

#[actix_web::test]
async fn a_tenant_under_way_is_waited_for_and_then_answered_as_it_would_have_been() {
    let world =
        World::with(HttpSettings { activation_wait: Duration::from_millis(1), ..HttpSettings::default() });
    let row = ROWS.iter().find(|row| row.operation == "createTenant").unwrap();
    let send = || post(row.path, "").insert_header(("Idempotency-Key", KEY)).set_json((row.body)());
    world.send(send()).await.problem("provisioning_unfinished");
    let told = world.send(send()).await;
    assert_eq!((told.status, told.header("retry-after")), (StatusCode::CONFLICT, Some("1")));
    let told = told.problem("idempotency_in_progress");
    assert!(told["statusEndpoint"].as_str().unwrap().contains(told["provisioningId"].as_str().unwrap()));
    world.work();
    let first = world.send(send()).await;
    assert_eq!((first.status, replayed(&first)), (StatusCode::CREATED, true));
    let tenant = first.json();
    assert_eq!(
        (&tenant["tenant"]["status"], &tenant["tenant"]["subdomain"]),
        (&json!("Active"), &json!("gamma"))
    );
    assert_eq!(world.send(send()).await.bytes, first.bytes);
}

/// What an operator reads in the database about keys that were made for requests is nothing to call with.
#[actix_web::test]
async fn an_answer_with_a_secret_in_it_is_kept_sealed() {
    for operation in ["createApiKey", "rotateApiKey"] {
        let row = ROWS.iter().find(|row| row.operation == operation).unwrap();
        let scene = Scene::new().await;
        let first = scene.send(row, &[("Idempotency-Key", KEY)], &(row.body)()).await.json();
        let secret = first["key"].as_str().unwrap();
        let id = first["id"].as_str().unwrap().parse().unwrap();
        let kept = scene.world.platform().control.read(|tx| tx.api_keys().get(id));
        let kept = kept.map_err(|error: tenantry_ports::StoreError| error).unwrap().unwrap();
        let scope = kept.request.unwrap().scope;
        let answer = scene
            .world
            .platform()
            .control
            .read(|tx| tx.idempotency().find(&[&scope], tenantry_testkit::sample::at(0)));
        let answer = answer.map_err(|error: tenantry_ports::StoreError| error).unwrap().remove(0);
        let stored = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!stored.contains(secret) && !stored.contains(first["name"].as_str().unwrap()), "{stored}");
    }
}
