//! What an operator, and a tenant's admin, see of tenants.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tenantry_domain::tenant::{Plan, Slug, Status, TenantName};
use tenantry_ports::Scope;
use tenantry_usecases::tenants::{self, InitTenant};

use super::states::any;
use super::{World, get, pairs};

const PATH: &str = "/api/v1/tenants";

/// Every item of the list with this query, page by page, and how many pages there were.
async fn listed(world: &World, query: &str) -> (Vec<Value>, usize) {
    let operator = world.operator();
    let (mut items, mut pages, mut cursor) = (Vec::new(), 0, None::<String>);
    loop {
        let next = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let reply = world.get(&format!("{PATH}?{query}{next}"), &operator).await;
        assert_eq!(reply.status, StatusCode::OK, "{query}: {:?}", reply.bytes);
        let mut page = reply.json();
        items.append(page["items"].as_array_mut().unwrap());
        pages += 1;
        match page["nextCursor"].take() {
            Value::String(next) => cursor = Some(next),
            _ => return (items, pages),
        }
    }
}

fn slugs(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["slug"].as_str().unwrap()).collect()
}

/// Seven tenants, made two by two in the same instant, of all plans.
fn seven(world: &World) {
    for number in 0..7 {
        let command = InitTenant {
            name: TenantName::new(format!("Corporation No. {number}")).unwrap(),
            slug: Slug::new(format!("tenant-{number}")).unwrap(),
            plan: Plan::ALL[number % 3],
            contact_email: None,
            cluster: None,
        };
        let announced = tenants::init(world.platform(), command).unwrap();
        if number < 4 {
            tenants::confirm(world.platform(), announced.confirm_token.expose()).unwrap();
        }
        if number % 2 == 1 {
            world.test.clock.advance(TimeDelta::seconds(1));
        }
    }
    world.work();
}

#[actix_web::test]
async fn tenants_are_listed_newest_first_over_as_many_pages_as_it_takes() {
    let world = World::new();
    seven(&world);
    let (all, pages) = listed(&world, "limit=200").await;
    assert_eq!((all.len(), pages), (7, 1));
    let created: Vec<_> = all.iter().map(|item| item["createdAt"].as_str().unwrap()).collect();
    assert!(created.is_sorted_by(|a, b| a >= b), "{created:?}");
    for limit in 1..=7 {
        let (items, pages) = listed(&world, &format!("limit={limit}")).await;
        assert_eq!(items, all, "{limit}");
        assert_eq!(pages, 7_usize.div_ceil(limit), "{limit}");
    }
}

#[actix_web::test]
async fn a_list_is_filtered_by_status_plan_and_text_on_every_page() {
    let world = World::new();
    seven(&world);
    for (query, expected) in [
        ("status=Active", &["tenant-0", "tenant-1", "tenant-2", "tenant-3"][..]),
        ("status=PENDING_VALIDATION", &["tenant-4", "tenant-5", "tenant-6"]),
        ("status=Suspended", &[]),
        ("plan=Premium", &["tenant-1", "tenant-4"]),
        ("text=NO.%206", &["tenant-6"]),
        ("text=tenant-2", &["tenant-2"]),
        (
            "text=corporation",
            &["tenant-0", "tenant-1", "tenant-2", "tenant-3", "tenant-4", "tenant-5", "tenant-6"],
        ),
        ("status=Active&plan=Basic&text=tenant", &["tenant-0", "tenant-3"]),
        ("text=%25", &[]),
        ("text=_", &[]),
    ] {
        for limit in [1, 2, 50] {
            let (items, _) = listed(&world, &format!("{query}&limit={limit}")).await;
            assert_eq!(
                BTreeSet::from_iter(slugs(&items)),
                BTreeSet::from_iter(expected.iter().copied()),
                "{query}"
            );
            assert_eq!(items.len(), expected.len(), "{query}");
        }
    }
}

#[actix_web::test]
async fn a_list_shows_what_an_operator_looks_for() {
    let world = World::new();
    let tenant = world.tenant_in(Status::Active);
    let (items, _) = listed(&world, "").await;
    let expected = json!({
        "id": tenant.to_string(),
        "provisioningId": tenant.uuid().to_string(),
        "slug": "acme",
        "name": "Test Corp",
        "plan": "Basic",
        "status": "Active",
        "contactEmail": "admin@acme.com",
        "cluster": "main",
        "createdAt": "2026-03-01T12:00:00.123Z",
        "updatedAt": "2026-03-01T12:00:00.123Z",
        "version": 3
    });
    assert_eq!(items, [expected]);
}

