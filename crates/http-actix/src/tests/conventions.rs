//! What holds for every request: problems, request ids, methods, media types, limits.

use std::sync::atomic::Ordering;

use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use serde_json::json;
use tenantry_ports::DatabaseFault;
use tenantry_testkit::{DatabaseCall, FailureMoment};

use super::{World, config, get, post};
use crate::HttpSettings;
use crate::problem::Code;

const INIT: &str = "/provision/tenants/init";

#[actix_web::test]
async fn unknown_urls_are_problems() {
    let world = World::new();
    for path in [
        "/",
        "/nowhere",
        "/api/v1",
        "/api/v2/tenants",
        "/api/v1/tenants/",
        "/provision/tenants/init/",
        "/swagger/nothing.js",
    ] {
        let reply = world.get(path, "").await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(reply.problem("not_found")["instance"], path);
    }
}

#[actix_web::test]
async fn other_methods_are_told_which_are_allowed() {
    let world = World::new();
    for (method, path, allow) in [
        (Method::GET, INIT, "POST"),
        (Method::DELETE, "/api/v1/tenants/acme/accounts", "POST, GET, HEAD"),
        (Method::POST, "/health/live", "GET, HEAD"),
        (Method::PATCH, "/tenants/acme/configs", "POST, GET, HEAD"),
        (Method::POST, "/swagger/", "GET, HEAD"),
        (Method::POST, "/swagger/index.html", "GET, HEAD"),
    ] {
        let reply = world.send(TestRequest::default().method(method).uri(path)).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        reply.problem("method_not_allowed");
        assert_eq!(reply.header("allow"), Some(allow), "{path}");
    }
}

#[actix_web::test]
async fn what_is_not_json_by_its_type_is_refused() {
    let world = World::new();
    let body = r#"{"name":"Acme","slug":"acme","plan":"Basic"}"#;
    for content_type in
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/xml")]
    {
        let mut request = post(INIT, "").set_payload(body);
        if let Some(content_type) = content_type {
            request = request.insert_header(("Content-Type", content_type));
        }
        let reply = world.send(request).await;
        assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type:?}");
        reply.problem("unsupported_media_type");
    }
    let request =
        post(INIT, "").insert_header(("Content-Type", "application/json; charset=utf-8")).set_payload(body);
    assert_eq!(world.send(request).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn what_is_not_json_by_its_text_is_told_where() {
    let world = World::new();
    for (body, line, column) in [
        ("", 1, 0),
        ("{", 1, 1),
        ("{\n \"name\": }", 2, 10),
        ("{\"name\":5,", 1, 10),
        ("{} x", 1, 4),
        ("\u{feff}{}", 1, 1),
    ] {
        let request = post(INIT, "").insert_header(("Content-Type", "application/json")).set_payload(body);
        let reply = world.send(request).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}");
        let problem = reply.problem("malformed_json");
        assert_eq!(
            (&problem["line"], &problem["column"]),
            (&json!(line), &json!(column)),
            "{body} {problem}"
        );
    }
    let deep = "[".repeat(10_000);
    let request = post(INIT, "").insert_header(("Content-Type", "application/json")).set_payload(deep);
    world.send(request).await.problem("malformed_json");
}

