//! The doors that open to signed requests.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use chrono::{DateTime, TimeDelta};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tenantry_ports::{Clock as _, Scope};
use tenantry_security::HmacSecrets;
use tenantry_usecases::signatures::Signers;
use tenantry_usecases::tenants;

use super::{Reply, World, post};
use crate::{Doors, HttpSettings};

const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const NEXT: &str = "t7Jm+S/0cBRwTqQ4Zs2VgUe8yLhPxk3n1A9dFoCiWvE=";
const INIT: &str = "/provision/tenants/init";
const CREATE: &str = "/api/v1/tenants";

fn world() -> World {
    let secrets: HmacSecrets = format!("{SECRET} {NEXT}").parse().unwrap();
    let doors = Doors::Hmac(Signers { secrets: Arc::new(secrets), window: TimeDelta::minutes(5) });
    // Nobody provisions here: an order that was taken is told so at once.
    World::behind(doors, HttpSettings { activation_wait: Duration::ZERO, ..HttpSettings::default() })
}

/// A request and everything that is signed of it.
#[derive(Clone)]
struct Order {
    secret: &'static str,
    method: &'static str,
    target: String,
    timestamp: String,
    nonce: String,
    body: String,
}

/// Whatever a test changes between signing and sending.
type Change = fn(&mut Order);

impl Order {
    /// A sound one, signed now.
    fn new(world: &World, target: &str, slug: &str) -> Self {
        let admin = json!({ "email": "admin@acme.com", "password": "ChangeMe123!" });
        let body = match target.split('?').next().unwrap() {
            INIT => json!({ "name": "Acme", "slug": slug, "plan": "Basic" }),
            _ => json!({ "name": "Acme", "subdomain": slug, "admin": admin }),
        };
        Self {
            secret: SECRET,
            method: "POST",
            target: target.to_owned(),
            timestamp: world.test.clock.now().timestamp().to_string(),
            nonce: format!("nonce-of-the-order-of-{slug}"),
            body: body.to_string(),
        }
    }

    fn signature(&self) -> String {
        let digest = hex(&Sha256::digest(&self.body));
        let Self { secret, method, target, timestamp, nonce, .. } = self;
        let text = format!("v1\n{method}\n{target}\n{timestamp}\n{nonce}\n{digest}");
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(text).finalize();
        format!("v1={}", hex(&mac.into_bytes()))
    }

    fn request(&self, signature: &str, credential: &str) -> TestRequest {
        post(&self.target, credential)
            .insert_header(("Content-Type", "application/json"))
            .insert_header(("X-Signature", signature))
            .insert_header(("X-Signature-Timestamp", &*self.timestamp))
            .insert_header(("X-Signature-Nonce", &*self.nonce))
            .set_payload(self.body.clone())
    }

