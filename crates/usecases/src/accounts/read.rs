use std::collections::HashMap;
use std::sync::Arc;

use tenantry_domain::account::{Account, RuleStatus, rule_statuses};
use tenantry_domain::config::AccountConfig;
use tenantry_domain::id::AccountId;
use tenantry_ports::{AccountFilter, AccountRevision, StoreError, StoreResult, TenantScope, TenantTx};

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

/// What there is to say about an account to somebody who may know it already.
#[derive(Debug, Clone)]
pub enum Reading {
    /// There is no such account.
    Unknown,
    /// It is as it was.
    Unchanged,
    /// It has changed, or the caller did not know it. Shared, since several may have asked for it.
    Changed(Arc<AccountView>),
}

/// An account, and in which revision it is known, if it is.
pub type Asked = (AccountId, Option<AccountRevision>);

/// What there is to say about each of these accounts to somebody who knows it as given, in the order asked for. The store is
/// asked every time, so what is unchanged is so now, whoever else writes to it.
pub fn read(platform: &Platform, scope: &TenantScope, asked: &[Asked]) -> StoreResult<Vec<Reading>> {
    platform.stores.open(scope)?.read(|tx| {
        let known: Vec<_> = asked.iter().filter(|(_, known)| known.is_some()).map(|(id, _)| *id).collect();
        let current: HashMap<_, _> = tx.accounts().revisions(&known)?.into_iter().collect();
        let is_unchanged = |(id, known): &Asked| known.is_some() && known.as_ref() == current.get(id);
        let wanted: Vec<_> = asked.iter().filter(|asked| !is_unchanged(asked)).map(|(id, _)| *id).collect();
        let mut changed = HashMap::with_capacity(wanted.len());
        for account in tx.accounts().get(&wanted)? {
            let view = AccountView::of(platform, tx, account)?;
            changed.insert(view.account.id, Arc::new(view));
        }
        let reading = |asked: &Asked| match changed.get(&asked.0) {
            _ if is_unchanged(asked) => Reading::Unchanged,
            Some(view) => Reading::Changed(Arc::clone(view)),
            None => Reading::Unknown,
        };
        Ok(asked.iter().map(reading).collect())
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
        accounts.into_iter().map(|account| AccountView::of(platform, tx, account)).collect()
    })
}

impl AccountView {
    pub(crate) fn of(platform: &Platform, tx: &mut dyn TenantTx, account: Account) -> StoreResult<Self> {
        let config = config_of(platform, tx, &account)?;
        let rules = rule_statuses(&config, &account.state);
        Ok(Self { account, config, rules })
    }
}

/// The config version that the account follows.
pub(crate) fn config_of(
    platform: &Platform,
    tx: &mut dyn TenantTx,
    account: &Account,
) -> StoreResult<Arc<AccountConfig>> {
    platform.configs.get(&account.config_hash, || {
        let stored = tx.configs().get(&account.config_id, Some(account.config_version))?;
        let missing = || StoreError::corrupt("account", "the config version it was made from is missing");
        stored.map(|config| config.resolved).ok_or_else(missing)
    })
}
