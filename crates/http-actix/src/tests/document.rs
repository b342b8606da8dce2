//! The OpenAPI document: complete, consistent, and about this very server.

pub(super) mod events;
mod limits;

use std::collections::BTreeSet;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::World;
use crate::endpoint::{Endpoint, Place};
use crate::routes;
use crate::{Access, Doors, HttpSettings};

fn document() -> Value {
    documented(Access::Open)
}

fn documented(access: Access) -> Value {
    crate::openapi(&HttpSettings::default(), access)
}

const HMAC: Access = Access::Hmac { window: Duration::from_secs(300) };
const EVERY_ACCESS: [Access; 4] = [Access::Open, Access::Operator, Access::Captcha, HMAC];

/// Every operation: its path, method and description.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(|(method, operation)| (path.clone(), method.to_uppercase(), operation.clone()))
    });
    operations.collect()
}

fn walk<'a>(value: &'a Value, visit: &mut impl FnMut(&'a Value)) {
    visit(value);
    match value {
        Value::Object(members) => members.values().for_each(|member| walk(member, visit)),
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        _ => {}
    }
}

#[actix_web::test]
async fn every_documented_operation_is_served() {
    let world = World::new();
    for (path, method, _) in operations(&document()) {
        let url = path.replace(['{', '}'], "");
        let method: Method = method.parse().unwrap();
        let reply = world.send(TestRequest::default().method(method.clone()).uri(&url)).await;
        assert_ne!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        if reply.status == StatusCode::NOT_FOUND {
            assert_ne!(reply.json()["detail"], "There is nothing at this URL", "{method} {path}");
        }
    }
}

#[actix_web::test]
async fn every_endpoint_is_documented_in_each_of_its_spellings_and_no_other_method_is_served() {
    let document = document();
    let documented: BTreeSet<_> =
        operations(&document).into_iter().map(|(path, method, _)| (path, method)).collect();
    let served: BTreeSet<_> = routes::endpoints()
        .iter()
        .flat_map(|endpoint: &Endpoint| {
            let method = serde_json::to_value(&endpoint.method).unwrap().as_str().unwrap().to_uppercase();
            endpoint.paths("/api/v1").into_iter().map(move |path| (path, method.clone()))
        })
        .collect();
    assert_eq!(documented, served);
    assert!(routes::endpoints().iter().any(|endpoint| endpoint.place == Place::Both));
    let world = World::new();
    for (path, _) in &served {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if !served.contains(&(path.clone(), method.to_owned())) {
                let url = path.replace(['{', '}'], "");
                let reply =
                    world.send(TestRequest::default().method(method.parse().unwrap()).uri(&url)).await;
                assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            }
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = document();
    let mut used = BTreeSet::new();
    walk(&document, &mut |value| {
        if let Some(Value::String(reference)) = value.get("$ref") {
            let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference}"));
            assert!(document.pointer(pointer).is_some(), "{reference}");
            used.insert(pointer.rsplit('/').next().unwrap().to_owned());
        }
    });
    let schemas: BTreeSet<_> =
        document["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(used, schemas);
}

#[test]
fn it_is_openapi_3_1_and_describes_itself() {
    EVERY_ACCESS.map(documented).iter().for_each(assert_complete);
}

#[track_caller]
fn assert_complete(document: &Value) {
    assert_eq!(document["openapi"], "3.1.0");
    let tags: BTreeSet<_> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].clone().to_string()).collect();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(document) {
        let about = format!("{method} {path}");
        let id = operation["operationId"].as_str().unwrap();
        assert!(
            id.starts_with(|c: char| c.is_ascii_lowercase()) && id.chars().all(|c| c.is_ascii_alphanumeric()),
            "{id}"
        );
        assert!(ids.insert(id.to_owned()), "{id} twice");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{about}");
        assert!(operation["security"].is_array(), "{about}");
        let tag = operation["tags"].as_array().unwrap();
        assert!(tag.len() == 1 && tags.contains(&tag[0].to_string()), "{about}");
        let names: BTreeSet<_> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
            .collect();
        let in_path: BTreeSet<_> =
            path.split('/').filter(|part| part.starts_with('{')).map(str::to_owned).collect();
        assert_eq!(names, in_path, "{about}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(response["headers"]["X-Request-Id"].is_object(), "{about} {status}");
            // The token endpoint refuses clients as OAuth has it.
            let oauth = path == "/oauth/token" && ["400", "401"].contains(&status.as_str());
            if oauth {
                let schema = &response["content"]["application/json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/OAuthError", "{about} {status}");
            } else if status.starts_with(['4', '5']) {
                let content = &response["content"]["application/problem+json"];
                assert_eq!(content["schema"]["$ref"], "#/components/schemas/Problem", "{about} {status}");
                assert!(!content["examples"].as_object().unwrap().is_empty(), "{about} {status}");
            }
        }
        if path == "/oauth/token" {
            let form = &operation["requestBody"]["content"]["application/x-www-form-urlencoded"];
            assert!(form["example"].is_object() && form["schema"]["$ref"].is_string(), "{about}");
        } else if operation["requestBody"].is_object() {
            let body = &operation["requestBody"]["content"]["application/json"];
            let example = &body["example"];
            assert!(example.is_object() || example.is_array(), "{about}");
            assert!(body["schema"]["$ref"].is_string(), "{about}");
            assert!(operation["responses"]["415"].is_object(), "{about}");
        }
    }
}

