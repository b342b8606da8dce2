use tenantry_domain::Amount;
use tenantry_domain::account::engine::TradeId;
use tenantry_domain::account::{AppliedTrade, TradePlace};
use tenantry_domain::config::Symbol;
use tenantry_domain::id::AccountId;

use crate::StoreResult;

/// The trades that were applied to accounts. Whoever adds some has locked the log and read the accounts.
pub trait TradeRepository {
    /// Adds trades, in one statement where the database can. `Conflict(TradeId)` if the account has a trade of this id.
    fn insert(&mut self, trades: &[AppliedTrade]) -> StoreResult<()>;

    /// Those of these trades that were applied, and what they realised, in any order.
    fn realised(
        &mut self,
        trades: &[(AccountId, &TradeId)],
    ) -> StoreResult<Vec<(AccountId, TradeId, Amount)>>;

    /// At most `limit` trades of this account in the order in which they were applied, after the place `after`.
    fn of_account(
        &mut self,
        account: AccountId,
        after: Option<TradePlace>,
        limit: usize,
    ) -> StoreResult<Vec<AppliedTrade>>;

    /// At most `limit` trades in order of account and place, after these.
    fn page(
        &mut self,
        after: Option<(AccountId, TradePlace)>,
        limit: usize,
    ) -> StoreResult<Vec<AppliedTrade>>;
}

/// Which accounts may hold a symbol: all that do, and some that no longer do. Whoever changes that has locked the log.
///
/// What opens a position adds to it. What closes one need not take from it: whoever looks for holders looks at their
/// accounts anyway, and takes away what has become untrue.
pub trait HoldingRepository {
    /// Notes that these accounts hold these symbols. What is noted already stays noted.
    fn add(&mut self, holdings: &[(Symbol, AccountId)]) -> StoreResult<()>;

    /// Notes that they do not. What is not noted stays so.
    fn remove(&mut self, holdings: &[(Symbol, AccountId)]) -> StoreResult<()>;

    /// What is noted of any of these symbols, in order of account and symbol.
    fn holders(&mut self, symbols: &[Symbol]) -> StoreResult<Vec<(AccountId, Symbol)>>;
}
