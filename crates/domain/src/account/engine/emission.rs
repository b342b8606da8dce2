use chrono::{DateTime, NaiveDate, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::TradeId;
use crate::account::{AccountStatus, Rule, Side};
use crate::config::{ChallengeId, Milestone, OrderType, Percent, Symbol};
use crate::event::EventType;
use crate::{Amount, timestamp};

/// Something that an event has brought about and that the outside is told, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "emitted", rename_all = "snake_case")]
pub enum Emission {
    /// A rule was broken: `rule.violation.<rule>`.
    RuleViolated(Violation),
    /// Open positions were closed at their marks, by no trade: `account.updated`.
    PositionsClosed(PositionsClosed),
    /// The status changed: `account.state_changed`.
    StateChanged(StateChange),
    /// A stage was passed: `challenge.milestone`.
    StagePassed(StagePassed),
    /// The account has failed its stage, or its funded account: `challenge.failed`.
    ChallengeFailed(ChallengeFailed),
    /// The conditions of a staged payout hold: `payout.eligible`.
    PayoutEligible(EligiblePayout),
    /// The account was closed: `account.closed`.
    AccountClosed(AccountClosed),
}

/// A rule that was broken, by what, and what it allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// What broke it: the loss, the open notional, the days elapsed, the symbol, the order type.
    pub value: Fact,
    /// What is allowed: an amount, days, the symbols, the order types.
    pub limit: Fact,
    /// What it takes to check it.
    pub details: ViolationDetails,
}

/// A number or words, as a rule has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Fact {
    /// An amount of money, or a number of days.
    Number(Amount),
    /// An instrument.
    Instrument(Symbol),
    /// Instruments, sorted.
    Instruments(Vec<Symbol>),
    /// A kind of order.
    OrderType(OrderType),
    /// Kinds of order, in their own order.
    OrderTypes(Vec<OrderType>),
}

/// What it takes to check a violation; members are absent where a rule has no use for them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViolationDetails {
    /// The stage whose rule it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge_id: Option<ChallengeId>,
    /// What followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consequence: Option<Consequence>,
    /// The equity when it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equity: Option<Amount>,
    /// The lowest equity that was allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<Amount>,
    /// What the loss is measured from: high-water mark or start, day-start equity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Amount>,
    /// The trade that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trade_id: Option<TradeId>,
    /// What it would have traded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<Symbol>,
    /// When the stage's time began to run: its first trade.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    pub since: Option<DateTime<Utc>>,
}

/// What follows from a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Consequence {
    /// The account is breached, for good.
    Breached,
    /// The account is expired, for good.
    Expired,
    /// No trading until the next trading day.
    Paused,
    /// The trade was refused; the account is unharmed.
    TradeRefused,
}

/// Positions that were closed at their marks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PositionsClosed {
    /// Each of them, sorted by symbol.
    pub positions_closed: Vec<ClosedPosition>,
    /// The balance afterwards.
    pub balance: Amount,
}

/// A position that was closed at its mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClosedPosition {
    /// What was held.
    pub symbol: Symbol,
    /// In which direction.
    pub side: Side,
    /// How much, in lots or contracts.
    pub quantity: Amount,
    /// The average price at which it was opened.
    pub average_entry_price: Amount,
    /// The mark at which it was closed.
    pub price: Amount,
    /// What it brought.
    pub realised_pnl: Amount,
}

/// A change of status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StateChange {
    /// What the account was.
    pub from: AccountStatus,
    /// What it is.
    pub to: AccountStatus,
    /// Why.
    pub reason: Reason,
}

/// Why a status changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The first trade.
    FirstTrade,
    /// There is no stage to pass.
    StraightToFunded,
    /// The last stage was passed.
    AllStagesPassed,
    /// The loss from the top exceeds its limit.
    MaxDrawdown,
    /// The day's loss exceeds its limit.
    DailyLoss,
    /// The stage's time ran out.
    Duration,
    /// A new trading day ends the pause.
    NewDay,
    /// By hand.
    Disabled,
    /// By hand.
    Enabled,
    /// By hand.
    Reset,
    /// By hand.
    Closed,
    /// The account follows a config without stages now.
    ConfigMigrated,
}

/// A stage that was passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StagePassed {
    /// `<stage id>-pass`.
    pub milestone: String,
    /// The stage that was passed.
    pub challenge_id: ChallengeId,
    /// The stage that begins; absent after the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_challenge_id: Option<ChallengeId>,
    /// The balance with which it was passed.
    pub balance: Amount,
    /// The closed profit with which it was passed.
    pub profit: Amount,
    /// The trading days it took.
    pub trading_days: u32,
    /// The winning days among them.
    pub winning_days: u32,
}

/// A stage, or a funded account, that has failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChallengeFailed {
    /// The stage; of a funded account, the last one.
    pub challenge_id: ChallengeId,
    /// The rule that was broken.
    pub rule: Rule,
    /// As in the violation.
    pub value: Amount,
    /// As in the violation.
    pub limit: Amount,
    /// What is left.
    pub balance: Amount,
    /// As in the violation.
    pub details: ViolationDetails,
}

/// A staged payout whose conditions hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EligiblePayout {
    /// The payout's position in the config, counted from 0.
    pub payout: usize,
    /// Its milestone.
    pub milestone: Milestone,
    /// The share of the profit, in hundredths.
    pub payout_percent: Percent,
    /// The closed profit it is a share of: the stage's, or of `monthly-profit` the calendar month's.
    pub profit: Amount,
    /// The share; 0 where there is no profit.
    pub amount: Amount,
    /// The trading day on which it came to hold.
    #[schemars(schema_with = "date")]
    pub on: NaiveDate,
}

/// An account that was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountClosed {
    /// The balance at the end.
    pub balance: Amount,
}

/// A staged payout that was told of, so that it is not told again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PayoutTold {
    /// The payout's position in the config, counted from 0.
    pub payout: usize,
    /// Its milestone.
    pub milestone: Milestone,
    /// The trading day on which it was last told.
    #[schemars(schema_with = "date")]
    pub on: NaiveDate,
}

impl Emission {
    /// The type of the event that tells it.
    pub fn event_type(&self) -> EventType {
        match self {
            Self::RuleViolated(violation) => EventType::rule_violation(violation.rule),
            Self::PositionsClosed(_) => EventType::ACCOUNT_UPDATED,
            Self::StateChanged(_) => EventType::ACCOUNT_STATE_CHANGED,
            Self::StagePassed(_) => EventType::CHALLENGE_MILESTONE,
            Self::ChallengeFailed(_) => EventType::CHALLENGE_FAILED,
            Self::PayoutEligible(_) => EventType::PAYOUT_ELIGIBLE,
            Self::AccountClosed(_) => EventType::ACCOUNT_CLOSED,
        }
    }

    /// The event's `data`: the members of what is in the variant.
    pub fn data(&self) -> Value {
        let data = match self {
            Self::RuleViolated(violation) => serde_json::to_value(violation),
            Self::PositionsClosed(closed) => serde_json::to_value(closed),
            Self::StateChanged(change) => serde_json::to_value(change),
            Self::StagePassed(passed) => serde_json::to_value(passed),
            Self::ChallengeFailed(failed) => serde_json::to_value(failed),
            Self::PayoutEligible(payout) => serde_json::to_value(payout),
            Self::AccountClosed(closed) => serde_json::to_value(closed),
        };
        // None of them has a map with keys that are no text, the one thing that cannot be written.
        data.unwrap_or_default()
    }
}

pub(super) fn date(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date" })
}
