use chrono::{DateTime, Utc};
use serde_json::json;

use super::RuleState::{Compliant, InProgress, Met, NotApplicable, Violated};
use super::*;
use crate::account::{DayStatistics, Position, Side};
use crate::config::{Symbol, demo};

const AT: &str = "2025-01-10T15:00:00Z";

fn at() -> DateTime<Utc> {
    AT.parse().unwrap()
}

fn demo() -> (AccountConfig, AccountState) {
    let config: AccountConfig = serde_json::from_str(demo::DEMO_CONFIG).unwrap();
    let state = AccountState::provisioned(&config, at());
    (config, state)
}

/// Status and limit, current, remaining of a rule.
fn of(rule: Rule, config: &AccountConfig, state: &AccountState) -> (RuleState, Option<[i64; 3]>) {
    let found = rule_statuses(config, state).into_iter().find(|status| status.rule == rule).unwrap();
    let whole = |amount: Amount| amount.to_string().parse().unwrap();
    let numbers = (|| Some([whole(found.limit?), whole(found.current?), whole(found.remaining?)]))();
    (found.status, numbers)
}

fn day(date: &str, closed_profit: i64) -> DayStatistics {
    let closed_profit = Amount::from(closed_profit);
    DayStatistics { date: date.parse().unwrap(), trades: 2, opening_trades: 1, closed_profit }
}

#[test]
fn a_fresh_account_stands_with_every_rule_as_its_config_says() {
    let (config, state) = demo();
    let expected = [
        (Rule::ProfitTarget, InProgress, Some([2000, 0, 2000])),
        (Rule::MaxDrawdown, Compliant, Some([2000, 0, 2000])),
        (Rule::DailyLoss, Compliant, Some([750, 0, 750])),
        (Rule::MinTradingDays, InProgress, Some([5, 0, 5])),
        (Rule::Consistency, InProgress, Some([3, 0, 3])),
        (Rule::Duration, Compliant, Some([60, 0, 60])),
        (Rule::Instrument, Compliant, None),
        (Rule::OrderType, Compliant, None),
        (Rule::Leverage, Compliant, Some([1_250_000, 0, 1_250_000])),
    ];
    assert_eq!(expected.map(|(rule, ..)| rule), Rule::ALL);
    for (rule, status, numbers) in expected {
        assert_eq!(of(rule, &config, &state), (status, numbers), "{rule:?}");
    }
}

#[test]
fn rules_a_config_does_not_have_do_not_apply() {
    let mut document = demo::config();
    document.as_object_mut().unwrap().remove("allowedInstruments");
    document["challengeDefinitions"] = json!([{ "id": "one", "name": "One", "rules": {
        "profitTarget": 0, "minTradingDays": 0, "consistencyRule": { "minWinningDays": 0, "minTradesPerDay": 2 },
    } }]);
    let config: AccountConfig = serde_json::from_value(document).unwrap();
    let state = AccountState::provisioned(&config, at());
    for status in rule_statuses(&config, &state) {
        assert_eq!(status, RuleStatus::new(status.rule, NotApplicable));
    }
}

#[test]
fn a_funded_account_keeps_the_loss_rules_alone_of_its_last_stage() {
    let (config, mut state) = demo();
    state.challenge.index = 1;
    state.challenge.phase = Phase::Funded;
    for rule in [Rule::ProfitTarget, Rule::MinTradingDays, Rule::Consistency, Rule::Duration] {
        assert_eq!(of(rule, &config, &state), (NotApplicable, None), "{rule:?}");
    }
    assert_eq!(of(Rule::MaxDrawdown, &config, &state).0, Compliant);
    assert_eq!(of(Rule::Leverage, &config, &state), (Compliant, Some([750_000, 0, 750_000])));
}

#[test]
fn straight_to_funded_accounts_have_nothing_to_pass_from_the_start() {
    let (mut config, state) = demo();
    config.variant = Variant::StraightToFunded;
    assert_eq!(of(Rule::ProfitTarget, &config, &state), (NotApplicable, None));
    assert_eq!(of(Rule::DailyLoss, &config, &state).0, Compliant);
}

