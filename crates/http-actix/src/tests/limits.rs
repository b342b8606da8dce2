//! How much is taken from one client address.

use std::net::SocketAddr;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Reply, World, get, post};
use crate::{HttpSettings, RateLimit, RateLimits};

const LIMITS: RateLimits = RateLimits {
    orders: RateLimit { per_minute: 6, burst: 3 },
    status: RateLimit { per_minute: 60, burst: 5 },
    login: RateLimit { per_minute: 30, burst: 2 },
};

const SOMEBODY: &str = "203.0.113.5";

fn world(proxies: &str) -> World {
    let trusted_proxies = proxies.parse().unwrap();
    World::with(HttpSettings { rate_limits: LIMITS, trusted_proxies, ..HttpSettings::default() })
}

fn from(peer: &str, request: TestRequest) -> TestRequest {
    request.peer_addr(SocketAddr::new(peer.parse().unwrap(), 40_000))
}

/// A request that costs a token, and is then refused for its body.
fn order() -> TestRequest {
    post("/provision/tenants/init", "").set_json(json!({}))
}

fn status() -> TestRequest {
    get("/provision/tenants/3fa85f64-5717-4562-b3fc-2c963f66afa6/status", "")
}

/// Whether the limit let a request through, which then had a fault of its own.
fn passed(reply: &Reply) -> bool {
    let passed = reply.status != StatusCode::TOO_MANY_REQUESTS;
    if passed {
        assert!([400, 401, 404].contains(&reply.status.as_u16()), "{}", reply.json());
    }
    passed
}

/// How many of so many requests are let through.
async fn taken(world: &World, count: usize, request: impl Fn() -> TestRequest) -> usize {
    let mut taken = 0;
    for _ in 0..count {
        taken += usize::from(passed(&world.send(request()).await));
    }
    taken
}

#[actix_web::test]
async fn what_is_too_much_is_refused_until_time_has_passed() {
    let world = world("");
    for (left, reset) in [(2, 10), (1, 20), (0, 30)] {
        let reply = world.send(from(SOMEBODY, order())).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert_eq!(reply.header("ratelimit-policy"), Some("\"orders\";q=3;w=30"));
        assert_eq!(reply.header("ratelimit"), Some(&*format!("\"orders\";r={left};t={reset}")));
        assert_eq!(reply.header("retry-after"), None);
    }
    for (passes, wait) in [(0, 10), (6_500, 4), (3_499, 1)] {
        world.test.clock.advance(TimeDelta::milliseconds(passes));
        let reply = world.send(from(SOMEBODY, order())).await;
        assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
        let problem = reply.problem("rate_limited");
        assert_eq!(problem["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
        assert_eq!(problem["violated-policies"], json!(["orders"]));
        assert!(problem["detail"].as_str().unwrap().contains(&format!("again in {wait} s")), "{problem}");
        assert_eq!(reply.header("retry-after"), Some(&*wait.to_string()));
        assert_eq!(reply.header("ratelimit"), Some(&*format!("\"orders\";r=0;t={wait}")));
        assert_eq!(reply.header("ratelimit-policy"), Some("\"orders\";q=3;w=30"));
    }
    world.test.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(taken(&world, 3, || from(SOMEBODY, order())).await, 1);
    world.test.clock.advance(TimeDelta::minutes(10));
    assert_eq!(taken(&world, 9, || from(SOMEBODY, order())).await, 3);
}

#[actix_web::test]
async fn answers_that_are_no_refusal_say_how_one_stands_too() {
    let world = world("");
    let body = json!({ "name": "Acme", "slug": "acme", "plan": "Basic" });
    let reply = world.send(from(SOMEBODY, post("/provision/tenants/init", "").set_json(body))).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("ratelimit"), Some("\"orders\";r=2;t=10"));
    let token = reply.json()["confirmToken"].as_str().unwrap().to_owned();
    let reply = world.send(from(SOMEBODY, post("/provision/tenants/confirm", &token))).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("ratelimit"), Some("\"orders\";r=1;t=20"));
}

#[actix_web::test]
async fn every_public_door_is_limited_and_orders_share_their_limit() {
    let admin = json!({ "email": "admin@acme.com", "password": "ChangeMe123!" });
    let orders: [(&str, Value); 3] = [
        ("/provision/tenants/init", json!({})),
        ("/provision/tenants/confirm", Value::Null),
        ("/api/v1/tenants", json!({ "admin": admin })),
    ];
    for (path, body) in &orders {
        let world = world("");
        assert_eq!(taken(&world, 5, || from(SOMEBODY, post(path, "").set_json(body))).await, 3, "{path}");
        for (other, body) in &orders {
            assert_eq!(
                taken(&world, 1, || from(SOMEBODY, post(other, "").set_json(body))).await,
                0,
                "{other}"
            );
        }
        // Each has a bucket of its own.
        assert_eq!(taken(&world, 9, || from(SOMEBODY, status())).await, 5);
        let login = || from(SOMEBODY, post("/api/v1/acme/auth/login", "").set_json(&admin));
        assert_eq!(taken(&world, 9, login).await, 2);
    }
}

