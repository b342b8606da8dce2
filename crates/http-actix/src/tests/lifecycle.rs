//! What an operator does with a tenant.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::Status;
use tenantry_domain::timestamp;
use tenantry_ports::{Clock as _, DatabaseFault};
use tenantry_testkit::DatabaseCall;
use tenantry_usecases::tenants;

use super::states::any;
use super::{Reply, World, authorised, pairs};

/// What an operator can do, and the states it can be done in with the state it leads to.
const ACTIONS: [(&str, &[(Status, Status)]); 5] = [
    ("suspend", &[(Status::Active, Status::Suspended)]),
    ("resume", &[(Status::Suspended, Status::Active)]),
    ("retry", &[(Status::Failed, Status::Queued)]),
    ("restore", &[(Status::Deprovisioning, Status::Active)]),
    (
        "deprovision",
        &[
            (Status::Active, Status::Deprovisioning),
            (Status::Suspended, Status::Deprovisioning),
            (Status::Failed, Status::Deprovisioning),
        ],
    ),
];

fn request(action: &str, tenant: impl std::fmt::Display) -> TestRequest {
    match action {
        "deprovision" => TestRequest::delete().uri(&format!("/api/v1/tenants/{tenant}")),
        action => TestRequest::post().uri(&format!("/api/v1/tenants/{tenant}/{action}")),
    }
}

async fn act(world: &World, action: &str, tenant: TenantId) -> Reply {
    world.send(authorised(request(action, tenant), &world.operator())).await
}

async fn view(world: &World, tenant: TenantId) -> Value {
    world.get(&format!("/api/v1/tenants/{tenant}"), &world.operator()).await.json()
}

