use chrono::TimeDelta;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::engine::pass::is_even;
use super::limits::{LossLimit, daily_loss, max_drawdown};
use super::{AccountState, Phase};
use crate::Amount;
use crate::config::{AccountConfig, Challenge, ConsistencyRule, Count, Variant};

/// A rule an account is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Closed profit needed to pass the stage.
    ProfitTarget,
    /// How far equity may fall in all.
    MaxDrawdown,
    /// How far equity may fall in a day.
    DailyLoss,
    /// Trading days needed to pass the stage.
    MinTradingDays,
    /// How evenly the profit must have been made to pass the stage.
    Consistency,
    /// The time within which the stage must be passed.
    Duration,
    /// What may be traded.
    Instrument,
    /// The kinds of order that may be used.
    OrderType,
    /// How much may be open at once.
    Leverage,
}

impl Rule {
    /// Every rule, in the order in which they are reported.
    pub const ALL: [Self; 9] = [
        Self::ProfitTarget,
        Self::MaxDrawdown,
        Self::DailyLoss,
        Self::MinTradingDays,
        Self::Consistency,
        Self::Duration,
        Self::Instrument,
        Self::OrderType,
        Self::Leverage,
    ];

    /// The rule's name on the wire, as in the event type `rule.violation.daily_loss`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProfitTarget => "profit_target",
            Self::MaxDrawdown => "max_drawdown",
            Self::DailyLoss => "daily_loss",
            Self::MinTradingDays => "min_trading_days",
            Self::Consistency => "consistency",
            Self::Duration => "duration",
            Self::Instrument => "instrument",
            Self::OrderType => "order_type",
            Self::Leverage => "leverage",
        }
    }
}

/// How an account stands with a rule, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleState {
    /// The account keeps within it.
    Compliant,
    /// What it demands is not reached yet.
    InProgress,
    /// What it demands is reached.
    Met,
    /// The account has broken it.
    Violated,
    /// The config does not have it, or it has nothing to say to the account any more.
    NotApplicable,
}

/// How an account stands with one rule. The numbers are amounts of money, days or percent, as the rule demands, and
/// absent where it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleStatus {
    /// The rule.
    pub rule: Rule,
    /// In a word.
    pub status: RuleState,
    /// What is demanded or allowed.
    pub limit: Option<Amount>,
    /// What is reached or used up.
    pub current: Option<Amount>,
    /// What is still to be reached, or still allowed; never below 0. Of the loss rules, how far equity may still fall.
    pub remaining: Option<Amount>,
}

impl RuleStatus {
    fn new(rule: Rule, status: RuleState) -> Self {
        Self { rule, status, limit: None, current: None, remaining: None }
    }

    fn with(rule: Rule, status: RuleState, limit: Decimal, current: Decimal) -> Self {
        let remaining = limit.saturating_sub(current).max(Decimal::ZERO);
        let [limit, current, remaining] = [limit, current, remaining].map(|value| Some(Amount::new(value)));
        Self { rule, status, limit, current, remaining }
    }

    /// Of a rule that demands something: met when `current` reaches `limit`.
    fn demand(rule: Rule, limit: Decimal, current: Decimal) -> Self {
        let status = if current >= limit { RuleState::Met } else { RuleState::InProgress };
        Self::with(rule, status, limit, current)
    }

    fn loss(rule: Rule, loss: LossLimit) -> Self {
        let status = if loss.is_violated() { RuleState::Violated } else { RuleState::Compliant };
        Self {
            rule,
            status,
            limit: Some(loss.limit),
            current: Some(loss.loss()),
            remaining: Some(loss.remaining()),
        }
    }
}