#[actix_web::test]
async fn a_request_that_is_refused_begins_nothing() {
    let world = world("");
    assert_eq!(taken(&world, 4, || from(SOMEBODY, order())).await, 3);
    let body = json!({ "name": "Acme", "slug": "acme", "plan": "Basic" });
    let reply = world.send(from(SOMEBODY, post("/provision/tenants/init", "").set_json(&body))).await;
    reply.problem("rate_limited");
    let reply = world.send(from("203.0.113.6", post("/provision/tenants/init", "").set_json(&body))).await;
    assert_eq!(reply.status, StatusCode::OK, "the slug is free");
}

#[actix_web::test]
async fn clients_are_told_apart_by_address_and_of_ipv6_by_network() {
    let world = world("");
    for peer in [SOMEBODY, "203.0.113.6", "2001:db8:0:1::1", "2001:db8:0:2::1"] {
        assert_eq!(taken(&world, 4, || from(peer, order())).await, 3, "{peer}");
    }
    for same in ["::ffff:203.0.113.5", "2001:db8:0:1:ffff::2"] {
        assert_eq!(taken(&world, 1, || from(same, order())).await, 0, "{same}");
    }
}

#[actix_web::test]
async fn callers_on_this_machine_are_not_limited_unless_a_proxy_sends_them() {
    let world = world("");
    for peer in ["127.0.0.1", "::1"] {
        assert_eq!(taken(&world, 20, || from(peer, order())).await, 20);
        let reply = world.send(from(peer, order())).await;
        assert_eq!((reply.header("ratelimit"), reply.header("ratelimit-policy")), (None, None));
        let relayed = || from(peer, order()).insert_header(("X-Forwarded-For", "198.51.100.1"));
        assert_eq!(taken(&world, 4, relayed).await, 3, "a proxy that nobody told us of");
    }
    assert_eq!(taken(&world, 20, order).await, 20, "a socket without addresses");
}

#[actix_web::test]
async fn nobody_escapes_by_making_up_whom_they_speak_for() {
    let world = world("10.0.0.1");
    let mut number = 0..;
    let mut made_up = || format!("198.51.100.{}", number.next().unwrap());
    let mut taken = 0;
    for _ in 0..9 {
        let request = from(SOMEBODY, order()).insert_header(("X-Forwarded-For", made_up()));
        taken += usize::from(passed(&world.send(request).await));
    }
    assert_eq!(taken, 3, "straight");
    let mut taken = 0;
    for _ in 0..9 {
        let line = format!("{}, 203.0.113.77", made_up());
        let request = from("10.0.0.1", order()).insert_header(("X-Forwarded-For", line));
        taken += usize::from(passed(&world.send(request).await));
    }
    assert_eq!(taken, 3, "through the proxy");
}

#[actix_web::test]
async fn behind_a_trusted_proxy_clients_are_told_apart() {
    let world = world("10.0.0.0/8");
    let through =
        |client: &'static str| move || from("10.0.0.1", order()).insert_header(("X-Forwarded-For", client));
    for client in ["198.51.100.1", "198.51.100.2", "127.0.0.1"] {
        assert_eq!(taken(&world, 4, through(client)).await, 3, "{client}");
    }
    assert_eq!(taken(&world, 4, through("no address")).await, 3, "the proxy itself");
    assert_eq!(taken(&world, 4, through("also none")).await, 0, "the proxy itself");
}

#[actix_web::test]
async fn without_a_rate_nobody_is_limited_or_told_anything() {
    let settings = HttpSettings { rate_limits: RateLimits::NONE, ..HttpSettings::default() };
    let world = World::with(settings);
    assert_eq!(taken(&world, 100, || from(SOMEBODY, order())).await, 100);
    assert_eq!(world.send(from(SOMEBODY, order())).await.header("ratelimit"), None);
}

#[actix_web::test]
async fn what_is_no_public_door_is_not_limited() {
    let world = world("");
    let (_, key) = world.tenant_and_key("acme");
    for _ in 0..20 {
        let reply = world.send(from(SOMEBODY, get("/api/v1/tenants/acme/accounts", &key))).await;
        assert_eq!((reply.status, reply.header("ratelimit")), (StatusCode::OK, None));
    }
}
