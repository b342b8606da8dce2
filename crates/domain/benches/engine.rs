//! What an event costs an account with five open positions: `cargo bench -p tenantry-domain`.

use std::hint::black_box;

use chrono::{DateTime, TimeDelta, Utc};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use tenantry_domain::account::AccountState;
use tenantry_domain::account::engine::{AccountEvent, Rulebook, apply_to};
use tenantry_domain::config::AccountConfig;

const EVENTS: usize = 1000;
const SYMBOLS: [&str; 5] = ["AUDUSD", "EURUSD", "GBPUSD", "USDCHF", "XAUUSD"];

fn begin() -> DateTime<Utc> {
    "2025-03-07T15:00:00Z".parse().expect("a time")
}

/// A config that every trade keeps, with each rule there is or only with those that most have.
fn config(every_rule: bool) -> AccountConfig {
    let mut rules = json!({ "profitTarget": 1, "maxDrawdown": 1, "dailyLossLimit": 1 });
    if every_rule {
        rules = json!({
            "profitTarget": 1, "maxDrawdown": 1, "dailyLossLimit": 1, "minTradingDays": 5, "leverage": 500,
            "consistencyRule": { "minWinningDays": 3, "minTradesPerDay": 1, "maxProfitDayPercent": 50 },
            "orderTypesAllowed": ["market", "limit", "stop"],
        });
    }
    let mut config = json!({
        "id": "bench", "displayName": "Bench", "baseCapital": 1_000_000, "variant": "evaluation",
        "timezone": "America/New_York", "payoutRules": { "stagedPayouts": [] },
        "challengeDefinitions": [{ "id": "a", "name": "A", "durationDays": 30, "rules": rules }],
    });
    if every_rule {
        config["allowedInstruments"] =
            json!([SYMBOLS[0], SYMBOLS[1], SYMBOLS[2], SYMBOLS[3], SYMBOLS[4], "ES", "NQ"]);
    }
    serde_json::from_value(config).expect("a config")
}

fn event(event: &Value) -> AccountEvent {
    serde_json::from_str(&event.to_string()).expect("an event")
}

/// A trade, the `n`th: its price moves with `n`.
fn trade(n: usize, side: &str, quantity: f64) -> AccountEvent {
    event(&json!({
        "type": "TradeExecuted", "tradeId": format!("t{n}"), "symbol": SYMBOLS[n % 5], "side": side,
        "quantity": quantity, "price": 1.1 + (n % 97) as f64 / 10_000.0, "contractSize": 100_000, "commission": 0.35,
        "executedAt": begin() + TimeDelta::milliseconds(10 * n as i64),
    }))
}

/// An account with five open positions whose averages have all their digits.
fn account(config: &AccountConfig, rules: &Rulebook) -> AccountState {
    let mut state = AccountState::provisioned(config, begin());
    for n in 0..15 {
        let outcome = apply_to(rules, &mut state, &trade(n, "buy", 0.03));
        assert_eq!(outcome.refusal, None);
    }
    assert_eq!(state.open_positions.len(), 5);
    state
}

fn measure(criterion: &mut Criterion, name: &str, config: &AccountConfig, events: &[AccountEvent]) {
    let rules = Rulebook::of(config);
    let start = account(config, &rules);
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(events.len() as u64));
    group.bench_function("apply", |bencher| {
        bencher.iter_batched_ref(
            || start.clone(),
            |state| {
                for event in events {
                    let outcome = apply_to(&rules, state, black_box(event));
                    assert!(outcome.refusal.is_none());
                }
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn engine(criterion: &mut Criterion) {
    // Each position grows and shrinks in turn.
    let side = |n: usize| if (n / 5).is_multiple_of(2) { "buy" } else { "sell" };
    let trades: Vec<_> = (15..15 + EVENTS).map(|n| trade(n, side(n), 0.01)).collect();
    let marks: Vec<_> = (15..15 + EVENTS)
        .map(|n| {
            event(&json!({
                "type": "PriceMarked", "symbol": SYMBOLS[n % 5], "price": 1.1 + (n % 89) as f64 / 10_000.0,
                "at": begin() + TimeDelta::milliseconds(10 * n as i64),
            }))
        })
        .collect();
    for (rules, every_rule) in [("usual rules", false), ("every rule", true)] {
        let config = config(every_rule);
        measure(criterion, &format!("trades, {rules}"), &config, &trades);
        measure(criterion, &format!("marks, {rules}"), &config, &marks);
    }
}

criterion_group!(benches, engine);
criterion_main!(benches);
