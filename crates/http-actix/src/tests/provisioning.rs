//! The source document of the two doors' first: its examples, to the letter.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tenantry_ports::DatabaseFault;
use tenantry_testkit::{DatabaseCall, FailureMoment};

use super::{World, pairs, post};

const INIT: &str = "/provision/tenants/init";
const CONFIRM: &str = "/provision/tenants/confirm";

fn acme() -> Value {
    json!({ "name": "Acme Corporation", "slug": "acme", "plan": "Premium" })
}

/// Asserts that `body` has these members; more are welcome.
#[track_caller]
fn assert_has(body: &Value, expected: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(body.get(name), Some(value), "{name} of {body}");
    }
}

#[actix_web::test]
async fn init_answers_as_the_source_does() {
    let world = World::new();
    let reply = world.post(INIT, "", &acme()).await;
    assert_eq!(reply.status, StatusCode::OK);
    let body = reply.json();
    assert_has(
        &body,
        &json!({
            "next": "/provision/tenants/confirm",
            "message": "Provisioning initialized. Use the confirmation token within 15 minutes to proceed."
        }),
    );
    let id = body["provisioningId"].as_str().unwrap();
    assert_eq!((id.len(), id.matches('-').count()), (36, 4), "{id}");
    assert!(!body["confirmToken"].as_str().unwrap().is_empty());
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[actix_web::test]
async fn a_slug_is_given_once() {
    let world = World::new();
    world.post(INIT, "", &acme()).await;
    let reply = world.post(INIT, "", &acme()).await;
    assert_eq!(reply.status, StatusCode::CONFLICT);
    assert_has(
        &reply.problem("slug_taken"),
        &json!({
            "type": "https://tools.ietf.org/html/rfc7231#section-6.5.8",
            "title": "Slug Already Exists",
            "status": 409,
            "detail": "A tenant with slug 'acme' already exists"
        }),
    );
}

#[actix_web::test]
async fn an_invalid_plan_alone_is_told_as_the_source_does() {
    let world = World::new();
    let body = json!({ "name": "Acme Corporation", "slug": "acme", "plan": "InvalidPlan" });
    let reply = world.post(INIT, "", &body).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_has(
        &reply.problem("invalid_plan"),
        &json!({
            "type": "https://tools.ietf.org/html/rfc7231#section-6.5.1",
            "title": "Invalid Plan",
            "status": 400,
            "detail": "Plan 'InvalidPlan' is not allowed. Allowed plans: Basic, Premium, Enterprise"
        }),
    );
    assert_eq!(reply.findings("invalid_plan"), pairs(&[("/plan", "invalid_plan")]));
}

#[actix_web::test]
async fn five_faults_are_told_at_once() {
    let world = World::new();
    let body =
        json!({ "name": "ab", "slug": "tenants", "plan": "Gold", "contactEmail": "nobody", "colour": "red" });
    let reply = world.post(INIT, "", &body).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        reply.findings("validation_failed"),
        pairs(&[
            ("/colour", "unknown_member"),
            ("/contactEmail", "invalid_email"),
            ("/name", "too_short"),
            ("/plan", "invalid_plan"),
            ("/slug", "reserved_slug"),
        ])
    );
}

#[actix_web::test]
async fn missing_members_and_wrong_types_are_told_at_once() {
    let world = World::new();
    let reply = world.post(INIT, "", &json!({ "slug": 5, "contactEmail": [] })).await;
    let findings = reply.findings("validation_failed");
    let pointers: Vec<_> = findings.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/contactEmail", "/name", "/plan", "/slug"], "{findings:?}");
    let reply = world.post(INIT, "", &json!([])).await;
    assert_eq!(reply.findings("validation_failed").len(), 1);
}

#[actix_web::test]
async fn a_duplicate_member_is_refused() {
    let world = World::new();
    let body = r#"{"name":"Acme","name":"Acme","slug":"acme","plan":"Basic"}"#;
    let reply = world
        .send(post(INIT, "").insert_header(("Content-Type", "application/json")).set_payload(body))
        .await;
    assert_eq!(reply.findings("validation_failed"), pairs(&[("", "invalid_value")]));
}

#[actix_web::test]
async fn confirming_queues_as_the_source_says_and_works_once() {
    let world = World::new();
    let init = world.post(INIT, "", &acme()).await.json();
    let (id, token) = (init["provisioningId"].as_str().unwrap(), init["confirmToken"].as_str().unwrap());
    let reply = world.send(post(CONFIRM, token)).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(
        reply.json(),
        json!({
            "provisioningId": id,
            "status": "QUEUED",
            "message": "Provisioning confirmed and queued for processing",
            "statusEndpoint": format!("/provision/tenants/{id}/status")
        })
    );
    let again = world.send(post(CONFIRM, token)).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    again.problem("already_confirmed");
    assert_eq!(world.test.nudges(), 1);
}

