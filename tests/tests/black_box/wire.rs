//! What every answer has in common, against the real server.

use serde_json::{Value, json};
use tenantry_tests::{Backend, Response, Tenantry};

fn problem(response: Response, status: u16, code: &str) -> Value {
    assert_eq!(response.header("Content-Type"), Some("application/problem+json"));
    let problem = response.expect(status).json();
    assert_eq!((&problem["code"], &problem["status"]), (&json!(code), &json!(status)));
    for member in ["type", "title", "detail", "requestId", "instance", "help"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {problem}");
    }
    problem
}

#[test]
fn every_kind_of_error_is_a_problem() {
    let tenantry = Tenantry::start(Backend::Sqlite);
    let mut client = tenantry.client();
    let init = "/provision/tenants/init";
    problem(client.get("/no/such/thing"), 404, "not_found");
    let refused = client.request("DELETE", init).send();
    assert_eq!(refused.header("Allow"), Some("POST"));
    problem(refused, 405, "method_not_allowed");
    problem(
        client.request("POST", init).body("name=x").header("Content-Type", "text/plain").send(),
        415,
        "unsupported_media_type",
    );
    let json = |body: Vec<u8>| {
        tenantry.client().request("POST", init).header("Content-Type", "application/json").body(body).send()
    };
    problem(json(b"{ \"name\": ".to_vec()), 400, "malformed_json");
    problem(json(b"[]".to_vec()), 400, "validation_failed");
    problem(json(vec![b'['; 200_000]), 400, "malformed_json");
    problem(json(vec![b' '; 2_000_000]), 413, "payload_too_large");
    let unknown = json(br#"{"name":"Acme","slug":"acme","plan":"Basic","surprise":1}"#.to_vec());
    assert_eq!(problem(unknown, 400, "validation_failed")["errors"][0]["pointer"], "/surprise");
    let plan =
        problem(json(br#"{"name":"Acme","slug":"acme","plan":"InvalidPlan"}"#.to_vec()), 400, "invalid_plan");
    assert_eq!(
        (&plan["title"], &plan["detail"]),
        (
            &json!("Invalid Plan"),
            &json!("Plan 'InvalidPlan' is not allowed. Allowed plans: Basic, Premium, Enterprise")
        )
    );
    let missing =
        problem(client.request("POST", "/provision/tenants/confirm").send(), 401, "missing_authorization");
    assert_eq!(missing["detail"], "Authorization header with Bearer token is required");
}

#[test]
fn request_ids_are_kept_if_sane_and_made_otherwise() {
    let tenantry = Tenantry::start(Backend::Sqlite);
    let mut client = tenantry.client();
    let with = |client: &mut tenantry_tests::Client, id: &str| {
        let response = client.request("GET", "/health/live").header("X-Request-Id", id).send();
        response.expect(200).header("X-Request-Id").unwrap().to_owned()
    };
    assert_eq!(with(&mut client, "order-7.a_B"), "order-7.a_B");
    let made = with(&mut client, "with blanks and \"quotes\"");
    assert!(!made.contains(' ') && made.len() >= 16, "{made}");
    let failed = client.request("GET", "/nope").header("X-Request-Id", "abc").send();
    assert_eq!(problem(failed, 404, "not_found")["requestId"], "abc");
}

#[test]
fn the_document_and_its_page_are_served_without_anything_from_outside() {
    let tenantry = Tenantry::start(Backend::Sqlite);
    let mut client = tenantry.client();
    let document = client.get("/openapi.json").expect(200).json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for path in ["/provision/tenants/init", "/api/v1/tenants", "/api/v1/tenants/{tenantId}/accounts"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    let page = client.get("/swagger/").expect(200);
    assert!(!page.text().contains("://") || !page.text().contains("cdn"), "{}", page.text());
    let schema = client.get("/api/v1/schemas/account-config").expect(200).json();
    assert_eq!(schema["type"], "object");
    client.get("/health/live").expect(200);
    client.get("/health/ready").expect(200);
}