/// How an account in this state stands with every rule of its config, in the order of [`Rule::ALL`], as of the
/// state's own time.
///
/// The rules that stand between a stage and its passing do not apply to accounts that have nothing to pass: funded
/// ones, and those of a straight-to-funded config.
pub fn rule_statuses(config: &AccountConfig, state: &AccountState) -> Vec<RuleStatus> {
    let stage = state.stage(config);
    let to_pass = state.challenge.phase == Phase::Evaluation && config.variant == Variant::Evaluation;
    let status = |rule| match rule {
        Rule::MaxDrawdown => max_drawdown(config, state).map(|loss| RuleStatus::loss(rule, loss)),
        Rule::DailyLoss => daily_loss(config, state).map(|loss| RuleStatus::loss(rule, loss)),
        Rule::ProfitTarget if to_pass => profit_target(config, stage, state),
        Rule::MinTradingDays if to_pass => min_trading_days(stage, state),
        Rule::Consistency if to_pass => consistency(stage, state),
        Rule::Duration if to_pass => duration(stage, state),
        Rule::ProfitTarget | Rule::MinTradingDays | Rule::Consistency | Rule::Duration => None,
        Rule::Instrument => config.allowed_instruments.is_some().then(|| kept_before_each_trade(rule)),
        Rule::OrderType => stage.rules.order_types_allowed.is_some().then(|| kept_before_each_trade(rule)),
        Rule::Leverage => leverage(stage, state),
    };
    Rule::ALL.map(|rule| status(rule).unwrap_or(RuleStatus::new(rule, RuleState::NotApplicable))).to_vec()
}

fn profit_target(config: &AccountConfig, stage: &Challenge, state: &AccountState) -> Option<RuleStatus> {
    let target = stage.rules.target()?.of(config.base_capital);
    let profit = state.balance.value().saturating_sub(config.base_capital.value());
    Some(RuleStatus::demand(Rule::ProfitTarget, target.value(), profit))
}

fn min_trading_days(stage: &Challenge, state: &AccountState) -> Option<RuleStatus> {
    let days = stage.rules.min_trading_days.and_then(Count::above_zero)?;
    Some(RuleStatus::demand(Rule::MinTradingDays, days.into(), state.trading_days.into()))
}

/// The winning days while there are too few of them, then the share of the best day in the closed profit.
fn consistency(stage: &Challenge, state: &AccountState) -> Option<RuleStatus> {
    let rule: &ConsistencyRule = stage.rules.consistency_rule.as_ref()?;
    let days = rule.min_winning_days.and_then(Count::above_zero);
    let winning =
        days.map(|days| RuleStatus::demand(Rule::Consistency, days.into(), state.winning_days.into()));
    if winning.is_some_and(|winning| winning.status == RuleState::InProgress) {
        return winning;
    }
    let Some(most) = rule.max_profit_day_percent else {
        return winning;
    };
    let status = if is_even(state, most.value()) { RuleState::Met } else { RuleState::InProgress };
    let percent = best_day_percent(state).unwrap_or_default();
    Some(RuleStatus::with(Rule::Consistency, status, most.value(), percent))
}

/// The best day's share of the closed profit, in percent; there is none without a profit.
fn best_day_percent(state: &AccountState) -> Option<Decimal> {
    let (total, best) = state.closed_profits();
    let best = best?;
    // No share is known where it cannot be written down, as of a total of next to nothing.
    if total > Decimal::ZERO { best.checked_div(total)?.checked_mul(Decimal::ONE_HUNDRED) } else { None }
}

/// Whole days of 24 hours since the stage's first trade.
fn duration(stage: &Challenge, state: &AccountState) -> Option<RuleStatus> {
    let limit = stage.time_limit_days()?;
    let elapsed = state.challenge.first_trade_at.map_or(TimeDelta::zero(), |first| state.as_of - first);
    let status =
        if elapsed >= TimeDelta::days(limit.into()) { RuleState::Violated } else { RuleState::Compliant };
    Some(RuleStatus::with(Rule::Duration, status, limit.into(), elapsed.num_days().into()))
}

/// These are checked before a trade is applied, and one that offends is refused: no account is ever in breach of them.
fn kept_before_each_trade(rule: Rule) -> RuleStatus {
    RuleStatus::new(rule, RuleState::Compliant)
}

/// The open notional at the marks. Like the instrument it is checked before a trade; prices that move afterwards may
/// carry it past the limit without breaking the rule.
fn leverage(stage: &Challenge, state: &AccountState) -> Option<RuleStatus> {
    let limit = state.equity.value().saturating_mul(stage.rules.leverage?.value());
    let open = state.open_positions.iter().fold(Decimal::ZERO, |sum, position| {
        let [quantity, mark, size] =
            [position.quantity, position.mark, position.contract_size].map(Amount::value);
        sum.saturating_add(quantity.abs().saturating_mul(mark).saturating_mul(size))
    });
    Some(RuleStatus::with(Rule::Leverage, RuleState::Compliant, limit, open))
}

#[cfg(test)]
mod tests;
