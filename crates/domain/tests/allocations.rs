//! Trades and marks that change no status cost no heap allocation. A test binary of its own, since it counts them.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tenantry_domain::account::AccountState;
use tenantry_domain::account::engine::{AccountEvent, Rulebook, apply_to};
use tenantry_domain::config::AccountConfig;

const SYMBOLS: [&str; 5] = ["AUDUSD", "EURUSD", "GBPUSD", "USDCHF", "XAUUSD"];

fn begin() -> DateTime<Utc> {
    "2025-03-07T15:00:00Z".parse().unwrap()
}

fn event(event: &Value) -> AccountEvent {
    serde_json::from_str(&event.to_string()).unwrap()
}

fn trade(n: i64, side: &str, quantity: f64) -> AccountEvent {
    event(&json!({
        "type": "TradeExecuted", "tradeId": format!("t{n}"), "symbol": SYMBOLS[n as usize % 5], "side": side,
        "quantity": quantity, "price": 1.1 + (n % 97) as f64 / 10_000.0, "contractSize": 100_000,
        "commission": 0.35, "executedAt": begin() + TimeDelta::seconds(n),
    }))
}

fn mark(n: i64) -> AccountEvent {
    event(&json!({
        "type": "PriceMarked", "symbol": SYMBOLS[n as usize % 5], "price": 1.1 + (n % 89) as f64 / 10_000.0,
        "at": begin() + TimeDelta::seconds(n - 1),
    }))
}

#[test]
fn trades_and_marks_that_change_no_status_allocate_nothing() {
    let config: AccountConfig = serde_json::from_value(json!({
        "id": "counted", "displayName": "Counted", "baseCapital": 1_000_000, "variant": "evaluation",
        "timezone": "America/New_York", "payoutRules": { "stagedPayouts": [] }, "allowedInstruments": SYMBOLS,
        "challengeDefinitions": [{ "id": "a", "name": "A", "durationDays": 30, "rules": {
            "profitTarget": 1, "maxDrawdown": 1, "dailyLossLimit": 1, "minTradingDays": 5, "leverage": 500,
            "consistencyRule": { "minWinningDays": 3, "minTradesPerDay": 1, "maxProfitDayPercent": 50 },
            "orderTypesAllowed": ["market"],
        } }],
    }))
    .unwrap();
    let rules = Rulebook::of(&config);
    let mut state = AccountState::provisioned(&config, begin());
    for n in 0..15 {
        assert_eq!(apply_to(&rules, &mut state, &trade(n, "buy", 0.01)).refusal, None);
    }
    // Each position grows, flips, closes, opens again, grows and flips back.
    let cycle = [("buy", 0.03), ("sell", 0.09), ("buy", 0.03), ("sell", 0.01), ("sell", 0.02), ("buy", 0.06)];
    let events: Vec<_> = (15..2015)
        .flat_map(|n| {
            let (side, quantity) = cycle[n as usize / 5 % 6];
            [trade(n, side, quantity), mark(n + 1)]
        })
        .collect();
    let mut open = Vec::with_capacity(events.len());
    let mut today = Vec::with_capacity(events.len());
    let counted = allocation_counter::measure(|| {
        for event in &events {
            let outcome = apply_to(&rules, &mut state, event);
            assert!(outcome.refusal.is_none() && outcome.emitted.is_empty());
            open.push(state.open_positions.len());
            today.push(state.days.len());
        }
    });
    assert_eq!(counted.count_total, 0);
    assert!(open.contains(&5), "the account holds five positions at times");
    assert!(state.days.iter().all(|day| day.trades == 2015) && today.iter().all(|days| *days == 1));
}

/// The counter is one that counts.
#[test]
fn what_changes_a_status_does_allocate() {
    let config: AccountConfig = serde_json::from_str(tenantry_domain::config::demo::DEMO_CONFIG).unwrap();
    let rules = Rulebook::of(&config);
    let mut state = AccountState::provisioned(&config, begin());
    let first = trade(1, "buy", 0.01);
    let counted = allocation_counter::measure(|| {
        assert!(!apply_to(&rules, &mut state, &first).emitted.is_empty());
    });
    assert!(counted.count_total > 0);
}