    async fn send(&self, world: &World) -> Reply {
        world.send(self.request(&self.signature(), "")).await
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_stored(world: &World, slug: &str) -> bool {
    tenants::find(world.platform(), &slug.parse().unwrap()).unwrap().is_some()
}

#[track_caller]
fn assert_ordered(reply: &Reply, world: &World, slug: &str) {
    if reply.status != StatusCode::OK {
        reply.problem("provisioning_unfinished");
    }
    assert!(is_stored(world, slug));
}

#[track_caller]
fn assert_refused(reply: &Reply, code: &str, world: &World, slug: &str) -> Value {
    let problem = reply.problem(code);
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert!(reply.header("www-authenticate").is_some());
    assert!(!is_stored(world, slug), "{code}");
    problem
}

#[actix_web::test]
async fn who_signs_gets_a_tenant_at_either_door_with_either_secret() {
    let world = world();
    for (number, (target, secret)) in
        [(INIT, SECRET), (INIT, NEXT), (CREATE, SECRET), (CREATE, NEXT)].into_iter().enumerate()
    {
        let slug = format!("acme-{number}");
        let order = Order { secret, ..Order::new(&world, target, &slug) };
        assert_ordered(&order.send(&world).await, &world, &slug);
    }
}

#[actix_web::test]
async fn what_was_changed_on_the_way_is_refused() {
    let changes: [(&str, Change); 7] = [
        ("the body", |order| order.body = order.body.replace("Acme", "Bcme")),
        ("a space in the body", |order| order.body.push(' ')),
        ("the nonce", |order| order.nonce.push('x')),
        ("the time", |order| order.timestamp = (order.timestamp.parse::<i64>().unwrap() + 1).to_string()),
        ("the query", |order| order.target.push_str("?x=1")),
        ("the door", |order| {
            let other = if order.target == INIT { CREATE } else { INIT };
            order.target = other.to_owned();
        }),
        ("leading zeros", |order| order.timestamp.insert(0, '0')),
    ];
    for target in [INIT, CREATE] {
        for (what, change) in &changes {
            let world = world();
            let mut order = Order::new(&world, target, "acme");
            let signature = order.signature();
            change(&mut order);
            let reply = world.send(order.request(&signature, "")).await;
            let problem = assert_refused(&reply, "invalid_signature", &world, "acme");
            assert!(
                !problem.to_string().contains("Bcme") && !problem["errors"].is_array(),
                "{what} {problem}"
            );
        }
    }
}

#[actix_web::test]
async fn what_was_signed_otherwise_is_refused() {
    let world = world();
    let wrong = "another secret of the same length as the other one is, or so..";
    let sound = Order::new(&world, INIT, "acme");
    for order in [
        Order { secret: wrong, ..sound.clone() },
        Order { secret: "", ..sound.clone() },
        Order { method: "GET", ..sound.clone() },
        Order { method: "post", ..sound.clone() },
    ] {
        let reply = world.send(sound.request(&order.signature(), "")).await;
        assert_refused(&reply, "invalid_signature", &world, "acme");
    }
    let signature = sound.signature();
    for malformed in [&signature[3..], &signature[..66], "v1=", &signature.replace("v1", "v0")] {
        let reply = world.send(sound.request(malformed, "")).await;
        assert_refused(&reply, "invalid_signature", &world, "acme");
    }
    assert_ordered(&sound.send(&world).await, &world, "acme");
}

#[actix_web::test]
async fn without_a_signature_one_is_told_what_is_needed_before_anything_is_said_of_the_body() {
    let world = world();
    for target in [INIT, CREATE] {
        for body in [json!({}), json!({ "name": "Acme", "slug": "acme", "plan": "Basic" })] {
            let problem =
                assert_refused(&world.post(target, "", &body).await, "missing_signature", &world, "acme");
            let detail = problem["detail"].as_str().unwrap();
            for header in ["X-Signature", "X-Signature-Timestamp", "X-Signature-Nonce"] {
                assert!(detail.contains(header), "{detail}");
            }
        }
        let order = Order::new(&world, target, "acme");
        let mut faulty = order.clone();
        faulty.body = "{".to_owned();
        let reply = world.send(faulty.request(&order.signature(), "")).await;
        assert_refused(&reply, "invalid_signature", &world, "acme");
    }
}

#[actix_web::test]
async fn a_clock_that_is_off_is_told_so() {
    let world = world();
    // The world's clock is some way into a second.
    for (off, detail) in [
        (
            -300,
            "X-Signature-Timestamp is 301 seconds behind the server's clock; at most 300 seconds are accepted",
        ),
        (301, "X-Signature-Timestamp is 301 seconds ahead of the server's clock"),
        (-86_400, "X-Signature-Timestamp is 86401 seconds behind"),
    ] {
        let mut order = Order::new(&world, INIT, "acme");
        order.timestamp = (order.timestamp.parse::<i64>().unwrap() + off).to_string();
        let problem = assert_refused(&order.send(&world).await, "clock_skew", &world, "acme");
        assert!(problem["detail"].as_str().unwrap().starts_with(detail), "{problem}");
        assert_eq!(problem["serverTime"], "2026-03-01T12:00:00.123Z");
    }
    for (off, slug) in [(-299, "behind"), (300, "ahead")] {
        let mut order = Order::new(&world, INIT, slug);
        order.timestamp = (order.timestamp.parse::<i64>().unwrap() + off).to_string();
        assert_ordered(&order.send(&world).await, &world, slug);
    }
}

#[actix_web::test]
async fn a_request_that_is_replayed_is_let_in_once() {
    for target in [INIT, CREATE] {
        let world = world();
        let order = Order::new(&world, target, "acme");
        assert_ordered(&order.send(&world).await, &world, "acme");
        for later in [0, 1, 298] {
            world.test.clock.advance(TimeDelta::seconds(later));
            let reply = order.send(&world).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
            reply.problem("nonce_reused");
        }
        world.test.clock.advance(TimeDelta::seconds(2));
        order.send(&world).await.problem("clock_skew");
    }
}

#[actix_web::test]
async fn of_concurrent_replays_one_is_let_in() {
    let world = world();
    let order = Order::new(&world, INIT, "acme");
    let replies = futures_util::future::join_all((0..8).map(|_| order.send(&world))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == StatusCode::OK).count(), 1);
    for reply in replies.iter().filter(|reply| reply.status != StatusCode::OK) {
        reply.problem("nonce_reused");
    }
}

#[actix_web::test]
async fn a_nonce_is_good_for_one_request_whatever_else_is_signed() {
    let world = world();
    let first = Order::new(&world, INIT, "acme");
    let second = Order { nonce: first.nonce.clone(), secret: NEXT, ..Order::new(&world, CREATE, "other") };
    assert_ordered(&first.send(&world).await, &world, "acme");
    assert_refused(&second.send(&world).await, "nonce_reused", &world, "other");
}

#[actix_web::test]
async fn a_fault_in_the_body_costs_no_nonce_and_neither_does_a_wrong_signature() {
    let world = world();
    let sound = Order::new(&world, INIT, "acme");
    let faulty = Order { body: json!({ "name": "" }).to_string(), ..sound.clone() };
    assert_eq!(faulty.send(&world).await.findings("validation_failed").len(), 3);
    let reply = world.send(sound.request(&faulty.signature(), "")).await;
    assert_refused(&reply, "invalid_signature", &world, "acme");
    assert_ordered(&sound.send(&world).await, &world, "acme");
}

#[actix_web::test]
async fn the_operator_needs_no_signature_and_everybody_else_does() {
    for target in [INIT, CREATE] {
        let world = world();
        let order = Order::new(&world, target, "acme");
        let body: Value = serde_json::from_str(&order.body).unwrap();
        let other = world.tenant_with_admin("other");
        for somebody in [world.key(Some(other), &Scope::ALL), world.admin("other").await] {
            let reply = world.post(target, &somebody, &body).await;
            assert_refused(&reply, "missing_signature", &world, "acme");
        }
        let reply = world.send(order.request(&order.signature(), "nonsense")).await;
        assert_refused(&reply, "invalid_token", &world, "acme");
        assert_ordered(&world.post(target, &world.operator(), &body).await, &world, "acme");
        // Which did not use the nonce.
        let again = Order { target: order.target.clone(), ..Order::new(&world, target, "second") };
        assert_ordered(&again.send(&world).await, &world, "second");
    }
}

/// The values of the documentation's test vector, by what stands before them.
fn documented(name: &str) -> Vec<&'static str> {
    const DOCUMENTATION: &str = include_str!("../../../../docs/provisioning-access.md");
    let row = DOCUMENTATION.lines().find_map(|line| line.strip_prefix(&format!("| {name} | ")));
    row.unwrap_or_else(|| panic!("{name}")).split('`').skip(1).step_by(2).collect()
}

#[actix_web::test]
async fn the_documented_vector_is_signed_and_accepted() {
    let [method, target] = documented("method and target")[..] else { panic!() };
    let order = Order {
        secret: documented("secret")[0],
        method,
        target: target.to_owned(),
        timestamp: documented("timestamp")[0].to_owned(),
        nonce: documented("nonce")[0].to_owned(),
        body: documented("body")[0].to_owned(),
    };
    assert_eq!(hex(&Sha256::digest(&order.body)), documented("its SHA-256")[0]);
    assert_eq!(order.signature(), documented("signature")[0]);
    let world = world();
    let at = DateTime::from_timestamp(order.timestamp.parse().unwrap(), 0).unwrap();
    world.test.clock.set(at);
    assert_ordered(&order.send(&world).await, &world, "acme");
}

#[actix_web::test]
async fn what_follows_an_order_needs_no_signature() {
    let world = world();
    let (tenant, token) = world.announced("acme");
    assert_eq!(world.send(post("/provision/tenants/confirm", &token)).await.status, StatusCode::OK);
    let status = world.get(&format!("/provision/tenants/{}/status", tenant.uuid()), "").await;
    assert_eq!(status.status, StatusCode::OK);
}