#[test]
fn it_says_who_may_order_a_tenant_and_what_else_that_takes() {
    let operator = || vec![json!({ "bearer": ["operator"] }), json!({ "apiKey": ["operator"] })];
    for (access, security, headers, codes) in [
        (Access::Open, vec![], vec![], vec![]),
        (Access::Operator, operator(), vec![], vec!["forbidden", "invalid_token", "missing_authorization"]),
        (
            Access::Captcha,
            [vec![json!({})], operator()].concat(),
            vec!["X-Captcha-Response"],
            vec!["captcha_failed", "captcha_unavailable", "invalid_token"],
        ),
        (
            HMAC,
            [vec![json!({ "signature": [] })], operator()].concat(),
            vec!["X-Signature-Timestamp", "X-Signature-Nonce"],
            vec!["clock_skew", "invalid_signature", "invalid_token", "missing_signature", "nonce_reused"],
        ),
    ] {
        let document = documented(access);
        for path in ["/provision/tenants/init", "/api/v1/tenants"] {
            let operation = &document["paths"][path]["post"];
            assert_eq!(operation["security"], Value::from(security.clone()), "{access:?} {path}");
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let sent: Vec<_> = parameters.filter(|parameter| parameter["in"] == "header").collect();
            let names = sent.iter().map(|header| header["name"].as_str().unwrap());
            let names: Vec<_> =
                names.filter(|name| !["Idempotency-Key", "requestId"].contains(name)).collect();
            assert_eq!(names, headers, "{access:?} {path}");
            assert!(sent.iter().all(|header| header["required"] == false), "{sent:?}");
            let examples = operation["responses"].as_object().unwrap().values().flat_map(|response| {
                let examples = &response["content"]["application/problem+json"]["examples"];
                examples.as_object().into_iter().flat_map(|examples| examples.keys())
            });
            let about_callers = [
                "captcha_failed",
                "captcha_unavailable",
                "clock_skew",
                "forbidden",
                "invalid_signature",
                "invalid_token",
                "missing_authorization",
                "missing_signature",
                "nonce_reused",
            ];
            let told: BTreeSet<_> =
                examples.map(String::as_str).filter(|code| about_callers.contains(code)).collect();
            let mut expected = BTreeSet::from_iter(codes.iter().copied());
            if path == "/api/v1/tenants" {
                // Only the operator may say on which server.
                expected.extend(["forbidden", "invalid_token", "missing_authorization"]);
            }
            assert_eq!(told, expected, "{access:?} {path}");
        }
        let confirm = &document["paths"]["/provision/tenants/confirm"]["post"];
        assert_eq!(confirm["security"], json!([{ "confirmToken": [] }]));
    }
}

#[test]
fn every_security_scheme_is_declared_and_needed() {
    for access in EVERY_ACCESS {
        let document = documented(access);
        let declared: BTreeSet<_> =
            document["components"]["securitySchemes"].as_object().unwrap().keys().cloned().collect();
        let needed: BTreeSet<_> = operations(&document)
            .iter()
            .flat_map(|(_, _, operation)| operation["security"].as_array().unwrap().clone())
            .flat_map(|requirement| requirement.as_object().unwrap().keys().cloned().collect::<Vec<_>>())
            .collect();
        assert_eq!(declared, needed, "{access:?}");
    }
}

