//! What tenants' webhook endpoints hear, from the commit of an event to its arrival, whoever dies on the way.

mod arrivals;
#[cfg(debug_assertions)]
mod crashes;
mod documented;
mod languages;
mod shares;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use http::HeaderMap;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tenantry_tests::{Backend, Call, Client, Installation, PATIENCE, Receiver, Tenantry};

use crate::steps::tenant;

const BASE: &str = "/api/v1/tenants/acme";

/// How much later it is for who comes after somebody was killed: no lease of the dead counts any more. Signatures of some of
/// them one after the other are still no older or newer than receivers take.
const LEASE: u64 = 25;

/// An installation whose endpoints may be on this machine.
fn installation(backend: Backend) -> Installation {
    Installation::with(backend, &[("TENANTRY_WEBHOOKS_ALLOW_PRIVATE", "true")])
}

/// A process that believes to be so many seconds later, which matters to leases alone.
#[cfg(debug_assertions)]
fn later(installation: &Installation, seconds: u64) -> Tenantry {
    installation.start_with(&[], &[("TENANTRY_TEST_CLOCK_AHEAD", &seconds.to_string())])
}

/// A tenant called acme, and a caller that may do what these tests do.
fn acme(tenantry: &Tenantry) -> Client {
    tenant(tenantry, "acme");
    caller(tenantry, "acme")
}

fn caller(tenantry: &Tenantry, slug: &str) -> Client {
    let scopes = ["accounts:read", "accounts:write", "webhooks:read", "webhooks:write"];
    let body = json!({ "name": "back end", "scopes": scopes });
    let created = tenantry.operator().post(&format!("/api/v1/tenants/{slug}/api-keys"), &body).expect(201);
    tenantry.client().with_bearer(created.json()["key"].as_str().unwrap())
}

/// An endpoint that hears of these events.
struct Endpoint {
    path: String,
    secret: String,
}

impl Endpoint {
    fn new(site: &mut Client, slug: &str, url: &str, event_types: &[&str]) -> Self {
        let body = json!({ "url": url, "eventTypes": event_types });
        let created = site.post(&format!("/api/v1/tenants/{slug}/webhooks"), &body).expect(201).json();
        let path = format!("/api/v1/tenants/{slug}/webhooks/{}", created["id"].as_str().unwrap());
        Self { path, secret: created["secret"].as_str().unwrap().to_owned() }
    }

    /// The event of a call, after the official library has found its signature good.
    fn checked(&self, call: &Call) -> Value {
        checked(call, &self.secret)
    }
}

fn checked(call: &Call, secret: &str) -> Value {
    let mut headers = HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, call.header(name).unwrap().parse().unwrap());
    }
    let webhook = Webhook::new(secret).unwrap();
    webhook.verify(&call.body, &headers).unwrap();
    let mut forged = call.body.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert!(webhook.verify(&forged, &headers).is_err());
    let event: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(event["id"], id(call));
    event
}

fn id(call: &Call) -> &str {
    call.header("webhook-id").unwrap()
}

fn ids(calls: &[Call]) -> BTreeSet<String> {
    calls.iter().map(|call| id(call).to_owned()).collect()
}

/// So many accounts in one request, which can come again, and the events that tell of them.
fn bulk(name: &str, count: usize) -> Value {
    let item = |number| {
        let key = format!("{name}-{number}");
        json!({ "userId": format!("Jörg {key}"), "configId": "demo-25k-eval-v1", "idempotencyKey": key })
    };
    json!({ "items": (0..count).map(item).collect::<Vec<_>>() })
}

fn provision(site: &mut Client, name: &str, count: usize) {
    let answer = site.post(&format!("{BASE}/accounts/bulk"), &bulk(name, count)).expect(200).json();
    assert_eq!(answer["refused"], 0, "{}", answer["items"][0]);
}

fn provision_one(site: &mut Client, user: &str) -> String {
    let body = json!({ "userId": user, "configId": "demo-25k-eval-v1" });
    let created = site.post(&format!("{BASE}/accounts"), &body).expect(201).json();
    created["accountId"].as_str().unwrap().to_owned()
}

#[track_caller]
fn until(what: &str, done: impl Fn() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The calls, once there are so many.
#[track_caller]
fn heard(receiver: &Receiver, count: usize) -> Vec<Call> {
    until(&format!("{count} calls have come"), || receiver.count() >= count);
    receiver.calls()
}
