use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::account::engine::{TradeId, Violation};
use tenantry_domain::account::{AccountStatus, CurrentChallenge, Pnl, Position, RuleStatus, rule_statuses};
use tenantry_domain::id::AccountId;
use tenantry_domain::{Amount, timestamp};
use tenantry_usecases::trades::{TradeOutcome, TradeResult, Traded};

use crate::openapi::documented;

/// What became of trades, and how their account stands after them.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TradesApplied")]
pub(crate) struct TradedView<'a> {
    account_id: AccountId,
    status: AccountStatus,
    balance: Amount,
    equity: Amount,
    realised_pnl: Pnl,
    unrealised_pnl: Pnl,
    high_water_mark: Amount,
    day_start_equity: Amount,
    /// Sorted by symbol.
    open_positions: &'a [Position],
    challenge: &'a CurrentChallenge,
    /// How it stands with each rule.
    rule_statuses: Vec<RuleStatus>,
    /// The time of the last event applied.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    as_of: DateTime<Utc>,
    /// Of the account: its `ETag`.
    version: i64,
    /// What became of each trade, in their order.
    results: Vec<ResultView<'a>>,
    /// The rules that were broken, in order.
    violations: Vec<ViolationView<'a>>,
}

/// What became of a trade.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TradeResult")]
pub(crate) struct ResultView<'a> {
    trade_id: &'a TradeId,
    outcome: Outcome,
    /// What it brought by what it closed, without its commission; absent if it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    realised_pnl: Option<Amount>,
    /// Why it was refused: `out_of_order`, `account_final`, `account_paused`, `account_disabled`, `contract_size_mismatch`,
    /// `overflow`, or the rule that it would break.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// The same in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// What became of a trade, in a word.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Outcome {
    /// It was applied.
    Applied,
    /// It had been applied before; nothing changed.
    Duplicate,
    /// It was not applied; it may come again.
    Refused,
}

/// A rule that was broken when a trade came.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TradeViolation")]
pub(crate) struct ViolationView<'a> {
    trade_id: &'a TradeId,
    #[serde(flatten)]
    violation: &'a Violation,
}

/// Writes the answer that a repeated request gets, too.
pub(crate) fn answer(traded: &Traded) -> Vec<u8> {
    let state = &traded.account.state;
    let violations = traded.violations.iter();
    let view = TradedView {
        account_id: traded.account.id,
        status: state.status,
        balance: state.balance,
        equity: state.equity,
        realised_pnl: state.realised_pnl,
        unrealised_pnl: state.unrealised_pnl,
        high_water_mark: state.high_water_mark,
        day_start_equity: state.day_start_equity,
        open_positions: &state.open_positions,
        challenge: &state.challenge,
        rule_statuses: rule_statuses(&traded.config, state),
        as_of: state.as_of,
        version: traded.account.version,
        results: traded.results.iter().map(ResultView::from).collect(),
        violations: violations
            .map(|broken| ViolationView { trade_id: &broken.trade_id, violation: &broken.violation })
            .collect(),
    };
    // Texts, numbers and exact amounts always serialise.
    serde_json::to_vec(&view).unwrap_or_default()
}

impl<'a> From<&'a TradeResult> for ResultView<'a> {
    fn from(TradeResult { trade_id, outcome }: &'a TradeResult) -> Self {
        let told = |outcome, realised| Self {
            trade_id,
            outcome,
            realised_pnl: Some(realised),
            code: None,
            message: None,
        };
        match outcome {
            TradeOutcome::Applied(realised) => told(Outcome::Applied, *realised),
            TradeOutcome::Duplicate(realised) => told(Outcome::Duplicate, *realised),
            TradeOutcome::Refused(refusal) => Self {
                trade_id,
                outcome: Outcome::Refused,
                realised_pnl: None,
                code: Some(refusal.code()),
                message: Some(refusal.to_string()),
            },
        }
    }
}

documented!(TradedView<'static>);
