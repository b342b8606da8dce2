//! What is in `data` of what trades and prices do to accounts.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::account::AccountStatus;
use tenantry_domain::account::engine::{PriceMark, TradeId};
use tenantry_domain::money::Amount;
use tenantry_domain::timestamp;

/// `account.traded`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountTraded<'a> {
    /// How many trades were applied.
    pub(crate) applied: usize,
    /// How many were there before.
    pub(crate) duplicates: usize,
    /// How many were refused.
    pub(crate) refused: usize,
    /// The first trade that was applied.
    pub(crate) first_trade_id: Option<TradeId>,
    /// The last one.
    pub(crate) last_trade_id: Option<TradeId>,
    /// The account's status before the trades and after them.
    pub(crate) status: StatusMoved,
    /// The balance after them.
    pub(crate) balance: Amount,
    /// The equity after them.
    pub(crate) equity: Amount,
    /// When the last thing happened to the account, on the engine's clock.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    pub(crate) as_of: DateTime<Utc>,
    /// Rises with every change of the account.
    pub(crate) version: i64,
    /// Who sent them.
    pub(crate) by: &'a str,
}

/// A status before and after.
#[derive(Serialize, JsonSchema)]
pub(crate) struct StatusMoved {
    pub(crate) before: AccountStatus,
    pub(crate) after: AccountStatus,
}

/// `prices.marked`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PricesMarked<'a> {
    /// The prices, in order of their times.
    pub(crate) marks: &'a [PriceMark],
    /// What became of the accounts that hold what has them.
    pub(crate) accounts: AccountsMarked,
    /// Who sent them.
    pub(crate) by: &'a str,
}

/// How many accounts came to what.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AccountsMarked {
    /// Revalued.
    pub(crate) revalued: usize,
    /// Of those, breached by it.
    pub(crate) breached: usize,
    /// Left as they are, since something younger happened to them or an amount would be too large.
    pub(crate) skipped: usize,
}

/// `days.rolled`. What came of it is told of each account.
#[derive(Serialize, JsonSchema)]
pub(crate) struct DaysRolled<'a> {
    /// Until when days began.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    pub(crate) until: DateTime<Utc>,
    /// What became of the accounts whose day it was.
    pub(crate) accounts: AccountsRolled,
    /// What had them begin.
    pub(crate) by: &'a str,
}

/// How many accounts came to what.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AccountsRolled {
    /// A day began.
    pub(crate) rolled: usize,
    /// Of those, may trade again.
    pub(crate) resumed: usize,
    /// Of those, ran out of time.
    pub(crate) expired: usize,
}
