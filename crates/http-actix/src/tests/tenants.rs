//! Creating a tenant with its first admin.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::http::StatusCode;
use serde_json::{Value, json};
use tenantry_ports::DatabaseFault;
use tenantry_testkit::{DatabaseCall, FailureMoment};
use tenantry_usecases::provisioning::work_once;

use super::{World, pairs};
use crate::HttpSettings;

const PATH: &str = "/api/v1/tenants";

fn acme() -> Value {
    json!({
        "name": "Acme Corp",
        "subdomain": "acme",
        "config": { "region": "us" },
        "admin": {
            "email": "admin@acme.com",
            "username": "acmeadmin",
            "password": "ChangeMe123!",
            "firstName": "Acme",
            "lastName": "Admin"
        }
    })
}

/// A worker that works until it is dropped.
pub(super) struct Worker(Arc<AtomicBool>, Option<std::thread::JoinHandle<()>>);

impl Worker {
    pub(super) fn start(world: &World) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (platform, stopped) = (Arc::clone(&world.test.platform), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::SeqCst) {
                work_once(&platform, "worker-1").unwrap();
                std::thread::yield_now();
            }
        });
        Self(stop, Some(thread))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
        self.1.take().unwrap().join().unwrap();
    }
}

#[actix_web::test]
async fn it_answers_as_the_source_does_once_the_tenant_is_active() {
    let world = World::new();
    let _worker = Worker::start(&world);
    let reply = world.post(PATH, "", &acme()).await;
    assert_eq!(reply.status, StatusCode::CREATED);
    let body = reply.json();
    let (id, user) = (body["tenant"]["id"].as_str().unwrap(), body["adminUser"]["id"].as_str().unwrap());
    assert!(id.starts_with("ten_") && user.starts_with("usr_"), "{body}");
    assert_eq!(reply.header("location").unwrap(), format!("/api/v1/tenants/{id}"));
    for (pointer, value) in [
        ("/tenant/name", "Acme Corp"),
        ("/tenant/subdomain", "acme"),
        ("/tenant/status", "Active"),
        ("/tenant/plan", "Basic"),
        ("/tenant/config/region", "us"),
        ("/adminUser/email", "admin@acme.com"),
        ("/adminUser/username", "acmeadmin"),
        ("/adminUser/role", "ADMIN"),
    ] {
        assert_eq!(body.pointer(pointer).unwrap(), value, "{pointer}");
    }
    assert!(!body.to_string().contains("ChangeMe123!"));
    let login = json!({ "email": "admin@acme.com", "password": "ChangeMe123!" });
    assert_eq!(world.post("/api/v1/acme/auth/login", "", &login).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn the_shortest_request_of_the_source_is_enough() {
    let world = World::new();
    let _worker = Worker::start(&world);
    let mut body = acme();
    body["admin"] = json!({ "email": "admin@acme.com", "password": "ChangeMe123!" });
    let reply = world.post(PATH, "", &body).await;
    assert_eq!(reply.status, StatusCode::CREATED);
    assert_eq!(reply.json()["adminUser"]["username"], "admin");
}

#[actix_web::test]
async fn a_taken_slug_and_bad_input_are_refused_before_anything_is_made() {
    let world = World::new();
    world.tenant("acme");
    world.post(PATH, "", &acme()).await.problem("slug_taken");
    let mut body = acme();
    body["subdomain"] = "api".into();
    body["plan"] = "Gold".into();
    body["admin"] = json!({ "email": "x", "username": "a b", "password": 5, "role": "ADMIN" });
    let reply = world.post(PATH, "", &body).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        reply.findings("validation_failed"),
        pairs(&[
            ("/admin/email", "too_short"),
            ("/admin/password", "wrong_type"),
            ("/admin/role", "unknown_member"),
            ("/admin/username", "invalid_username"),
            ("/plan", "invalid_plan"),
            ("/subdomain", "reserved_slug"),
        ])
    );
    let mut body = acme();
    body["subdomain"] = "other".into();
    body["admin"]["password"] = "short".into();
    let findings = world.post(PATH, "", &body).await.findings("validation_failed");
    assert!(
        findings.iter().all(|(pointer, _)| pointer == "/admin/password") && !findings.is_empty(),
        "{findings:?}"
    );
    assert_eq!(world.test.world.existing().len(), 1);
}

#[actix_web::test]
async fn a_provisioning_that_fails_is_told_with_where_to_look() {
    let world = World::new();
    world.test.databases.fail(DatabaseCall::Migrate, FailureMoment::BeforeEffect, DatabaseFault::Lasting, 1);
    let _worker = Worker::start(&world);
    let reply = world.post(PATH, "", &acme()).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    let body = reply.problem("provisioning_failed");
    assert!(body["errorCode"].is_string(), "{body}");
    let followed = world.get(body["statusEndpoint"].as_str().unwrap(), "").await.json();
    assert_eq!(followed["status"], "Failed");
}

#[actix_web::test]
async fn a_provisioning_that_takes_too_long_is_told_with_where_to_follow_it() {
    let world = World::with(HttpSettings { activation_wait: Duration::ZERO, ..HttpSettings::default() });
    let reply = world.post(PATH, "", &acme()).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    let body = reply.problem("provisioning_unfinished");
    assert!(reply.header("retry-after").is_some());
    let followed = world.get(body["statusEndpoint"].as_str().unwrap(), "").await.json();
    assert_eq!(followed["status"], "QUEUED");
    world.work();
    let followed = world.get(body["statusEndpoint"].as_str().unwrap(), "").await.json();
    assert_eq!(followed["status"], "Active");
}

#[actix_web::test]
async fn the_answer_comes_as_soon_as_the_worker_is_done_wherever_that_is() {
    let world = World::new();
    let replica = world.replica();
    let _worker = Worker::start(&world);
    for (server, slug) in [(&world, "acme"), (&replica, "globex")] {
        let mut body = acme();
        body["subdomain"] = slug.into();
        assert_eq!(server.post(PATH, "", &body).await.status, StatusCode::CREATED, "{slug}");
        assert_eq!(server.state.watch.waiting(), 0, "{slug}");
    }
}

#[actix_web::test]
async fn only_the_operator_says_on_which_server() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("other");
    let _worker = Worker::start(&world);
    let mut body = acme();
    body["cluster"] = "main".into();
    assert_eq!(world.post(PATH, "", &body).await.problem("missing_authorization")["status"], 401);
    assert_eq!(world.post(PATH, &key, &body).await.problem("forbidden")["status"], 403);
    let operator = world.operator();
    let made = world.post(PATH, &operator, &body).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(world.get(made.header("location").unwrap(), &operator).await.json()["cluster"], "main");

    body["subdomain"] = "third".into();
    body["cluster"] = "mars".into();
    let unknown = world.post(PATH, &operator, &body).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(unknown.findings("unknown_cluster"), pairs(&[("/cluster", "unknown_cluster")]));
    body["cluster"] = "Mars!".into();
    let wrong = world.post(PATH, &operator, &body).await;
    assert_eq!(wrong.findings("validation_failed"), pairs(&[("/cluster", "invalid_cluster")]));
}