#[test]
fn the_profit_target_counts_closed_profit() {
    let (config, mut state) = demo();
    state.equity = Amount::from(28_000);
    assert_eq!(of(Rule::ProfitTarget, &config, &state), (InProgress, Some([2000, 0, 2000])));
    state.balance = Amount::from(24_000);
    assert_eq!(of(Rule::ProfitTarget, &config, &state), (InProgress, Some([2000, -1000, 3000])));
    state.balance = Amount::from(27_000);
    assert_eq!(of(Rule::ProfitTarget, &config, &state), (Met, Some([2000, 2000, 0])));
    state.balance = Amount::from(27_500);
    assert_eq!(of(Rule::ProfitTarget, &config, &state), (Met, Some([2000, 2500, 0])));
}

#[test]
fn a_loss_beyond_its_limit_is_a_violation() {
    let (config, mut state) = demo();
    state.equity = Amount::from(24_250);
    assert_eq!(of(Rule::DailyLoss, &config, &state), (Compliant, Some([750, 750, 0])));
    state.equity = Amount::from(24_249);
    assert_eq!(of(Rule::DailyLoss, &config, &state), (Violated, Some([750, 751, 0])));
    assert_eq!(of(Rule::MaxDrawdown, &config, &state), (Compliant, Some([2000, 751, 1249])));
    state.equity = Amount::from(22_999);
    assert_eq!(of(Rule::MaxDrawdown, &config, &state), (Violated, Some([2000, 2001, 0])));
}

#[test]
fn consistency_asks_for_winning_days_first_and_then_for_evenness() {
    let (config, mut state) = demo();
    state.days = vec![day("2025-01-08", 600), day("2025-01-09", 300), day("2025-01-10", -100)];
    state.winning_days = 2;
    assert_eq!(of(Rule::Consistency, &config, &state), (InProgress, Some([3, 2, 1])));
    state.winning_days = 3;
    assert_eq!(of(Rule::Consistency, &config, &state), (InProgress, Some([50, 75, 0])), "600 of 800");
    state.days.push(day("2025-01-11", 400));
    assert_eq!(of(Rule::Consistency, &config, &state), (Met, Some([50, 50, 0])), "600 of 1200");
    state.days.push(day("2025-01-12", -1200));
    assert_eq!(
        of(Rule::Consistency, &config, &state),
        (InProgress, Some([50, 0, 50])),
        "no profit, no share"
    );
}

#[test]
fn trading_days_are_counted_up_to_what_is_demanded() {
    let (config, mut state) = demo();
    state.trading_days = 4;
    assert_eq!(of(Rule::MinTradingDays, &config, &state), (InProgress, Some([5, 4, 1])));
    state.trading_days = 6;
    assert_eq!(of(Rule::MinTradingDays, &config, &state), (Met, Some([5, 6, 0])));
}

#[test]
fn time_runs_from_the_first_trade_and_out_at_the_limit() {
    let (config, mut state) = demo();
    state.as_of = at() + TimeDelta::days(100);
    assert_eq!(of(Rule::Duration, &config, &state), (Compliant, Some([60, 0, 60])), "no trade yet");
    state.challenge.first_trade_at = Some(at());
    state.as_of = at() + TimeDelta::days(60) - TimeDelta::milliseconds(1);
    assert_eq!(of(Rule::Duration, &config, &state), (Compliant, Some([60, 59, 1])));
    state.as_of = at() + TimeDelta::days(60);
    assert_eq!(of(Rule::Duration, &config, &state), (Violated, Some([60, 60, 0])));
}

#[test]
fn leverage_adds_up_both_sides_at_their_marks() {
    let (config, mut state) = demo();
    let position = |symbol: &str, side, quantity: &str, mark: &str| Position {
        symbol: Symbol::new(symbol).unwrap(),
        side,
        quantity: quantity.parse().unwrap(),
        contract_size: Amount::from(100_000),
        average_entry_price: mark.parse().unwrap(),
        mark: mark.parse().unwrap(),
        unrealised_pnl: Amount::ZERO,
    };
    state.open_positions =
        vec![position("EURUSD", Side::Long, "2", "1.1"), position("GBPUSD", Side::Short, "0.5", "1.3")];
    assert_eq!(of(Rule::Leverage, &config, &state), (Compliant, Some([1_250_000, 285_000, 965_000])));
}

#[test]
fn the_wire_has_words_and_numbers() {
    let (config, state) = demo();
    let statuses = serde_json::to_value(rule_statuses(&config, &state)).unwrap();
    assert_eq!(
        statuses[2],
        json!({ "rule": "daily_loss", "status": "compliant", "limit": 750, "current": 0, "remaining": 750 })
    );
    for rule in Rule::ALL {
        assert_eq!(serde_json::to_value(rule).unwrap(), rule.as_str());
    }
}