#[actix_web::test]
async fn every_action_in_every_state_is_done_or_refused_with_what_is_allowed() {
    for status in Status::ALL {
        for (action, moves) in ACTIONS {
            let world = World::new();
            let tenant = world.tenant_in(status);
            let reply = act(&world, action, tenant).await;
            let about = format!("{action} while {status}");
            let next = moves.iter().find(|(from, _)| *from == status).map(|(_, to)| *to);
            match (next, action, status) {
                (Some(next), ..) => {
                    let expected =
                        if action == "deprovision" { StatusCode::ACCEPTED } else { StatusCode::OK };
                    assert_eq!(reply.status, expected, "{about}: {:?}", reply.bytes);
                    assert_eq!(reply.json()["status"], next.as_str(), "{about}");
                    assert_eq!(world.status_of(tenant), next, "{about}");
                }
                (None, "deprovision", Status::Deprovisioning) => {
                    assert_eq!(reply.status, StatusCode::ACCEPTED);
                }
                (None, "deprovision", Status::Expired | Status::Deleted) => {
                    reply.problem("tenant_not_found");
                }
                (None, ..) => {
                    assert_eq!(reply.status, StatusCode::CONFLICT, "{about}");
                    let problem = reply.problem("invalid_state");
                    assert_eq!(problem["tenantStatus"], status.as_str(), "{about}");
                    assert!(problem["detail"].as_str().unwrap().contains(status.as_str()), "{problem}");
                    let allowed: Vec<_> = ACTIONS
                        .iter()
                        .filter(|(_, moves)| moves.iter().any(|(from, _)| *from == status))
                        .map(|(action, _)| *action)
                        .collect();
                    let mut told: Vec<_> =
                        problem["allowed"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
                    told.sort_by_key(|told| ACTIONS.iter().position(|(action, _)| action == told));
                    assert_eq!(told, allowed, "{about}");
                    assert_eq!(world.status_of(tenant), status, "{about}");
                }
            }
        }
    }
}

#[actix_web::test]
async fn a_tenant_is_told_to_go_may_be_taken_back_and_is_gone_when_its_time_is_over() {
    let world = World::new();
    let tenant = world.tenant_in(Status::Active);
    let told = act(&world, "deprovision", tenant).await;
    assert_eq!(told.status, StatusCode::ACCEPTED);
    let state = told.json()["state"].clone();
    let now = world.test.clock.now();
    assert_eq!(state["dropAt"], timestamp::to_text(now + TimeDelta::days(7)));
    assert_eq!((&state["begun"], &state["former"]), (&json!(false), &json!("Active")));
    let again = act(&world, "deprovision", tenant).await;
    assert_eq!(again.status, StatusCode::ACCEPTED);
    assert_eq!(again.bytes, told.bytes, "asking twice is asking once");

    assert_eq!(act(&world, "restore", tenant).await.json()["status"], "Active");
    world.test.clock.advance(TimeDelta::days(8));
    world.work();
    assert_eq!(world.status_of(tenant), Status::Active, "what was taken back does not happen");

    act(&world, "deprovision", tenant).await;
    world.work();
    assert_eq!(world.status_of(tenant), Status::Deprovisioning);
    world.test.clock.advance(TimeDelta::days(7));
    world.work();
    assert!(world.test.world.existing().is_empty());
    let gone = view(&world, tenant).await;
    assert_eq!(gone["status"], "Deleted");
    let kinds: Vec<_> = gone["runs"].as_array().unwrap().iter().map(|run| run["kind"].clone()).collect();
    assert_eq!(kinds, ["Provision", "Deprovision", "Deprovision"], "its history is kept");
    act(&world, "deprovision", tenant).await.problem("tenant_not_found");
    let operator = world.operator();
    world.get("/api/v1/tenants/acme", &operator).await.problem("tenant_not_found");
    assert_ne!(world.tenant("acme"), tenant, "the slug is free");
}

#[actix_web::test]
async fn immediately_means_without_a_grace_period_also_where_one_has_begun() {
    for begun in [false, true] {
        let world = World::new();
        let tenant = world.tenant_in(Status::Active);
        if begun {
            act(&world, "deprovision", tenant).await;
        }
        let uri = format!("/api/v1/tenants/{tenant}?immediately=true");
        let delete = || authorised(TestRequest::delete().uri(&uri), &world.operator());
        let told = world.send(delete()).await;
        assert_eq!(told.status, StatusCode::ACCEPTED);
        assert_eq!(told.json()["state"]["dropAt"], timestamp::to_text(world.test.clock.now()));
        assert_eq!(world.send(delete()).await.bytes, told.bytes);
        world.work();
        assert_eq!(world.status_of(tenant), Status::Deleted);
        world.send(delete()).await.problem("tenant_not_found");
    }
}

#[actix_web::test]
async fn once_a_worker_drops_the_database_there_is_no_way_back() {
    let world = World::new();
    let tenant = world.dropping();
    let told = act(&world, "deprovision", tenant).await;
    assert_eq!(told.status, StatusCode::ACCEPTED);
    let told = told.json();
    assert_eq!(told["state"]["begun"], true);
    assert_eq!(told["runs"][1]["steps"][0]["step"], "DropDatabase");
    let refused = act(&world, "restore", tenant).await.problem("invalid_state");
    assert_eq!(refused["allowed"], json!([]));
    assert!(refused["detail"].as_str().unwrap().contains("no way back"), "{refused}");
}

#[actix_web::test]
async fn a_retry_needs_its_slug_back() {
    let world = World::new();
    let tenant = world.tenant_in(Status::Failed);
    let other = world.tenant("acme");
    let reply = act(&world, "retry", tenant).await;
    assert_eq!(reply.status, StatusCode::CONFLICT);
    assert_eq!(reply.problem("slug_taken")["title"], "Slug Already Exists");
    tenants::deprovision(world.platform(), any(other), Some(TimeDelta::zero())).unwrap();
    world.work();
    assert_eq!(act(&world, "retry", tenant).await.status, StatusCode::OK);
    world.work();
    let retried = view(&world, tenant).await;
    assert_eq!((&retried["status"], retried["runs"].as_array().unwrap().len()), (&json!("Active"), 2));
}

#[actix_web::test]
async fn what_an_operator_has_not_seen_is_not_changed() {
    for (action, status) in [
        ("suspend", Status::Active),
        ("resume", Status::Suspended),
        ("retry", Status::Failed),
        ("restore", Status::Deprovisioning),
        ("deprovision", Status::Active),
        ("change", Status::Active),
    ] {
        let world = World::new();
        let tenant = world.tenant_in(status);
        let operator = world.operator();
        let path = format!("/api/v1/tenants/{tenant}");
        let seen = world.get(&path, &operator).await;
        let (etag, version) = (seen.header("etag").unwrap(), seen.json()["version"].as_i64().unwrap());
        assert_eq!(etag, format!("\"{version}\""));
        let send = |tag: String| {
            let request = match action {
                "change" => TestRequest::patch().uri(&path).set_json(json!({ "name": "Another Name" })),
                action => request(action, tenant),
            };
            world.send(authorised(request.insert_header(("If-Match", tag)), &operator))
        };
        let stale = send(format!("\"{}\"", version - 1)).await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED, "{action}");
        stale.problem("precondition_failed");
        assert_eq!(world.get(&path, &operator).await.bytes, seen.bytes, "{action}");
        let done = send(etag.to_owned()).await;
        assert!(done.status.is_success(), "{action}: {:?}", done.bytes);
        assert_eq!(done.header("etag"), Some(format!("\"{}\"", version + 1).as_str()), "{action}");
        assert_eq!(done.header("cache-control"), Some("no-store"));
    }
}

async fn patch(world: &World, tenant: TenantId, change: &Value) -> Reply {
    let request = TestRequest::patch().uri(&format!("/api/v1/tenants/{tenant}")).set_json(change);
    world.send(authorised(request, &world.operator())).await
}

