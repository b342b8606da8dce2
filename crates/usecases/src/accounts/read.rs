use std::collections::HashMap;
use std::sync::Arc;

use tenantry_domain::account::{Account, RuleStatus, rule_statuses};
use tenantry_domain::config::AccountConfig;
use tenantry_domain::id::AccountId;
use tenantry_ports::{AccountFilter, StoreError, StoreResult, TenantScope, TenantTx};

use crate::Platform;

/// An account with what its config says about it.
#[derive(Debug, Clone)]
pub struct AccountView {
    /// The account.
    pub account: Account,
    /// The config version it was made from.
    pub config: Arc<AccountConfig>,
    /// How it stands with each rule.
    pub rules: Vec<RuleStatus>,
}

/// The accounts with these ids, in the order asked for; `None` where there is none.
///
/// Views are shared, since several callers may have asked for the same account.
pub fn read(
    platform: &Platform,
    scope: &TenantScope,
    slice: &[AccountId],
) -> StoreResult<Vec<Option<Arc<AccountView>>>> {
    platform.stores.open(scope)?.read(|tx| {
        let mut found = HashMap::with_capacity(slice.len());
        for account in tx.accounts().get(slice)? {
            let view = view(platform, tx, account)?;
            found.insert(view.account.id, Arc::new(view));
        }
        Ok(slice.iter().map(|id| found.get(id).cloned()).collect())
    })
}

/// At most `limit` accounts, newest first, after the account `after`.
pub fn list(
    platform: &Platform,
    scope: &TenantScope,
    filter: &AccountFilter,
    after: Option<AccountId>,
    limit: usize,
) -> StoreResult<Vec<AccountView>> {
    platform.stores.open(scope)?.read(|tx| {
        let accounts = tx.accounts().page(filter, after, limit)?;
        accounts.into_iter().map(|account| view(platform, tx, account)).collect()
    })
}

fn view(platform: &Platform, tx: &mut dyn TenantTx, account: Account) -> StoreResult<AccountView> {
    let config = platform.configs.get(&account.config_hash, || {
        let stored = tx.configs().get(&account.config_id, Some(account.config_version))?;
        let missing = || StoreError::corrupt("account", "the config version it was made from is missing");
        stored.map(|config| config.resolved).ok_or_else(missing)
    })?;
    let rules = rule_statuses(&config, &account.state);
    Ok(AccountView { account, config, rules })
}
