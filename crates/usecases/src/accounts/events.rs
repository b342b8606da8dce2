use tenantry_ports::{AccountEvents, LogEntry, StoreResult, TenantScope};

use crate::Platform;

/// At most `limit` of these events of an account, newest first, before the one numbered `before` in the tenant's log; `None` if
/// there is no such account.
pub fn events(
    platform: &Platform,
    scope: &TenantScope,
    filter: &AccountEvents,
    before: Option<i64>,
    limit: usize,
) -> StoreResult<Option<Vec<LogEntry>>> {
    platform.stores.open(scope)?.read(|tx| {
        let found = tx.log().of_account(filter, before, limit)?;
        // What has events exists.
        if found.is_empty() && tx.accounts().revisions(&[filter.account])?.is_empty() {
            return Ok(None);
        }
        Ok(Some(found))
    })
}
