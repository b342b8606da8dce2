//! Who gets a tenant at either door, whichever way they are kept.

use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use actix_web::http::StatusCode;
use serde_json::{Value, json};
use tenantry_ports::{CaptchaAnswer, CaptchaUnavailable, CaptchaVerdict, CaptchaVerifier, Scope};
use tenantry_usecases::tenants;

use super::{Reply, World, post};
use crate::{Doors, HttpSettings};

const SLUG: &str = "acme";

/// Both doors, and a sound order for each.
fn doors() -> [(&'static str, Value); 2] {
    let admin = json!({ "email": "admin@acme.com", "password": "ChangeMe123!" });
    [
        ("/provision/tenants/init", json!({ "name": "Acme", "slug": SLUG, "plan": "Basic" })),
        ("/api/v1/tenants", json!({ "name": "Acme", "subdomain": SLUG, "admin": admin })),
    ]
}

fn world(doors: Doors) -> World {
    // Nobody provisions here: an order that was taken is told so at once.
    World::behind(doors, HttpSettings { activation_wait: Duration::ZERO, ..HttpSettings::default() })
}

fn is_stored(world: &World) -> bool {
    tenants::find(world.platform(), &SLUG.parse().unwrap()).unwrap().is_some()
}

#[track_caller]
fn assert_ordered(reply: &Reply, world: &World) {
    if reply.status != StatusCode::OK {
        reply.problem("provisioning_unfinished");
    }
    assert!(is_stored(world));
}

#[track_caller]
fn assert_refused(reply: &Reply, status: StatusCode, code: &str, world: &World) -> Value {
    assert_eq!(reply.status, status);
    assert!(!is_stored(world), "{code}");
    reply.problem(code)
}

/// A provider that knows two tokens: one that is good, and one at which it breaks down.
#[derive(Default)]
struct Provider {
    asked: Mutex<Vec<String>>,
    threads: Mutex<Vec<ThreadId>>,
}

const GOOD: &str = "good";
const BREAKING: &str = "breaking";

impl CaptchaVerifier for Provider {
    fn verify<'a>(&'a self, response: &'a str, remote_ip: Option<std::net::IpAddr>) -> CaptchaAnswer<'a> {
        assert_eq!(remote_ip, None, "no address that nobody vouches for");
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.threads.lock().unwrap().push(thread::current().id());
            self.asked.lock().unwrap().push(response.to_owned());
            match response {
                GOOD => Ok(CaptchaVerdict::Passed),
                BREAKING => Err(CaptchaUnavailable::new("10.0.0.1 did not answer")),
                _ => Ok(CaptchaVerdict::Refused { codes: vec!["invalid-input-response".to_owned()] }),
            }
        })
    }
}

fn guarded() -> (World, Arc<Provider>) {
    let provider = Arc::<Provider>::default();
    (world(Doors::Captcha(provider.clone())), provider)
}