#[test]
fn it_says_how_requests_are_signed() {
    let document = documented(Access::Hmac { window: Duration::from_secs(77) });
    let scheme = &document["components"]["securitySchemes"]["signature"];
    assert_eq!((&scheme["type"], &scheme["in"]), (&json!("apiKey"), &json!("header")));
    assert_eq!(scheme["name"], "X-Signature");
    let about = scheme["description"].as_str().unwrap();
    for told in ["HMAC-SHA256", "1. `v1`", "5. the value of `X-Signature-Nonce`", "77 seconds off"] {
        assert!(about.contains(told), "{told}: {about}");
    }
}

/// The codes of the problems that a response shows.
fn codes(response: &Value) -> Vec<&str> {
    let examples = response["content"]["application/problem+json"]["examples"].as_object();
    examples.into_iter().flat_map(|examples| examples.keys().map(String::as_str)).collect()
}

#[test]
fn it_says_what_becomes_of_tenants_and_how_to_follow_them() {
    let document = document();
    let paths = &document["paths"];
    let one = &paths["/api/v1/tenants/{tenantId}"];
    let operator = json!([{ "bearer": ["operator"] }, { "apiKey": ["operator"] }]);
    let posted = |action| &paths[format!("/api/v1/tenants/{{tenantId}}/{action}")]["post"];
    for operation in [
        &one["patch"],
        &one["delete"],
        posted("suspend"),
        posted("resume"),
        posted("retry"),
        posted("restore"),
    ] {
        let about = operation["operationId"].as_str().unwrap();
        assert_eq!(operation["security"], operator, "{about}");
        assert_eq!(codes(&operation["responses"]["412"]), ["precondition_failed"], "{about}");
        assert!(codes(&operation["responses"]["409"]).contains(&"conflict"), "{about}");
        let status = if about == "deprovisionTenant" { "202" } else { "200" };
        let answer = &operation["responses"][status];
        assert_eq!(
            answer["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/Tenant",
            "{about}"
        );
        assert!(answer["headers"]["ETag"].is_object(), "{about}");
    }
    assert!(codes(&posted("retry")["responses"]["409"]).contains(&"slug_taken"));
    let served = &paths["/api/v1/tenants/{tenantId}/accounts"]["get"]["responses"];
    for code in ["tenant_not_ready", "tenant_failed", "tenant_deprovisioning"] {
        assert!(codes(&served["409"]).contains(&code), "{code}");
    }
    assert!(served["409"]["headers"]["Retry-After"].is_object());
    assert!(codes(&served["403"]).contains(&"tenant_suspended"));
    let stream = &paths["/provision/tenants/{provisioningId}/status/stream"]["get"]["responses"];
    assert!(stream["200"]["content"]["text/event-stream"].is_object(), "{stream}");
    assert!(stream["204"].is_object());
    let poll = &paths["/provision/tenants/{provisioningId}/status"]["get"];
    let wait =
        poll["parameters"].as_array().unwrap().iter().find(|parameter| parameter["name"] == "wait").unwrap();
    assert_eq!((&wait["schema"]["minimum"], &wait["schema"]["maximum"]), (&json!(1), &json!(60)));
}

#[actix_web::test]
async fn a_server_serves_the_document_of_its_own_doors() {
    let world = World::behind(Doors::Operator, HttpSettings::default());
    assert_eq!(world.get("/openapi.json", "").await.json(), documented(Access::Operator));
}

#[test]
fn nothing_of_a_schema_is_lost_on_its_way_into_the_document() {
    let mut generated = serde_json::Map::new();
    routes::generated(&mut generated);
    crate::openapi::generated::<crate::openapi::ProblemView>(&mut generated);
    crate::openapi::generated::<crate::openapi::AnyObject>(&mut generated);
    let document = document();
    let documented = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in documented {
        assert_eq!(generated.get(name), Some(schema), "{name}");
    }
}

#[actix_web::test]
async fn it_is_served_with_a_page_to_browse_it_offline() {
    let world = World::new();
    assert_eq!(world.get("/openapi.json", "").await.json(), document());
    for path in ["/swagger", "/swagger/"] {
        let page = world.get(path, "").await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        let text = String::from_utf8_lossy(&page.bytes).into_owned();
        assert!(text.contains("<base href=\"/swagger/\">"), "{text}");
        assert!(
            !text.contains("src=\"http") && !text.contains("href=\"http"),
            "nothing from elsewhere: {text}"
        );
    }
    let script = world.get("/swagger/swagger-initializer.js", "").await;
    assert!(String::from_utf8_lossy(&script.bytes).contains("/openapi.json"));
    assert!(world.get("/swagger/swagger-ui-bundle.js", "").await.bytes.len() > 100_000);
}
