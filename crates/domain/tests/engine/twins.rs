//! The engine and the naive one agree, digit for digit, after every event.

use std::collections::BTreeSet;
use std::fmt::Write;

use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use tenantry_domain::account::engine::{AccountEvent, Emission, Fact, Replay, Replayed, Rulebook};
use tenantry_domain::account::{AccountState, AccountStatus, Side};
use tenantry_domain::config::AccountConfig;

use super::digits::Paper;
use super::naive::Naive;
use super::random::{begin, config, history};

pub(crate) fn typed(config: &Value) -> AccountConfig {
    serde_json::from_str(&config.to_string()).unwrap()
}

pub(crate) fn seen(state: &AccountState) -> String {
    let status = AccountStatus::as_str;
    let mut out = format!(
        "{} {:?} balance {} equity {} realised {} {} unrealised {} {} high {} day {} {} {} stage {} {} {:?} {:?} as of {}\n",
        status(state.status),
        state.disabled_from.map(status),
        state.balance,
        state.equity,
        state.realised_pnl.total,
        state.realised_pnl.today,
        state.unrealised_pnl.total,
        state.unrealised_pnl.today,
        state.high_water_mark,
        state.trading_day,
        state.day_start_equity,
        state.day_start_unrealised,
        state.challenge.index,
        state.challenge.id,
        state.challenge.phase,
        state.challenge.first_trade_at,
        state.as_of,
    );
    for held in &state.open_positions {
        let sign = if held.side == Side::Short { "-" } else { "" };
        let gain = held.unrealised_pnl;
        writeln!(
            out,
            "{} {sign}{} @ {} -> {} x {} = {gain}",
            held.symbol, held.quantity, held.average_entry_price, held.mark, held.contract_size
        )
        .unwrap();
    }
    if let Some(earlier) = &state.earlier_days {
        writeln!(out, "earlier {} {} {}", earlier.count, earlier.closed_profit, earlier.best_closed_profit)
            .unwrap();
    }
    for day in &state.days {
        writeln!(out, "{} {} {} {}", day.date, day.trades, day.opening_trades, day.closed_profit).unwrap();
    }
    writeln!(out, "days {} {}", state.trading_days, state.winning_days).unwrap();
    for told in &state.payouts_told {
        writeln!(out, "told {} {} {}", told.payout, told.milestone, told.on).unwrap();
    }
    out
}

pub(crate) fn expected(naive: &Naive) -> String {
    let book = naive.book();
    let phase = if naive.funded { "Funded" } else { "Evaluation" };
    let mut out = format!(
        "{} {:?} balance {} equity {} realised {} {} unrealised {} {} high {} day {} {} {} stage {} {} {phase} {:?} as of {}\n",
        naive.status,
        naive.disabled_from,
        book.balance,
        book.equity,
        book.realised,
        book.realised_today,
        book.unrealised,
        book.unrealised.minus(&naive.day_unrealised).unwrap(),
        book.high,
        naive.day,
        naive.day_equity,
        naive.day_unrealised,
        naive.stage,
        naive.stage_id(),
        book.first_trade,
        naive.as_of,
    );
    for (symbol, held) in &book.holdings {
        writeln!(
            out,
            "{symbol} {} @ {} -> {} x {} = {}",
            held.quantity, held.entry, held.mark, held.size, held.gain
        )
        .unwrap();
    }
    let unlisted = book.days.len().saturating_sub(31);
    if unlisted > 0 {
        let earlier = || book.days.values().take(unlisted);
        let total = earlier().fold(Paper::zero(), |sum, day| sum.plus(day.profit.as_ref().unwrap()).unwrap());
        let best = earlier().filter_map(|day| day.profit.clone()).max().unwrap();
        writeln!(out, "earlier {unlisted} {total} {best}").unwrap();
    }
    for (date, day) in book.days.iter().skip(unlisted) {
        writeln!(out, "{date} {} {} {}", day.trades, day.opening, day.profit.as_ref().unwrap()).unwrap();
    }
    writeln!(out, "days {} {}", naive.trading_days(&book), Naive::winning_days(&book)).unwrap();
    for (payout, milestone, on) in &naive.told {
        writeln!(out, "told {payout} {milestone} {on}").unwrap();
    }
    out
}

