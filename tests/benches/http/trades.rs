//! Trades, one by one and in bulk, and prices of what many accounts hold.

use std::io;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenantry_testkit::postgres::Server;
use tenantry_tests::{Backend, Client, Installation, Tenantry};

use crate::load::{self, Figures};
use crate::{CONNECTIONS, Limit, limits, post, row};

const BASE: &str = "/api/v1/tenants/trades-0";
/// How many accounts hold what everybody holds.
const HOLDERS: usize = 10_000;
/// How many of them hold something else, too, and trade.
const TRADERS: usize = 1000;
/// How many of those are told of many trades at a time.
const BUSY: u64 = 50;
/// How many trades at a time.
const BULK: u64 = 1000;
/// How many prices are marked at least.
const MARKS: usize = 5;

/// Measures trades at each number of connections, and marks at one, on one backend; on PostgreSQL beside `pgbench`.
pub(crate) fn bench(backend: Backend, duration: Duration, server: Option<&Server>) -> io::Result<()> {
    let settings = [
        // As many as come.
        ("TENANTRY__LIMITS__PLANS__BASIC__REQUESTS_PER_MINUTE", "0"),
        ("TENANTRY__LIMITS__PLANS__BASIC__MAX_ACCOUNTS", "0"),
    ];
    let tenantry = Installation::with(backend, &settings).start();
    let name = backend.to_string();
    load::provision_tenants(&tenantry, "trades", 1, 1)?;
    let scopes = ["configs:read", "accounts:read", "accounts:write", "trades:write"];
    let key = json!({ "name": "bench", "scopes": scopes });
    let key = tenantry.operator().post(&format!("{BASE}/api-keys"), &key).expect(201).json();
    let key = key["key"].as_str().unwrap_or_default().to_owned();
    let mut engine = tenantry.client().with_bearer(&key);
    let traders = holders(&tenantry, &key, &mut engine);
    let database = format!("{}trades_0", tenantry.installation().database_prefix());

    let mut limits = Vec::new();
    for (round, connections) in CONNECTIONS.into_iter().enumerate() {
        let limit = match server {
            None => None,
            Some(server) => Some(limits::trade_writes(server, &database, connections, duration)?),
        };
        limits.push(limit);
        let one = |n: u64| {
            let path = format!("{BASE}/accounts/{}/trades", traders[n as usize % traders.len()]);
            // Each account buys and sells in turn, at the same price.
            let pass = n / TRADERS as u64;
            post(&path, &key, &trade(&format!("s{round}-{n}"), pass, 10 * round, n))
        };
        let figures = load::run(tenantry.address(), connections, duration, 200, &one)?;
        row("trade", &name, connections, figures, limit.map(Limit::Rate));
    }
    for (round, (connections, limit)) in CONNECTIONS.into_iter().zip(limits).enumerate() {
        let many = |n: u64| {
            let path = format!("{BASE}/accounts/{}/trades", traders[(n % BUSY) as usize]);
            let one = |k: u64| trade(&format!("b{round}-{n}-{k}"), k, 60 + 10 * round, n);
            let trades: Vec<_> = (0..BULK).map(one).collect();
            post(&path, &key, &format!("[{}]", trades.join(",")))
        };
        let requests = load::run(tenantry.address(), connections, duration, 200, &many)?;
        let figures = Figures { rate: requests.rate * BULK as f64, ..requests };
        row("trade, of 1,000 at a time", &name, connections, figures, limit.map(Limit::Rate));
    }
    let few = marks(&mut engine, ("GBPUSD", 1.25), TRADERS, duration);
    row("prices of what 1,000 hold", &name, 1, few, None);
    let many = marks(&mut engine, ("EURUSD", 1.1), HOLDERS, duration);
    let linear = Limit::Latency(few.median * (HOLDERS / TRADERS) as u32);
    row("prices of what 10,000 hold", &name, 1, many, Some(linear));
    Ok(())
}

