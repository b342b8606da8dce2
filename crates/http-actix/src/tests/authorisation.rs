//! Who may call what: every protected operation of the document, with every kind of caller.

use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use serde_json::{Value, json};
use tenantry_ports::Scope;
use tenantry_usecases::access::Principal;

use super::{Reply, World, authorised};
use crate::endpoint::Who;
use crate::{Access, HttpSettings};

/// A protected operation of the document.
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) who: Who,
}

/// Every operation that asks for a credential, below this tenant.
pub(crate) fn operations(tenant: &str) -> Vec<Operation> {
    let document = crate::openapi(&HttpSettings::default(), Access::Open);
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let security = operation["security"].as_array().unwrap();
            let Some(needs) = security.iter().find_map(|requirement| requirement["bearer"].as_array()) else {
                continue;
            };
            let [Value::String(need)] = needs.as_slice() else { panic!("{path}: {needs:?}") };
            let path = path
                .replace("{tenantId}", tenant)
                .replace("{accountId}", "acc_0195c0de00007000800000000000000a")
                .replace("{keyId}", "key_0195c0de00007000800000000000000a")
                .replace("{eventId}", "evt_0195c0de00007000800000000000000a")
                .replace("{userId}", "usr_0195c0de00007000800000000000000a")
                .replace("{sessionId}", "ses_0195c0de00007000800000000000000a")
                .replace("{processId}", "pc_0195c0de00007000800000000000000a")
                .replace("{configId}", "no-such")
                .replace("{version}", "1");
            let path = without_names(&path);
            assert!(!path.contains('{'), "{path}");
            let method = method.to_uppercase().parse().unwrap();
            let who = match need.as_str() {
                "operator" => Who::Operator,
                "admin" => Who::Admin,
                // Who the operator may stand in for is asked for as one of the tenant's own people, not as this very one.
                "user" if security.len() > 1 => Who::Staff,
                "user" => Who::Person,
                scope => Who::Scope(scope.parse().unwrap()),
            };
            found.push(Operation { method, path, who });
        }
    }
    assert!(found.len() > 10);
    found
}

/// The path with an id of nothing for every name that is left in it.
fn without_names(path: &str) -> String {
    let segments = path.split('/').map(|segment| if segment.starts_with('{') { "nothing" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

pub(crate) async fn call(world: &World, operation: &Operation, credential: &str) -> Reply {
    let request = TestRequest::default().method(operation.method.clone()).uri(&operation.path);
    let with_body = [Method::POST, Method::PATCH, Method::PUT].contains(&operation.method);
    let request = if with_body { request.set_json(json!({})) } else { request };
    world.begin(authorised(request, credential)).await
}

/// Past the gate: whatever was answered, it was not about the caller.
#[track_caller]
pub(crate) fn assert_admitted(reply: &Reply, operation: &Operation) {
    let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
    assert!(!refused.contains(&reply.status), "{} {}: {:?}", operation.method, operation.path, reply.bytes);
}

#[actix_web::test]
async fn every_protected_operation_turns_every_wrong_caller_away() {
    for operation in operations("acme") {
        // What the operator does may leave nothing for the next operation to be done to.
        let world = World::new();
        let tenant = world.tenant_with_admin("acme");
        let (_, foreign) = world.tenant_and_key("other");
        let revoked = world.key(Some(tenant), &Scope::ALL);
        tenantry_usecases::api_keys::revoke(
            world.platform(),
            Some(tenant),
            key_id(&world, &revoked),
            "operator",
        )
        .unwrap();
        let about = format!("{} {}", operation.method, operation.path);
        let reply = call(&world, &operation, "").await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{about}");
        reply.problem("missing_authorization");
        for wrong in ["nonsense", "a.b.c", &revoked] {
            call(&world, &operation, wrong).await.problem("invalid_token");
        }
        let machine = world.key(Some(tenant), &Scope::ALL);
        match operation.who {
            Who::Operator => {
                for other in [&machine, &foreign, &world.admin("acme").await] {
                    let refused = call(&world, &operation, other).await;
                    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{about}");
                    refused.problem("forbidden");
                }
            }
            Who::Scope(scope) => {
                call(&world, &operation, &foreign).await.problem("wrong_tenant");
                let others: Vec<_> = Scope::ALL.into_iter().filter(|other| *other != scope).collect();
                let lacking = call(&world, &operation, &world.key(Some(tenant), &others)).await;
                assert_eq!(lacking.problem("missing_scope")["requiredScope"], scope.as_str(), "{about}");
                let having = world.key(Some(tenant), &[scope]);
                assert_admitted(&call(&world, &operation, &having).await, &operation);
            }
            Who::Person => {
                call(&world, &operation, &foreign).await.problem("wrong_tenant");
                for nobody in [&machine, &world.operator()] {
                    call(&world, &operation, nobody).await.problem("forbidden");
                }
                assert_admitted(&call(&world, &operation, &world.admin("acme").await).await, &operation);
                continue;
            }
            _ => {
                call(&world, &operation, &foreign).await.problem("wrong_tenant");
                call(&world, &operation, &machine).await.problem("forbidden");
            }
        }
        assert_admitted(&call(&world, &operation, &world.operator()).await, &operation);
    }
}

fn key_id(world: &World, key: &str) -> tenantry_domain::id::ApiKeyId {
    match tenantry_usecases::access::authenticate(world.platform(), key).unwrap() {
        Some(Principal::Machine { key, .. }) => key,
        other => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn an_unknown_tenant_looks_like_a_foreign_one_except_to_the_operator() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    world.tenant("other");
    let mut bodies = Vec::new();
    for tenant in ["other", "nowhere", "ten_3fa85f6457174562b3fc2c963f66afa6", "X"] {
        let mut body =
            world.get(&format!("/api/v1/tenants/{tenant}/accounts"), &key).await.problem("wrong_tenant");
        for differs in ["requestId", "instance"] {
            body.as_object_mut().unwrap().remove(differs);
        }
        bodies.push(body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    let operator = world.operator();
    let reply = world.get("/api/v1/tenants/nowhere/accounts", &operator).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    reply.problem("tenant_not_found");
}

#[actix_web::test]
async fn a_tenant_that_is_not_in_service_says_so_and_works_as_soon_as_it_is() {
    let world = World::new();
    let (tenant, token) = world.announced("acme");
    let key = world.key(Some(tenant), &Scope::ALL);
    let path = "/api/v1/tenants/acme/accounts";
    let reply = world.get(path, &key).await;
    assert_eq!(reply.status, StatusCode::CONFLICT);
    reply.problem("tenant_not_ready");
    tenantry_usecases::tenants::confirm(world.platform(), &token).unwrap();
    world.work();
    assert_eq!(world.get(path, &key).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn a_tenants_admin_may_do_what_its_keys_may() {
    let world = World::new();
    world.tenant_with_admin("acme");
    for operation in operations("acme") {
        if operation.who != Who::Operator {
            // One of the operations signs them out everywhere.
            let admin = world.admin("acme").await;
            assert_admitted(&call(&world, &operation, &admin).await, &operation);
        }
    }
}
