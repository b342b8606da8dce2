//! From the commit of an event to its arrival at a webhook endpoint: how long it takes, and how many there can be.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenantry_testkit::postgres::Server;
use tenantry_tests::{Backend, Client, Installation, Receiver, Tenantry};

use crate::limits;
use crate::load::{self, Figures};

/// Events per second of the steady load.
const STEADY: u32 = 200;
/// Who makes them.
const CALLERS: u32 = 4;
/// How many deliveries wait when the rate is measured.
const BACKLOG: usize = 20_000;
const ACCOUNTS: &str = "/api/v1/tenants/bench-0/accounts";

/// What was measured.
pub(crate) struct Measured {
    /// From the answer to a request, which comes after the commit, to the arrival of its event.
    pub(crate) after_commit: Figures,
    /// From the sending of the request.
    pub(crate) after_request: Figures,
    /// Deliveries per second to so many endpoints of one tenant, out of a backlog.
    pub(crate) rates: Vec<(usize, f64)>,
    /// Deliveries per second that are claimed and settled one at a time, in this many connections.
    pub(crate) one_at_a_time: Vec<(usize, f64)>,
}

/// Measures everything; what claims one at a time on PostgreSQL alone.
pub(crate) fn measure(backend: Backend, duration: Duration, server: Option<&Server>) -> io::Result<Measured> {
    let (after_commit, after_request) = steady(backend, duration)?;
    let rates = [1, 8].map(|endpoints| backlog(backend, endpoints).map(|rate| (endpoints, rate)));
    let rates = rates.into_iter().collect::<io::Result<_>>()?;
    let mut one_at_a_time = Vec::new();
    for clients in [1, 8].into_iter().filter(|_| server.is_some()) {
        if let Some(server) = server {
            one_at_a_time.push((clients, limits::one_delivery_at_a_time(server, clients, duration)?));
        }
    }
    Ok(Measured { after_commit, after_request, rates, one_at_a_time })
}

fn installation(backend: Backend) -> Installation {
    Installation::with(
        backend,
        &[
            ("TENANTRY_WEBHOOKS_ALLOW_PRIVATE", "true"),
            ("TENANTRY__PROVISIONING__WORKERS", "8"),
            ("TENANTRY__LIMITS__PLANS__BASIC__REQUESTS_PER_MINUTE", "0"),
            ("TENANTRY__LIMITS__PLANS__BASIC__MAX_ACCOUNTS", "0"),
        ],
    )
}

/// A tenant with an endpoint at each of these receivers, and its key.
fn tenant(tenantry: &Tenantry, receivers: &[Receiver]) -> io::Result<String> {
    load::provision_tenants(tenantry, "bench", 1, 1)?;
    let scopes = ["accounts:read", "accounts:write", "webhooks:read", "webhooks:write"];
    let body = json!({ "name": "bench", "scopes": scopes });
    let key = tenantry.operator().post("/api/v1/tenants/bench-0/api-keys", &body).expect(201).json();
    let key = key["key"].as_str().unwrap_or_default().to_owned();
    let mut site = tenantry.client().with_bearer(&key);
    for receiver in receivers {
        let body = json!({ "url": receiver.url(), "eventTypes": ["account.provisioned"] });
        site.post("/api/v1/tenants/bench-0/webhooks", &body).expect(201);
    }
    Ok(key)
}

/// When a request was sent, and when it had been answered.
type Times = (Instant, Instant);

fn steady(backend: Backend, duration: Duration) -> io::Result<(Figures, Figures)> {
    let (tenantry, receivers) = (installation(backend).start(), [Receiver::start()]);
    let key = tenant(&tenantry, &receivers)?;
    let (counter, every) = (AtomicUsize::new(0), Duration::from_secs(1) * CALLERS / STEADY);
    let begin = Instant::now();
    let caller = |first: Duration| {
        let mut site = tenantry.client().with_bearer(&key);
        let (mut times, mut due) = (Vec::<(String, Times)>::new(), begin + first);
        while due < begin + duration {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let user = format!("user-{}", counter.fetch_add(1, Ordering::Relaxed));
            let sent = Instant::now();
            provision(&mut site, &user);
            times.push((user, (sent, Instant::now())));
            due += every;
        }
        times
    };
    let times: HashMap<String, Times> = thread::scope(|scope| {
        let caller = &caller;
        let callers: Vec<_> =
            (0..CALLERS).map(|number| scope.spawn(move || caller(every * number / CALLERS))).collect();
        callers.into_iter().flat_map(|caller| caller.join().unwrap_or_default()).collect()
    });
    arrived(&receivers, times.len())?;
    let (mut after_commit, mut after_request) = (Vec::new(), Vec::new());
    for call in receivers[0].calls() {
        let event: Value = serde_json::from_slice(&call.body).map_err(io::Error::other)?;
        let user = event["data"]["userId"].as_str().unwrap_or_default();
        let (sent, answered) = times.get(user).ok_or_else(|| io::Error::other(format!("{event}")))?;
        after_commit.push(call.at.saturating_duration_since(*answered));
        after_request.push(call.at - *sent);
    }
    Ok((Figures::of(after_commit, duration), Figures::of(after_request, duration)))
}

fn provision(site: &mut Client, user: &str) {
    site.post(ACCOUNTS, &json!({ "userId": user, "configId": "demo-25k-eval-v1" })).expect(201);
}

/// How fast a backlog is delivered, from the first arrival to the last.
fn backlog(backend: Backend, endpoints: usize) -> io::Result<f64> {
    let installation = installation(backend);
    let receivers: Vec<_> = (0..endpoints).map(|_| Receiver::start()).collect();
    let mut tenantry = installation.start();
    let key = tenant(&tenantry, &receivers)?;
    // Killed it would leave leases behind, which the worker had to wait out.
    if !tenantry.terminate().success() {
        return Err(io::Error::other("the process that made the tenant did not end well"));
    }
    let front = installation.start_with(&["--role", "api"], &[]);
    let mut site = front.client().with_bearer(&key);
    let item = json!({ "userId": "user", "configId": "demo-25k-eval-v1" });
    let items = json!({ "items": vec![item; 1_000] });
    let events = BACKLOG / endpoints / 1_000 * 1_000;
    for _ in 0..events / 1_000 {
        site.post(&format!("{ACCOUNTS}/bulk"), &items).expect(200);
    }
    if count(&receivers) > 0 {
        return Err(io::Error::other("somebody delivers too early"));
    }
    let _worker = installation.launch(&["--role", "worker"], &[]);
    arrived(&receivers, events * endpoints)?;
    let times: Vec<_> = receivers.iter().flat_map(Receiver::calls).map(|call| call.at).collect();
    let (first, last) = (times.iter().min(), times.iter().max());
    let took = first.zip(last).map_or(Duration::ZERO, |(first, last)| *last - *first);
    Ok((events * endpoints) as f64 / took.as_secs_f64())
}

fn count(receivers: &[Receiver]) -> usize {
    receivers.iter().map(Receiver::count).sum()
}

fn arrived(receivers: &[Receiver], expected: usize) -> io::Result<()> {
    let begin = Instant::now();
    while count(receivers) < expected {
        if begin.elapsed() > Duration::from_secs(120) {
            return Err(io::Error::other(format!("{} of {expected} events arrived", count(receivers))));
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