#[actix_web::test]
async fn a_list_refuses_what_it_does_not_understand_and_cursors_of_other_lists() {
    let world = World::new();
    seven(&world);
    let operator = world.operator();
    let wrong = format!("{PATH}?status=active&plan=Gold&text={}&limit=0&x=1", "x".repeat(201));
    let reply = world.get(&wrong, &operator).await;
    assert_eq!(
        reply.findings("invalid_parameter"),
        pairs(&[
            ("/status", "invalid_value"),
            ("/plan", "invalid_value"),
            ("/text", "too_long"),
            ("/limit", "out_of_range"),
            ("/x", "unknown_parameter"),
        ])
    );
    let page = world.get(&format!("{PATH}?limit=1&status=Active"), &operator).await.json();
    let cursor = page["nextCursor"].as_str().unwrap();
    for query in ["", "status=Active&plan=Basic", "text=Active", "status=Failed"] {
        let reply = world.get(&format!("{PATH}?{query}&cursor={cursor}"), &operator).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{query}");
        reply.problem("invalid_cursor");
    }
}

#[actix_web::test]
async fn a_tenant_shows_the_facts_of_its_state_and_all_that_was_done() {
    for (status, facts, runs) in [
        (Status::PendingValidation, &["expiresAt", "since"][..], &[1][..]),
        (Status::Queued, &["since"], &[1]),
        (Status::Provisioning, &["since"], &[3]),
        (Status::Active, &["since"], &[5]),
        (Status::Suspended, &["since"], &[5]),
        (Status::Failed, &["needsAttention", "reason", "since"], &[3]),
        (Status::Expired, &["since"], &[1]),
        (Status::Deprovisioning, &["begun", "dropAt", "former", "since"], &[5, 0]),
        (Status::Deleted, &["since"], &[5, 1]),
    ] {
        let world = World::new();
        let tenant = world.tenant_in(status);
        let reply = world.get(&format!("{PATH}/{tenant}"), &world.operator()).await;
        assert_eq!(reply.status, StatusCode::OK, "{status}");
        let body = reply.json();
        assert_eq!(body["status"], status.as_str());
        assert_eq!(body["dbName"], "ecom_tenant_acme");
        let told: BTreeSet<_> = body["state"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(told, BTreeSet::from_iter(facts.iter().copied()), "{status}");
        let steps: Vec<_> = body["runs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|run| run["steps"].as_array().unwrap().len())
            .collect();
        assert_eq!(steps, runs, "{status}");
    }
}

#[actix_web::test]
async fn a_tenant_that_has_not_changed_is_not_sent_again_unless_something_is_going_on() {
    for status in Status::ALL {
        let world = World::new();
        let tenant = world.tenant_in(status);
        let (path, operator) = (format!("{PATH}/{tenant}"), world.operator());
        let first = world.get(&path, &operator).await;
        let etag = first.header("etag").unwrap();
        let again = world.send(get(&path, &operator).insert_header(("If-None-Match", etag))).await;
        let settled = !matches!(status, Status::Queued | Status::Provisioning | Status::Deprovisioning);
        let expected = if settled { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        assert_eq!(again.status, expected, "{status}");
        assert_eq!(again.header("etag"), Some(etag));
    }
}

#[actix_web::test]
async fn a_tenants_admin_reads_their_own_tenant_and_lists_none() {
    let world = World::new();
    let tenant = world.tenant_in(Status::Active);
    let (other, _) = world.tenant_and_key("other");
    let admin = world.admin("acme").await;
    for spelling in ["acme".to_owned(), tenant.to_string()] {
        let reply = world.get(&format!("{PATH}/{spelling}"), &admin).await;
        assert_eq!((reply.status, &reply.json()["slug"]), (StatusCode::OK, &json!("acme")));
    }
    world.get(&format!("{PATH}/{other}"), &admin).await.problem("wrong_tenant");
    world.get(&format!("{PATH}/nowhere"), &admin).await.problem("wrong_tenant");
    world.get(PATH, &admin).await.problem("forbidden");
    let machine = world.key(Some(tenant), &Scope::ALL);
    world.get(&format!("{PATH}/acme"), &machine).await.problem("forbidden");
    tenants::suspend(world.platform(), any(tenant)).unwrap();
    world.replica().get(&format!("{PATH}/acme"), &admin).await.problem("tenant_suspended");
}
