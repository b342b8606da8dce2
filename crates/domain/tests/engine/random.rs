//! Random configs and histories, such that much of what can happen to an account does.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use tenantry_domain::account::engine::AccountEvent;

pub(crate) const BEGIN: &str = "2025-03-07T15:00:00Z";

pub(crate) fn begin() -> DateTime<Utc> {
    BEGIN.parse().unwrap()
}

/// The member, or nothing of it.
fn maybe(
    name: &'static str,
    value: impl Strategy<Value = Value> + 'static,
) -> BoxedStrategy<Option<(String, Value)>> {
    prop::option::weighted(0.6, value)
        .prop_map(move |value| value.map(|value| (name.to_owned(), value)))
        .boxed()
}

fn rules() -> impl Strategy<Value = Value> {
    let members = vec![
        maybe("maxDrawdown", select(vec![json!(0.01), json!(0.02), json!(0.05), json!(0.08)])),
        maybe("drawdownMode", select(vec![json!("trailing"), json!("trailing-unlocked"), json!("static")])),
        maybe("dailyLossLimit", select(vec![json!(0.005), json!(0.01), json!(0.03)])),
        maybe("dailyLossAction", select(vec![json!("breach"), json!("pause")])),
        maybe("minTradingDays", (0..3).prop_map(Value::from)),
        maybe("consistencyRule", consistency()),
        maybe("orderTypesAllowed", Just(json!(["market", "limit"]))),
        maybe("leverage", select(vec![json!(0.5), json!(1), json!(2.5)])),
    ];
    let target = select(vec![json!(0.0004), json!(0.002), json!(0.01)]);
    (members, target).prop_map(|(members, target)| {
        let mut rules: Map<_, _> = members.into_iter().flatten().collect();
        rules.insert("profitTarget".to_owned(), target);
        rules.into()
    })
}

fn consistency() -> impl Strategy<Value = Value> {
    let members = vec![
        maybe("minWinningDays", (0..3).prop_map(Value::from)),
        maybe("minTradesPerDay", (0..4).prop_map(Value::from)),
        maybe("maxProfitDayPercent", select(vec![json!(50), json!(60.5), json!(100)])),
    ];
    members.prop_map(|members| members.into_iter().flatten().collect::<Map<_, _>>().into())
}

fn stage(id: &'static str) -> impl Strategy<Value = Value> {
    (rules(), select(vec![0, 0, 1, 3, 30]))
        .prop_map(move |(rules, days)| json!({ "id": id, "name": id, "durationDays": days, "rules": rules }))
}

fn payouts() -> impl Strategy<Value = Value> {
    let payout = (
        select(vec!["a-pass", "b-pass", "funded", "monthly-profit", "by-hand"]),
        select(vec![
            json!({}),
            json!({ "minProfit": 20 }),
            json!({ "minTradingDays": 2, "minWinningDays": 1 }),
            json!({ "identityVerified": true }),
        ]),
    );
    let payout = payout.prop_map(
        |(milestone, conditions)| json!({ "milestone": milestone, "payoutPercent": 12.5, "conditions": conditions }),
    );
    prop::collection::vec(payout, 0..5).prop_map(Value::from)
}

pub(crate) fn config() -> impl Strategy<Value = Value> {
    let zones = ["UTC", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/St_Johns"];
    let stages = prop_oneof![
        stage("a").prop_map(|a| vec![a]),
        (stage("a"), stage("b")).prop_map(|(a, b)| vec![a, b]),
        (stage("c"), stage("a")).prop_map(|(c, a)| vec![c, a]),
    ];
    let instruments = prop::option::weighted(0.2, Just(json!(["A", "B", "C"])));
    (
        stages,
        prop::bool::weighted(0.75),
        select(zones.to_vec()),
        payouts(),
        select(vec![json!(25000), json!(1000.5)]),
        instruments,
    )
        .prop_map(|(stages, evaluation, zone, payouts, capital, instruments)| {
            let mut config = json!({
                "id": "random", "displayName": "Random", "baseCapital": capital, "timezone": zone,
                "variant": if evaluation { "evaluation" } else { "straight-to-funded" },
                "challengeDefinitions": if evaluation { stages } else { stages[..1].to_vec() },
                "payoutRules": { "stagedPayouts": payouts },
            });
            if let Some(instruments) = instruments {
                config["allowedInstruments"] = instruments;
            }
            config
        })
}

/// How much later an event is than the one before, in seconds; sometimes it is earlier.
fn pause() -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => Just(0i64),
        20 => 1i64..3600,
        8 => 3600i64..60_000,
        2 => 86_400i64..400_000,
        1 => -100i64..0,
    ]
}

fn event(symbol: &'static str) -> impl Strategy<Value = Value> {
    let price = prop_oneof![
        6 => (9_900i64..10_100).prop_map(|cents| json!(cents as f64 / 100.0)),
        1 => select(vec![json!(0), json!(33.3333333), json!(250)]),
    ];
    let quantity = select(vec![json!(1), json!(1), json!(2), json!(3), json!(0.5), json!(0.07), json!(7)]);
    let side = select(vec!["buy", "sell"]);
    let size = prop_oneof![30 => Just(json!(10)), 1 => Just(json!(1))];
    let commission = select(vec![json!(0), json!(0.35)]);
    let order_type = prop_oneof![12 => Just("market"), 3 => Just("limit"), 1 => Just("oco")];
    let price_again = (9_900i64..10_100).prop_map(|cents| json!(cents as f64 / 100.0));
    prop_oneof![
        24 => (side, quantity, price, size, commission, order_type, 0u32..400).prop_map(
            move |(side, quantity, price, size, commission, order_type, id)| json!({
                "type": "TradeExecuted", "tradeId": format!("t{id}"), "symbol": symbol, "side": side,
                "quantity": quantity, "price": price, "contractSize": size, "commission": commission,
                "orderType": order_type,
            })
        ),
        12 => price_again.prop_map(move |price| json!({ "type": "PriceMarked", "symbol": symbol, "price": price })),
        2 => Just(json!({ "type": "DayRolled" })),
        1 => Just(json!({ "type": "Disabled" })),
        2 => Just(json!({ "type": "Enabled" })),
        1 => Just(json!({ "type": "Reset" })),
        1 => Just(json!({ "type": "ConfigMigrated", "configId": "random", "configVersion": 2 })),
    ]
}

/// A history that begins when the account is provisioned.
pub(crate) fn history(length: usize) -> impl Strategy<Value = Vec<AccountEvent>> {
    let symbol = select(vec!["A", "A", "A", "B", "C", "D"]);
    let step = (pause(), symbol.prop_flat_map(event));
    let end = prop::bool::weighted(0.1);
    (prop::collection::vec(step, 1..length), end).prop_map(|(steps, closed)| {
        let mut now = begin();
        let mut events = Vec::new();
        for (pause, mut event) in steps {
            now += TimeDelta::seconds(pause);
            let at = if event["type"] == "TradeExecuted" { "executedAt" } else { "at" };
            event[at] = json!(now);
            events.push(event);
        }
        if closed {
            events.push(json!({ "type": "Closed", "at": now }));
        }
        events.into_iter().map(|event| serde_json::from_str(&event.to_string()).unwrap()).collect()
    })
}