#[actix_web::test]
async fn a_body_over_the_limit_is_refused() {
    let world = World::with(HttpSettings { body_limit: 100, ..HttpSettings::default() });
    let body = json!({ "name": "x".repeat(200), "slug": "acme", "plan": "Basic" });
    let reply = world.post(INIT, "", &body).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(reply.problem("payload_too_large")["limit"], 100);
    let body = json!({ "name": "Acme", "slug": "acme", "plan": "Basic" });
    assert_eq!(world.post(INIT, "", &body).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn request_ids_are_taken_over_if_sane_and_made_otherwise() {
    let world = World::new();
    let given = world.send(get("/health/live", "").insert_header(("X-Request-Id", "abc-1.2_3"))).await;
    assert_eq!(given.header("x-request-id"), Some("abc-1.2_3"));
    let refused = world.send(get("/nowhere", "").insert_header(("X-Request-Id", "abc-1.2_3"))).await;
    assert_eq!(refused.problem("not_found")["requestId"], "abc-1.2_3");
    for odd in ["", "a b", "<script>", &"x".repeat(129)] {
        let made = world.send(get("/health/live", "").insert_header(("X-Request-Id", odd))).await;
        let id = made.header("x-request-id").unwrap();
        assert!(id != odd && id.len() == 32, "{odd}: {id}");
    }
}

#[actix_web::test]
async fn every_problem_has_a_page_for_people_and_for_programs() {
    let world = World::new();
    for code in Code::ALL {
        let path = format!("/problems/{}", code.entry().code);
        assert_eq!(world.get(&path, "").await.json()["title"], code.entry().title);
        let page = world.send(get(&path, "").insert_header(("Accept", "text/html,*/*;q=0.8"))).await;
        assert!(page.header("content-type").unwrap().starts_with("text/html"));
        assert!(String::from_utf8_lossy(&page.bytes).contains(code.entry().fix), "{path}");
    }
    assert_eq!(world.get("/problems", "").await.json()["items"].as_array().unwrap().len(), Code::ALL.len());
    world.get("/problems/no_such_code", "").await.problem("not_found");
}

#[actix_web::test]
async fn health_says_whether_it_lives_and_whether_it_is_ready() {
    let world = World::new();
    assert_eq!(world.get("/health/live", "").await.json(), json!({ "status": "ok" }));
    let ready = world.get("/health/ready", "").await;
    assert_eq!(
        (ready.status, &ready.json()["checks"]),
        (StatusCode::OK, &json!({ "controlDatabase": true }))
    );
    world.ready.0.store(false, Ordering::SeqCst);
    let reply = world.get("/health/ready", "").await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.problem("not_ready")["checks"]["controlDatabase"], false);
    world.ready.0.store(true, Ordering::SeqCst);
    world.state.drain();
    assert_eq!(world.get("/health/ready", "").await.problem("not_ready")["checks"]["accepting"], false);
    assert_eq!(world.get("/health/live", "").await.status, StatusCode::OK);
}

#[actix_web::test]
async fn everything_works_under_another_prefix() {
    for (prefix, path) in [("/v9/x/", "/v9/x/tenants"), ("", "/tenants")] {
        let world = World::with(HttpSettings { api_prefix: prefix.to_owned(), ..HttpSettings::default() });
        let (_, key) = world.tenant_and_key("acme");
        assert_eq!(
            world.get(&format!("{path}/acme/accounts"), &key).await.status,
            StatusCode::OK,
            "{prefix}"
        );
        world.send_as_is(get("/api/v1/tenants/acme/accounts", &key)).await.problem("not_found");
    }
}

#[actix_web::test]
async fn a_full_pool_is_told_at_once_and_nothing_hangs() {
    let world = World::with(HttpSettings { storage_queue: 0, hashing_queue: 0, ..HttpSettings::default() });
    let tenant = json!({ "name": "Acme", "slug": "acme", "plan": "Basic" });
    let login = json!({ "email": "admin@acme.com", "password": "ChangeMe123!" });
    for reply in [
        world.post(INIT, "", &tenant).await,
        world.post("/api/v1/acme/auth/login", "", &login).await,
        world.get("/api/v1/tenants/acme/accounts", &world.operator()).await,
        world.get("/health/ready", "").await,
    ] {
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        reply.problem("overloaded");
        assert!(reply.header("retry-after").is_some());
    }
    assert_eq!(world.get("/health/live", "").await.status, StatusCode::OK);
}

#[actix_web::test]
async fn a_store_that_fails_is_told_without_its_words() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    let path = "/api/v1/tenants/acme/configs";
    world.test.databases.fail(DatabaseCall::Write, FailureMoment::BeforeEffect, DatabaseFault::Passing, 1);
    let reply = world.post(path, &key, &config("25k-own-v1")).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    let problem = reply.problem("unavailable");
    assert!(reply.header("retry-after").is_some());
    assert!(!problem.to_string().contains("told to fail"), "{problem}");
    assert_eq!(world.post(path, &key, &config("25k-own-v1")).await.status, StatusCode::CREATED);
    world.test.databases.fail(DatabaseCall::Write, FailureMoment::BeforeEffect, DatabaseFault::Lasting, 1);
    let account = json!({ "userId": "u", "configId": "25k-own-v1" });
    let reply = world.post("/api/v1/tenants/acme/accounts", &key, &account).await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!reply.problem("internal_error").to_string().contains("told to fail"));
}