#[actix_web::test]
async fn name_plan_and_contact_are_changed_and_what_is_left_out_stays() {
    let world = World::new();
    let tenant = world.tenant_in(Status::Active);
    let before = view(&world, tenant).await;
    for (change, name, plan, contact) in [
        (json!({ "name": "Acme Inc" }), "Acme Inc", "Basic", json!("admin@acme.com")),
        (json!({ "plan": "Enterprise" }), "Acme Inc", "Enterprise", json!("admin@acme.com")),
        (json!({ "contactEmail": null }), "Acme Inc", "Enterprise", json!(null)),
        (
            json!({ "name": "Acme", "contactEmail": "a@b.example" }),
            "Acme",
            "Enterprise",
            json!("a@b.example"),
        ),
    ] {
        let reply = patch(&world, tenant, &change).await;
        assert_eq!(reply.status, StatusCode::OK, "{change}");
        let body = reply.json();
        assert_eq!(
            (&body["name"], &body["plan"], &body["contactEmail"]),
            (&json!(name), &json!(plan), &contact),
            "{change}"
        );
        assert_eq!((&body["slug"], &body["status"]), (&before["slug"], &before["status"]), "{change}");
    }
    assert_eq!(view(&world, tenant).await["version"], before["version"].as_i64().unwrap() + 4);
    for nothing in [json!({}), json!({ "name": "Acme" })] {
        let same = patch(&world, tenant, &nothing).await.json();
        assert_eq!(same["version"], before["version"].as_i64().unwrap() + 4, "{nothing}");
    }
}

#[actix_web::test]
async fn a_change_that_is_none_is_refused_with_everything_that_is_wrong() {
    let world = World::new();
    let tenant = world.tenant_in(Status::Active);
    let wrong = json!({ "name": null, "plan": "Gold", "contactEmail": "nobody", "slug": "other" });
    let reply = patch(&world, tenant, &wrong).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        reply.findings("validation_failed"),
        pairs(&[
            ("/contactEmail", "invalid_email"),
            ("/name", "wrong_type"),
            ("/plan", "invalid_plan"),
            ("/slug", "unknown_member"),
        ])
    );
    patch(&world, tenant, &json!({ "plan": "Gold" })).await.problem("invalid_plan");
}

#[actix_web::test]
async fn a_tenant_is_changed_in_every_state_in_which_it_is_there_and_nobody_works_on_it() {
    for status in Status::ALL {
        let world = World::new();
        let tenant = world.tenant_in(status);
        let reply = patch(&world, tenant, &json!({ "name": "Another Name" })).await;
        match status {
            Status::Expired | Status::Deleted => drop(reply.problem("tenant_not_found")),
            Status::Provisioning => {
                reply.problem("tenant_not_ready");
                assert!(reply.header("retry-after").is_some());
            }
            _ => assert_eq!(reply.status, StatusCode::OK, "{status}"),
        }
    }
    let world = World::new();
    let tenant = world.dropping();
    patch(&world, tenant, &json!({ "name": "Another Name" })).await.problem("tenant_not_ready");
}

#[actix_web::test]
async fn tenants_that_are_not_there_are_not_found() {
    let world = World::new();
    let operator = world.operator();
    for tenant in ["acme", "ten_3fa85f6457174562b3fc2c963f66afa6", "X"] {
        for (action, _) in ACTIONS {
            let reply = world.send(authorised(request(action, tenant), &operator)).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{action} {tenant}");
            reply.problem("tenant_not_found");
        }
        world.get(&format!("/api/v1/tenants/{tenant}"), &operator).await.problem("tenant_not_found");
    }
}

#[actix_web::test]
async fn a_failure_is_told_with_its_reason_and_whether_somebody_has_to_look() {
    for needs_attention in [false, true] {
        let world = World::new();
        let (tenant, token) = world.announced("acme");
        tenants::confirm(world.platform(), &token).unwrap();
        world.fail(DatabaseCall::Migrate, DatabaseFault::Lasting);
        if needs_attention {
            world.fail(DatabaseCall::Remove, DatabaseFault::Lasting);
        }
        world.work();
        let failed = view(&world, tenant).await;
        assert_eq!(failed["status"], "Failed");
        assert_eq!(failed["state"]["needsAttention"], needs_attention);
        for member in ["code", "message"] {
            assert!(
                failed["state"]["reason"][member].as_str().is_some_and(|text| !text.is_empty()),
                "{failed}"
            );
        }
        assert_eq!(failed["runs"][0]["direction"], "Unwind");
        let gone = act(&world, "deprovision", tenant).await.json();
        assert_eq!(gone["state"]["needsAttention"], needs_attention, "it is still known");
    }
}