fn told(emission: &Emission) -> String {
    let event_type = emission.event_type();
    let fact = |fact: &Fact| match fact {
        Fact::Number(number) => number.to_string(),
        Fact::Instrument(symbol) => symbol.to_string(),
        Fact::OrderType(order_type) => serde_json::to_value(order_type).unwrap().as_str().unwrap().to_owned(),
        Fact::Instruments(_) | Fact::OrderTypes(_) => String::new(),
    };
    let text = match emission {
        Emission::RuleViolated(violation) => format!("{} {}", fact(&violation.value), fact(&violation.limit)),
        Emission::PositionsClosed(closed) => {
            let symbols: Vec<_> =
                closed.positions_closed.iter().map(|closed| closed.symbol.as_str()).collect();
            format!("{} {}", symbols.join(","), closed.balance)
        }
        Emission::StateChanged(change) => format!("{} {}", change.from, change.to),
        Emission::StagePassed(passed) => format!("{} {}", passed.milestone, passed.profit),
        Emission::ChallengeFailed(failed) => format!("{} {}", failed.rule.as_str(), failed.balance),
        Emission::PayoutEligible(payout) => format!("{} {} {}", payout.payout, payout.profit, payout.amount),
        Emission::AccountClosed(closed) => closed.balance.to_string(),
    };
    format!("{event_type} {text}").trim_end().to_owned()
}

/// The engine, on its way through a history.
struct Engine {
    rules: [Rulebook; 2],
    migrated: bool,
    replay: Replay,
}

impl Engine {
    fn new(before: &Value, after: &Value) -> Self {
        let rules = [before, after].map(|config| Rulebook::of(&typed(config)));
        let replay = Replay::new(AccountState::provisioned(&typed(before), begin()));
        Self { rules, migrated: false, replay }
    }

    /// The code of the refusal, and what was emitted.
    fn step(&mut self, event: &AccountEvent) -> (Option<&'static str>, Vec<String>) {
        let migrates = matches!(event, AccountEvent::ConfigMigrated { .. });
        let rules = &self.rules[usize::from(self.migrated || migrates)];
        match self.replay.step(rules, event) {
            Replayed::Duplicate => (Some("duplicate"), Vec::new()),
            Replayed::Done(outcome) => {
                self.migrated |= migrates && outcome.refusal.is_none();
                (outcome.refusal.map(|refusal| refusal.code()), outcome.emitted.iter().map(told).collect())
            }
        }
    }
}

