//! "Missing tenant context" (source 003, section 4): told of the URL to everybody, and of what there is to the operator alone.

use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::walls::visible;
use super::{Reply, World, authorised, post};

async fn ask(world: &World, method: Method, path: &str, credential: &str) -> Reply {
    world.send(authorised(TestRequest::default().method(method).uri(path), credential)).await
}

#[actix_web::test]
async fn a_url_without_a_tenant_is_told_so_whoever_asks() {
    let world = World::new();
    world.tenant_with_admin("acme");
    let credentials = [String::new(), world.admin("acme").await, world.operator(), "made-up".to_owned()];
    for path in [
        "/api/v1/config/basis",
        "/api/v1//config/basis",
        "/api/v1/config/processes/pc_0195c0de00007000800000000000000a",
        "/api/v1/users",
        "/api/v1//users",
        "/api/v1/auth/me",
        // What no slug or id can be.
        "/api/v1/AC/config/basis",
        "/api/v1/%20/config/basis",
        "/api/v1/acme_corp/users",
        "/api/v1/ten_123/users",
        "/api/v1/auth/users",
    ] {
        for credential in &credentials {
            for method in [Method::GET, Method::POST] {
                let reply = ask(&world, method.clone(), path, credential).await;
                if reply.status == StatusCode::METHOD_NOT_ALLOWED {
                    continue;
                }
                assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{method} {path} {:?}", reply.bytes);
                let problem = reply.problem("missing_tenant_context");
                assert_eq!(problem["title"], "Missing tenant context");
            }
        }
    }
    let login = json!({ "email": "admin@acme.com", "password": "ChangeMe123!" });
    for path in ["/api/v1/auth/login", "/api/v1//auth/login", "/api/v1/A/auth/login"] {
        world.send(post(path, "").set_json(&login)).await.problem("missing_tenant_context");
    }
    let told = ask(&world, Method::GET, "/api/v1/config/basis", "").await.json();
    assert!(told["detail"].as_str().unwrap().contains("/api/v1/<tenant>/config/basis"), "{told}");
}

#[actix_web::test]
async fn of_a_tenant_that_there_is_not_the_operator_alone_is_told() {
    let world = World::new();
    for slug in ["acme", "beta"] {
        world.tenant_with_admin(slug);
    }
    let foreign = world.admin("beta").await;
    let operator = world.operator();
    for rest in ["config/basis", "config/processes", "users", "auth/roles/config"] {
        let [known, unknown] = ["acme", "nowhere"].map(|tenant| format!("/api/v1/{tenant}/{rest}"));
        for (credential, status) in [("", 401), ("made-up", 401), (foreign.as_str(), 403)] {
            let mut seen = Vec::new();
            for path in [&known, &unknown] {
                let reply = ask(&world, Method::GET, path, credential).await;
                assert_eq!(reply.status.as_u16(), status, "{path}");
                seen.push(visible(&reply));
            }
            assert_eq!(seen[0], seen[1], "{rest}");
        }
        let reply = ask(&world, Method::GET, &unknown, &operator).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        reply.problem("missing_tenant_context");
    }
    // Where the path does not begin with it, a tenant is a thing like others.
    ask(&world, Method::GET, "/api/v1/tenants/nowhere", &operator).await.problem("tenant_not_found");
}

#[test]
fn the_document_says_so_of_every_operation_below_a_tenant_and_of_no_other() {
    let document = crate::openapi(&crate::HttpSettings::default(), crate::Access::Open);
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            let examples = &operation["responses"]["400"]["content"]["application/problem+json"]["examples"];
            let told = examples["missing_tenant_context"] != Value::Null;
            assert_eq!(told, path.starts_with("/api/v1/{tenantId}/"), "{path}");
        }
    }
}
