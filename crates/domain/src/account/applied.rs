use super::engine::Trade;
use crate::Amount;
use crate::id::AccountId;

/// A trade that was applied to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedTrade {
    /// The account.
    pub account: AccountId,
    /// The trade.
    pub trade: Trade,
    /// What it brought by what it closed, without its commission.
    pub realised_pnl: Amount,
    /// Where it stands among the tenant's trades.
    pub place: TradePlace,
}

/// Where a trade stands in the order in which a tenant's trades were applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TradePlace {
    /// The number of the entry in the tenant's log that tells of it.
    pub sequence: i64,
    /// Where it stands among the trades of the request that it came with, counted from 0.
    pub index: u32,
}