fn agree(before: &Value, after: &Value, events: &[AccountEvent]) -> Result<(), TestCaseError> {
    let mut engine = Engine::new(before, after);
    let mut naive = Naive::new(before, begin());
    for event in events {
        let wanted = naive.step(event, after);
        let (refusal, emitted) = engine.step(event);
        prop_assert_eq!(refusal, wanted.as_deref(), "{:?}", event);
        prop_assert_eq!(&emitted, &naive.emitted, "{:?}", event);
        prop_assert_eq!(seen(engine.replay.state()), expected(&naive), "{:?}", event);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn both_engines_agree_after_every_event(before in config(), after in config(), events in history(20)) {
        agree(&before, &after, &events)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn both_engines_agree_in_the_long_run(before in config(), after in config(), events in history(80)) {
        agree(&before, &after, &events)?;
    }
}

/// A history of more days than are listed, in which evenness, trading days and payouts of a month depend on all of them.
#[test]
fn both_engines_agree_over_many_days() {
    let config = |target: f64| {
        json!({
            "id": "many-days", "displayName": "Many days", "baseCapital": 25_000, "variant": "evaluation",
            "challengeDefinitions": [{ "id": "stage-1", "name": "Stage 1", "rules": {
                "profitTarget": target, "minTradingDays": 40,
                "consistencyRule": { "minWinningDays": 35, "minTradesPerDay": 2, "maxProfitDayPercent": 4 },
            } }],
            "payoutRules": { "stagedPayouts": [
                { "milestone": "monthly-profit", "payoutPercent": 80, "conditions": { "minProfit": 250, "minTradingDays": 5 } },
            ] },
        })
    };
    let event = |day: i64, hour: i64, side: &str, price: i64| -> AccountEvent {
        let at = begin() + TimeDelta::days(day) + TimeDelta::hours(hour);
        let text = json!({
            "type": "TradeExecuted", "tradeId": format!("{day}-{hour}"), "symbol": "EURUSD", "side": side, "quantity": 1,
            "price": price, "contractSize": 1, "commission": 1, "executedAt": at,
        });
        serde_json::from_str(&text.to_string()).unwrap()
    };
    let events: Vec<_> = (0..120)
        .flat_map(|day| {
            let gain = if day % 7 == 3 { -40 } else { 60 + day % 11 };
            [event(day, 0, "buy", 1000), event(day, 1, "sell", 1000 + gain)]
        })
        .collect();
    for target in [0.05, 0.1, 1.0] {
        agree(&config(target), &config(target), &events).unwrap();
    }
    let mut engine = Engine::new(&config(0.1), &config(0.1));
    let emitted: Vec<_> = events.iter().flat_map(|event| engine.step(event).1).collect();
    let passed = emitted.iter().position(|told| told.starts_with("challenge.milestone"));
    assert!(passed.is_some(), "{emitted:?}");
    assert!(emitted.iter().filter(|told| told.starts_with("payout.eligible")).count() > 1, "{emitted:?}");
    let state = engine.replay.state();
    assert_eq!((state.days.len(), state.earlier_days.is_some()), (AccountState::LISTED_DAYS, true));
}

/// The words without the numbers.
fn essence(line: &str) -> String {
    let kept = match line.split_once(' ').map_or(line, |(event_type, _)| event_type) {
        "account.state_changed" => 3,
        "challenge.failed" | "challenge.milestone" => 2,
        _ => 1,
    };
    line.split(' ').take(kept).collect::<Vec<_>>().join(" ")
}

/// What the comparison above is worth: in so many random histories everything that can happen does.
#[test]
fn random_histories_have_everything_in_them() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    let mut happened = BTreeSet::new();
    for _ in 0..1500 {
        let (before, after, events) =
            (config(), config(), history(40)).new_tree(&mut runner).unwrap().current();
        let mut engine = Engine::new(&before, &after);
        for event in &events {
            let (refusal, emitted) = engine.step(event);
            happened.extend(refusal.map(|code| format!("refused {code}")));
            happened.extend(emitted.iter().map(|line| essence(line)));
        }
    }
    for wanted in [
        "account.closed",
        "account.state_changed active breached",
        "account.state_changed active closed",
        "account.state_changed active disabled",
        "account.state_changed active expired",
        "account.state_changed active funded",
        "account.state_changed active paused",
        "account.state_changed disabled active",
        "account.state_changed disabled funded",
        "account.state_changed disabled paused",
        "account.state_changed disabled provisioned",
        "account.state_changed funded breached",
        "account.state_changed funded paused",
        "account.state_changed paused active",
        "account.state_changed paused funded",
        "account.state_changed provisioned active",
        "account.updated",
        "challenge.failed daily_loss",
        "challenge.failed duration",
        "challenge.failed max_drawdown",
        "challenge.milestone a-pass",
        "challenge.milestone c-pass",
        "payout.eligible",
        "refused account_disabled",
        "refused account_final",
        "refused account_paused",
        "refused contract_size_mismatch",
        "refused duplicate",
        "refused instrument",
        "refused invalid_transition",
        "refused leverage",
        "refused order_type",
        "refused out_of_order",
        "rule.violation.daily_loss",
        "rule.violation.duration",
        "rule.violation.instrument",
        "rule.violation.leverage",
        "rule.violation.max_drawdown",
        "rule.violation.order_type",
    ] {
        assert!(happened.contains(wanted), "{wanted} never happened: {happened:#?}");
    }
}