impl Provider {
    /// The tokens it was asked about since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

async fn order(world: &World, path: &str, credential: &str, token: Option<&str>, body: &Value) -> Reply {
    let mut request = post(path, credential).set_json(body);
    if let Some(token) = token {
        request = request.insert_header(("X-Captcha-Response", token));
    }
    world.send(request).await
}

#[actix_web::test]
async fn open_doors_ask_for_nothing() {
    for (path, body) in doors() {
        let world = world(Doors::Open);
        assert_ordered(&world.post(path, "nonsense", &body).await, &world);
    }
}

#[actix_web::test]
async fn the_operators_doors_let_the_operator_in_and_nobody_else() {
    for (path, body) in doors() {
        let world = world(Doors::Operator);
        let other = world.tenant_with_admin("other");
        let reply = world.post(path, "", &body).await;
        assert_refused(&reply, StatusCode::UNAUTHORIZED, "missing_authorization", &world);
        assert!(reply.header("www-authenticate").is_some());
        for wrong in ["nonsense", "a.b.c"] {
            let reply = world.post(path, wrong, &body).await;
            assert_refused(&reply, StatusCode::UNAUTHORIZED, "invalid_token", &world);
        }
        for somebody in [world.key(Some(other), &Scope::ALL), world.admin("other").await] {
            let reply = world.post(path, &somebody, &body).await;
            assert_refused(&reply, StatusCode::FORBIDDEN, "forbidden", &world);
        }
        let operator = world.operator();
        let unseen = world.post(path, "", &json!({})).await;
        assert_refused(&unseen, StatusCode::UNAUTHORIZED, "missing_authorization", &world);
        let seen = world.post(path, &operator, &json!({})).await;
        assert_refused(&seen, StatusCode::BAD_REQUEST, "validation_failed", &world);
        assert_ordered(&world.post(path, &operator, &body).await, &world);
    }
}

#[actix_web::test]
async fn who_solved_the_challenge_gets_a_tenant_and_the_provider_is_asked_once() {
    for (path, body) in doors() {
        let (world, provider) = guarded();
        assert_ordered(&order(&world, path, "", Some(GOOD), &body).await, &world);
        assert_eq!(provider.asked(), [GOOD]);
        let here = [thread::current().id()];
        assert_eq!(*provider.threads.lock().unwrap(), here, "asked where waiting costs nobody a thread");
    }
}

#[actix_web::test]
async fn who_did_not_solve_the_challenge_gets_nothing() {
    for (path, body) in doors() {
        let (world, provider) = guarded();
        for missing in [None, Some(""), Some(" ")] {
            let reply = order(&world, path, "", missing, &body).await;
            let problem = assert_refused(&reply, StatusCode::FORBIDDEN, "captcha_failed", &world);
            assert!(problem["detail"].as_str().unwrap().contains("X-Captcha-Response"), "{problem}");
        }
        assert_eq!(provider.asked(), [""; 0]);
        let reply = order(&world, path, "", Some("forged"), &body).await;
        assert_refused(&reply, StatusCode::FORBIDDEN, "captcha_failed", &world);
        assert_eq!(provider.asked(), ["forged"]);
    }
}

#[actix_web::test]
async fn a_provider_that_does_not_answer_lets_nobody_in() {
    for (path, body) in doors() {
        let (world, _) = guarded();
        let reply = order(&world, path, "", Some(BREAKING), &body).await;
        let problem = assert_refused(&reply, StatusCode::SERVICE_UNAVAILABLE, "captcha_unavailable", &world);
        assert!(reply.header("retry-after").is_some());
        assert!(!problem.to_string().contains("10.0.0.1"), "{problem}");
    }
}

#[actix_web::test]
async fn a_fault_in_the_body_costs_no_token() {
    for (path, body) in doors() {
        let (world, provider) = guarded();
        let mut faulty = body.clone();
        faulty["name"] = "".into();
        let reply = order(&world, path, "", Some(GOOD), &faulty).await;
        assert_refused(&reply, StatusCode::BAD_REQUEST, "validation_failed", &world);
        assert_eq!(provider.asked(), [""; 0]);
        assert_ordered(&order(&world, path, "", Some(GOOD), &body).await, &world);
    }
}

#[actix_web::test]
async fn the_operator_needs_no_captcha_and_everybody_else_does() {
    for (path, body) in doors() {
        let (world, provider) = guarded();
        let key = world.tenant_and_key("other").1;
        let reply = order(&world, path, &key, None, &body).await;
        assert_refused(&reply, StatusCode::FORBIDDEN, "captcha_failed", &world);
        let reply = order(&world, path, "nonsense", Some(GOOD), &body).await;
        assert_refused(&reply, StatusCode::UNAUTHORIZED, "invalid_token", &world);
        assert_eq!(provider.asked(), [""; 0]);
        assert_ordered(&order(&world, path, &world.operator(), None, &body).await, &world);
        assert_eq!(provider.asked(), [""; 0]);
    }
}

#[actix_web::test]
async fn somebody_who_signed_in_to_a_tenant_may_order_another_by_solving_the_challenge() {
    for (path, body) in doors() {
        let (world, provider) = guarded();
        world.tenant_with_admin("other");
        let admin = world.admin("other").await;
        assert_ordered(&order(&world, path, &admin, Some(GOOD), &body).await, &world);
        assert_eq!(provider.asked(), [GOOD]);
    }
}

#[actix_web::test]
async fn what_follows_an_order_needs_neither_captcha_nor_operator() {
    for doors in [Doors::Operator, Doors::Captcha(Arc::<Provider>::default())] {
        let world = world(doors);
        let (tenant, token) = world.announced(SLUG);
        let confirmed = world.send(post("/provision/tenants/confirm", &token)).await;
        assert_eq!(confirmed.status, StatusCode::OK);
        let status = world.get(&format!("/provision/tenants/{}/status", tenant.uuid()), "").await;
        assert_eq!(status.status, StatusCode::OK);
    }
}