/// Accounts that hold three symbols each; the traders come first.
fn holders(tenantry: &Tenantry, key: &str, engine: &mut Client) -> Vec<String> {
    let mut accounts = Vec::with_capacity(HOLDERS);
    while accounts.len() < HOLDERS {
        let one = |n| json!({ "userId": format!("user-{n}"), "configId": "demo-25k-eval-v1" });
        let items: Vec<_> = (accounts.len()..HOLDERS.min(accounts.len() + 1000)).map(one).collect();
        let made =
            engine.post(&format!("{BASE}/accounts/bulk"), &json!({ "items": items })).expect(200).json();
        let ids = made["items"].as_array().into_iter().flatten();
        accounts.extend(ids.filter_map(|item| Some(item["account"]["accountId"].as_str()?.to_owned())));
    }
    let numbered: Vec<_> = accounts.iter().enumerate().collect();
    std::thread::scope(|scope| {
        for accounts in numbered.chunks(HOLDERS / 16) {
            let mut engine = tenantry.client().with_bearer(key);
            scope.spawn(move || {
                for (number, account) in accounts {
                    let third = if *number < TRADERS { ("GBPUSD", 1.25, 100_000) } else { ("NQ", 21_000.0, 20) };
                    let trades: Vec<_> = [("EURUSD", 1.1, 100_000), ("XAUUSD", 2600.0, 100), third]
                        .map(|(symbol, price, size)| {
                            json!({
                                "tradeId": symbol, "symbol": symbol, "side": "buy", "quantity": 0.03, "price": price,
                                "contractSize": size, "executedAt": minutes(0),
                            })
                        })
                        .into();
                    engine.post(&format!("{BASE}/accounts/{account}/trades"), &json!(trades)).expect(200);
                }
            });
        }
    });
    accounts.truncate(TRADERS);
    accounts
}

/// A time of the trading day on which all of it happens.
fn minutes(minutes: usize) -> String {
    format!("2025-01-10T{:02}:{:02}:00Z", 15 + minutes / 60, minutes % 60)
}

/// A trade in what all hold: bought if `turn` is even, else sold for what was paid the turn before. Written by hand, since the
/// load generator has the same processors as the server.
fn trade(id: &str, turn: u64, minute: usize, number: u64) -> String {
    let (side, pip) = (if turn.is_multiple_of(2) { "buy" } else { "sell" }, turn / 2 % 10);
    let (hour, minute) = (15 + minute / 60, minute % 60 + (number / 60_000) as usize % 10);
    let millis = number % 60_000;
    format!(
        r#"{{"tradeId":"{id}","symbol":"EURUSD","side":"{side}","quantity":0.01,"price":1.10{pip}5,"contractSize":100000,"orderType":"market","executedAt":"2025-01-10T{hour:02}:{minute:02}:{:02}.{:03}Z"}}"#,
        millis / 1000,
        millis % 1000
    )
}

/// Marks prices of what so many hold, one after another; each answer has to say that all of them were revalued.
fn marks(engine: &mut Client, (symbol, about): (&str, f64), holders: usize, duration: Duration) -> Figures {
    let (begin, mut latencies) = (Instant::now(), Vec::new());
    // What only a few hold is marked first.
    let hour = if holders == HOLDERS { 18 } else { 17 };
    while latencies.len() < MARKS || begin.elapsed() < duration {
        let number = latencies.len();
        let price = about + (number % 10) as f64 / 10_000.0;
        let at = format!("2025-01-10T{hour}:00:{:02}.{:03}Z", number / 1000 % 60, number % 1000);
        let sent = Instant::now();
        let marks = json!([{ "symbol": symbol, "price": price, "at": at }]);
        let marked: Value = engine.post(&format!("{BASE}/marks"), &marks).expect(200).json();
        latencies.push(sent.elapsed());
        assert_eq!(marked["revalued"], json!(holders), "{marked}");
    }
    Figures::of(latencies, begin.elapsed())
}
