//! The hot paths over HTTP, beside the limits of the machine, measured in the same run. `docs/performance.md` explains
//! the figures.
//!
//! `cargo bench -p tenantry-tests --bench http -- [seconds] [tenants] [part…]`: each load runs this long, 5 seconds by default;
//! tenants are provisioned with this many there already, none by default; parts are `accounts`, `fairness`, `quiet`, `tenants`,
//! `trades` and `webhooks`, all of them by default. `quiet` is measured on PostgreSQL alone, with this many tenants, 10,000 by
//! default.

mod fairness;
mod limits;
mod load;
mod memory;
mod quiet;
mod trades;
mod webhooks;

use std::io;
use std::thread;
use std::time::Duration;

use limits::{EMPTY_HANDLER, EmptyHandler};
use load::Figures;
use serde_json::json;
use tenantry_testkit::postgres::{self, Server};
use tenantry_tests::{Backend, Client, Installation};

const CONNECTIONS: [usize; 3] = [1, 8, 32];

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [flag, address] = &arguments[..]
        && flag == EMPTY_HANDLER
    {
        return EmptyHandler::serve(address);
    }
    let (numbers, parts): (Vec<_>, Vec<_>) =
        arguments.into_iter().partition(|argument| argument.parse::<u64>().is_ok());
    let number = |at: usize| numbers.get(at).and_then(|text| text.parse().ok());
    let duration = Duration::from_secs(number(0).unwrap_or(5));
    let present = number(1).unwrap_or(0) as usize;
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);

    println!("| what | on | connections | per second | median | p99 | limit | ratio |");
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    // Kept to the end of the process, as the backend asks for.
    let server: Option<&'static Server> = postgres::durable().map(|server| &*Box::leak(Box::new(server)));
    let on_postgres = server.map(|server| (Backend::Postgres(server), Some(server)));
    let empty = if wanted("accounts") { empty_handler(duration)? } else { Vec::new() };
    for (backend, server) in std::iter::once((Backend::Sqlite, None)).chain(on_postgres) {
        if wanted("accounts") {
            bench(backend, duration, &empty, server)?;
        }
        if wanted("fairness") {
            fair(backend, duration)?;
        }
        if wanted("tenants") {
            provision(backend, present, server)?;
        }
        if wanted("webhooks") {
            tell(backend, duration, server)?;
        }
        if let Some(server) = server.filter(|_| wanted("quiet")) {
            let tenants = if present > 0 { present } else { QUIET };
            rest(backend, duration.max(RESTING), tenants, server)?;
        }
        if wanted("trades") {
            trades::bench(backend, duration, server)?;
        }
    }
    if server.is_none() {
        println!("\nPostgreSQL is not installed: only SQLite was measured.");
    }
    Ok(())
}

/// How many requests per second a handler answers that does nothing, at each number of connections.
fn empty_handler(duration: Duration) -> io::Result<Vec<f64>> {
    let handler = EmptyHandler::start()?;
    let mut rates = Vec::new();
    for connections in CONNECTIONS {
        let figures = load::run(handler.address, connections, duration, 200, &|_| get("/", ""))?;
        row("empty handler", "-", connections, figures, None);
        rates.push(figures.rate);
    }
    Ok(rates)
}

/// Measures everything on one backend; on PostgreSQL beside `pgbench`.
fn bench(backend: Backend, duration: Duration, empty: &[f64], server: Option<&Server>) -> io::Result<()> {
    // The log of every request goes to a file, as it would in production.
    let settings = [
        ("TENANTRY__PROVISIONING__WORKERS", "8"),
        // As many as come.
        ("TENANTRY__LIMITS__PLANS__BASIC__REQUESTS_PER_MINUTE", "0"),
        ("TENANTRY__LIMITS__PLANS__BASIC__MAX_ACCOUNTS", "0"),
    ];
    let tenantry = Installation::with(backend, &settings).start();
    let name = backend.to_string();
    load::provision_tenants(&tenantry, "bench", 1, 1)?;
    println!("| idle memory | {name} | - | {} MiB | | | 60 MiB | |", memory::resident_mib(tenantry.pid())?);
    let scopes = ["configs:read", "configs:write", "accounts:read", "accounts:write"];
    let key = json!({ "name": "bench", "scopes": scopes });
    let key = tenantry.operator().post("/api/v1/tenants/bench-0/api-keys", &key).expect(201).json();
    let key = key["key"].as_str().unwrap_or_default().to_owned();
    let mut website = tenantry.client().with_bearer(&key);
    let ids = some_accounts(&mut website, 1000);

    for (connections, limit) in CONNECTIONS.into_iter().zip(empty) {
        let read =
            |n: u64| get(&format!("/api/v1/tenants/bench-0/accounts/{}", ids[n as usize % ids.len()]), &key);
        let figures = load::run(tenantry.address(), connections, duration, 200, &read)?;
        row("account read", &name, connections, figures, Some(Limit::Rate(*limit)));
    }
    for (round, connections) in CONNECTIONS.into_iter().enumerate() {
        let limit = match server {
            None => None,
            Some(server) => {
                let database = format!("{}bench_0", tenantry.installation().database_prefix());
                Some(Limit::Rate(limits::account_inserts(server, &database, connections, duration)?))
            }
        };
        let post = |n: u64| account(&key, round, n);
        let figures = load::run(tenantry.address(), connections, duration, 201, &post)?;
        row("account provisioning", &name, connections, figures, limit);
    }
    Ok(())
}