#[actix_web::test]
async fn a_wrong_or_expired_token_is_refused_as_the_source_says() {
    let world = World::new();
    let (_, token) = world.announced("acme");
    let expected = json!({
        "type": "https://tools.ietf.org/html/rfc7235#section-3.1",
        "title": "Invalid Token",
        "status": 401,
        "detail": "The confirmation token is invalid or has expired"
    });
    let wrong = world.send(post(CONFIRM, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.x")).await;
    assert_has(&wrong.problem("invalid_token"), &expected);
    world.test.clock.advance(TimeDelta::minutes(16));
    let late = world.send(post(CONFIRM, &token)).await;
    assert_has(&late.problem("invalid_token"), &expected);
    assert!(late.header("www-authenticate").is_some());
}

#[actix_web::test]
async fn without_a_bearer_token_nothing_is_confirmed() {
    let world = World::new();
    for request in [
        post(CONFIRM, ""),
        post(CONFIRM, "").insert_header(("Authorization", "Basic YTpi")),
        post(CONFIRM, "").insert_header(("Authorization", "Bearer ")),
    ] {
        let reply = world.send(request).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        assert_has(
            &reply.problem("missing_authorization"),
            &json!({
                "type": "https://tools.ietf.org/html/rfc7235#section-3.1",
                "title": "Missing Authorization",
                "status": 401,
                "detail": "Authorization header with Bearer token is required"
            }),
        );
    }
}

async fn status(world: &World, id: impl std::fmt::Display) -> Value {
    let reply = world.get(&format!("/provision/tenants/{id}/status"), "").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    reply.json()
}

#[actix_web::test]
async fn a_provisioning_that_waits_shows_its_first_step_and_no_names() {
    let world = World::new();
    let (tenant, _) = world.announced("acme");
    let body = status(&world, tenant.uuid()).await;
    assert_eq!(
        body,
        json!({
            "status": "PENDING_VALIDATION",
            "tenantSlug": null,
            "dbName": null,
            "steps": [{
                "step": "Init",
                "status": "Success",
                "startedAt": "2026-03-01T12:00:00.123Z",
                "completedAt": "2026-03-01T12:00:00.123Z",
                "log": "Provisioning initialized, waiting for confirmation",
                "errorMessage": null,
                "errorCode": null,
                "attempt": 1
            }]
        })
    );
}

#[actix_web::test]
async fn a_completed_provisioning_shows_every_step_and_the_names() {
    let world = World::new();
    let tenant = world.tenant("acme");
    let body = status(&world, tenant.uuid()).await;
    assert_has(&body, &json!({ "status": "Active", "tenantSlug": "acme", "dbName": "ecom_tenant_acme" }));
    let steps = body["steps"].as_array().unwrap();
    let names: Vec<_> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(names, ["Init", "CreateDatabase", "ApplyMigrations", "SeedData"]);
    for (step, log) in steps.iter().zip([
        "Provisioning initialized, waiting for confirmation",
        "Database ecom_tenant_acme created successfully",
        "Migrations applied successfully",
        "Demo data seeded successfully",
    ]) {
        assert_has(step, &json!({ "status": "Success", "log": log, "errorMessage": null }));
    }
}

#[actix_web::test]
async fn a_failed_provisioning_shows_what_went_wrong_and_no_names() {
    let world = World::new();
    let (tenant, token) = world.announced("acme");
    world.test.databases.fail(DatabaseCall::Create, FailureMoment::BeforeEffect, DatabaseFault::Lasting, 1);
    world.send(post(CONFIRM, &token)).await;
    world.work();
    let body = status(&world, tenant.uuid()).await;
    assert_has(&body, &json!({ "status": "Failed", "tenantSlug": null, "dbName": null }));
    let step = body["steps"].as_array().unwrap().last().unwrap();
    assert_has(step, &json!({ "step": "CreateDatabase", "status": "Failed", "log": null }));
    assert!(step["errorMessage"].is_string() && step["errorCode"].is_string(), "{step}");
}

#[actix_web::test]
async fn every_attempt_is_shown_while_it_goes_on() {
    let world = World::new();
    let (tenant, token) = world.announced("acme");
    world.test.databases.fail(DatabaseCall::Create, FailureMoment::BeforeEffect, DatabaseFault::Passing, 1);
    world.send(post(CONFIRM, &token)).await;
    world.work();
    let body = status(&world, tenant.uuid()).await;
    assert_has(&body, &json!({ "status": "Provisioning", "tenantSlug": null, "dbName": null }));
    world.test.clock.advance(TimeDelta::minutes(1));
    world.work();
    let body = status(&world, tenant.uuid()).await;
    let attempts: Vec<_> = body["steps"].as_array().unwrap().iter().map(|step| &step["attempt"]).collect();
    assert_eq!(attempts, [1, 1, 2, 1, 1], "{body}");
}

#[actix_web::test]
async fn unknown_provisionings_are_not_found() {
    let world = World::new();
    let tenant = world.tenant("acme");
    for id in ["3fa85f64-5717-4562-b3fc-2c963f66afa6", "acme", "x", &tenant.to_string(), &"1".repeat(36)] {
        let reply = world.send(TestRequest::get().uri(&format!("/provision/tenants/{id}/status"))).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
        reply.problem("provisioning_not_found");
    }
}
