use tenantry_domain::account::{AppliedTrade, TradePlace};
use tenantry_domain::id::AccountId;
use tenantry_ports::{StoreResult, TenantScope};

use crate::Platform;

/// At most `limit` trades that were applied to an account, in that order, after the place `after`; `None` if there is no
/// such account.
pub fn list(
    platform: &Platform,
    scope: &TenantScope,
    account: AccountId,
    after: Option<TradePlace>,
    limit: usize,
) -> StoreResult<Option<Vec<AppliedTrade>>> {
    platform.stores.open(scope)?.read(|tx| {
        let found = tx.trades().of_account(account, after, limit)?;
        // What has trades exists.
        if found.is_empty() && tx.accounts().revisions(&[account])?.is_empty() {
            return Ok(None);
        }
        Ok(Some(found))
    })
}