/// Measures a quiet tenant beside one that sends fifty times what it may; the limit is its own 99th percentile alone. Four times
/// as long as the others: it sends so little that the slowest hundredth would be one request or two.
fn fair(backend: Backend, duration: Duration) -> io::Result<()> {
    let (alone, beside) = fairness::measure(backend, 4 * duration)?;
    let ratio = beside.p99.as_secs_f64() / alone.p99.as_secs_f64();
    println!(
        "| quiet tenant beside a noisy one | {backend} | 1 | {:.1} | {:.1?} | {:.1?} | {:.1?} | {ratio:.2} |",
        beside.rate, beside.median, beside.p99, alone.p99
    );
    Ok(())
}

/// Measures the way of events to webhook endpoints.
fn tell(backend: Backend, duration: Duration, server: Option<&Server>) -> io::Result<()> {
    let webhooks::Measured { after_commit, after_request, rates, one_at_a_time } =
        webhooks::measure(backend, duration, server)?;
    let name = backend.to_string();
    row("webhook, from the answer to its arrival", &name, 4, after_commit, None);
    row("webhook, from the request to its arrival", &name, 4, after_request, None);
    // The best of those who do one at a time.
    let best = one_at_a_time.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    for (endpoints, rate) in rates {
        let limit = if best > 0.0 { format!("{best:.1} | {:.2}", rate / best) } else { " | ".to_owned() };
        println!(
            "| webhooks out of a backlog, {endpoints} endpoints | {name} | - | {rate:.1} | | | {limit} |"
        );
    }
    for (clients, rate) in one_at_a_time {
        println!("| claim and settle one at a time | {name} | {clients} | {rate:.1} | | | | |");
    }
    Ok(())
}

/// How many tenants there are to which nothing happens.
const QUIET: usize = 10_000;
/// For how long that is watched at least: what is asked seldom is to be seen as well.
const RESTING: Duration = Duration::from_secs(30);

/// Measures what tenants cost to which nothing happens.
fn rest(backend: Backend, duration: Duration, tenants: usize, server: &Server) -> io::Result<()> {
    let quiet::Measured { transactions, statements } = quiet::measure(backend, server, tenants, duration)?;
    let all: f64 = statements.iter().map(|(_, rate)| rate).sum();
    let row = |what: &str, rate: f64| println!("| {what} | {backend} | - | {rate:.2} | | | | |");
    row(&format!("transactions with {tenants} quiet tenants"), transactions);
    row(&format!("statements with {tenants} quiet tenants"), all);
    statements.iter().for_each(|(what, rate)| row(&format!("`{what}`"), *rate));
    Ok(())
}

/// How many databases are kept ready.
const POOL: usize = 64;

/// Measures how long tenants take, from a database made for them and from one that was ready, with so many tenants
/// there already.
fn provision(backend: Backend, present: usize, server: Option<&Server>) -> io::Result<()> {
    let installation = Installation::with(backend, &[("TENANTRY__PROVISIONING__WORKERS", "8")]);
    let name = backend.to_string();
    if present > 0 {
        let tenantry = installation.start();
        load::provision_tenants(&tenantry, "present", 8, present)?;
        println!(
            "| memory with {present} tenants | {name} | - | {} MiB | | | | |",
            memory::resident_mib(tenantry.pid())?
        );
    }
    for (what, pool) in [("tenant provisioning", 0), ("tenant provisioning from the pool", POOL)] {
        let settings = [("TENANTRY__TENANT_DATABASES__POOL_SIZE", pool.to_string())];
        let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
        let tenantry = installation.start_with(&[], &settings);
        for connections in CONNECTIONS {
            let count = (4 * connections.max(4)).min(POOL);
            let limit = match server {
                None => None,
                Some(server) => Some(Limit::Latency(limits::raw_databases(server, connections, count)?)),
            };
            while installation.pooled_databases() < pool {
                thread::sleep(Duration::from_millis(100));
            }
            // The last one made is still being seeded; and nothing else is to be under way.
            thread::sleep(Duration::from_secs(2));
            let slug = format!("load{pool}-{connections}");
            let figures = load::provision_tenants(&tenantry, &slug, connections, count)?;
            row(what, &name, connections, figures, limit);
        }
    }
    Ok(())
}

fn some_accounts(website: &mut Client, count: usize) -> Vec<String> {
    let body = json!({ "userId": "user", "configId": "demo-25k-eval-v1" });
    let one = |_| {
        let created = website.post("/api/v1/tenants/bench-0/accounts", &body).expect(201).json();
        created["accountId"].as_str().unwrap_or_default().to_owned()
    };
    (0..count).map(one).collect()
}

fn get(path: &str, key: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n").into_bytes()
}

/// A request for an account, with an idempotency key of its own.
fn account(key: &str, round: usize, number: u64) -> Vec<u8> {
    let body = format!(r#"{{"userId":"user-{number}","configId":"demo-25k-eval-v1"}}"#);
    let key = format!("{key}\r\nIdempotency-Key: order-{round}-{number}");
    post("/api/v1/tenants/bench-0/accounts", &key, &body)
}

fn post(path: &str, key: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What is as fast as it gets, in the same run.
#[derive(Clone, Copy)]
enum Limit {
    /// So many per second; the ratio is that of the rates.
    Rate(f64),
    /// Each takes so long, on average; the ratio is that of our median to it.
    Latency(Duration),
}

fn row(what: &str, on: &str, connections: usize, figures: Figures, limit: Option<Limit>) {
    let Figures { rate, median, p99 } = figures;
    let (limit, ratio) = match limit {
        None => (String::new(), String::new()),
        Some(Limit::Rate(limit)) => (format!("{limit:.1}"), format!("{:.2}", rate / limit)),
        Some(Limit::Latency(limit)) => {
            (format!("{limit:.1?}"), format!("{:.2}", median.as_secs_f64() / limit.as_secs_f64()))
        }
    };
    println!("| {what} | {on} | {connections} | {rate:.1} | {median:.1?} | {p99:.1?} | {limit} | {ratio} |");
}
