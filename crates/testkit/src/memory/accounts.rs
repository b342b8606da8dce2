use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use tenantry_domain::account::Account;
use tenantry_domain::id::AccountId;
use tenantry_ports::{
    AccountFilter, AccountRepository, AccountRevision, Constraint, StoreError, StoreResult,
};

use super::snapshot::Transaction;
use super::tenant::TenantState;

impl AccountRepository for Transaction<TenantState> {
    fn insert(&mut self, accounts: &[Account]) -> StoreResult<()> {
        self.change(|state| {
            for account in accounts {
                if state.accounts.insert(account.id, account.clone()).is_some() {
                    return Err(StoreError::Conflict(Constraint::AccountId));
                }
            }
            Ok(())
        })
    }

    fn get(&mut self, ids: &[AccountId]) -> StoreResult<Vec<Account>> {
        self.look(|state| {
            let ids: BTreeSet<_> = ids.iter().collect();
            Ok(ids.into_iter().filter_map(|id| state.accounts.get(id)).cloned().collect())
        })
    }

    fn revisions(&mut self, ids: &[AccountId]) -> StoreResult<Vec<(AccountId, AccountRevision)>> {
        let accounts = AccountRepository::get(self, ids)?;
        Ok(accounts.iter().map(|account| (account.id, account.into())).collect())
    }

    fn update(&mut self, accounts: &[Account]) -> StoreResult<()> {
        self.change(|state| {
            let mut given = BTreeSet::new();
            for account in accounts {
                let stored = state.accounts.get(&account.id);
                let stored = stored.filter(|stored| stored.version == account.version - 1);
                let (Some(stored), true) = (stored, given.insert(account.id)) else {
                    return Err(StoreError::Stale);
                };
                let born = (stored.tenant_id, stored.user_id.clone(), stored.created_at);
                let mut account = account.clone();
                (account.tenant_id, account.user_id, account.created_at) = born;
                state.accounts.insert(account.id, account);
            }
            Ok(())
        })
    }

    fn page(
        &mut self,
        filter: &AccountFilter,
        after: Option<AccountId>,
        limit: usize,
    ) -> StoreResult<Vec<Account>> {
        self.look(|state| {
            let newest_first = state.accounts.values().rev();
            let rest = newest_first.filter(|account| after.is_none_or(|after| account.id < after));
            Ok(rest.filter(|account| passes(filter, account)).take(limit).cloned().collect())
        })
    }

    fn to_roll(&mut self, now: DateTime<Utc>, limit: usize) -> StoreResult<Vec<Account>> {
        self.look(|state| {
            let is_due = |account: &&Account| account.rolls_at.is_some_and(|at| at <= now);
            let mut due: Vec<_> = state.accounts.values().filter(is_due).cloned().collect();
            due.sort_by_key(|account| account.rolls_at);
            due.truncate(limit);
            Ok(due)
        })
    }

    fn next_roll(&mut self) -> StoreResult<Option<DateTime<Utc>>> {
        self.look(|state| Ok(state.accounts.values().filter_map(|account| account.rolls_at).min()))
    }

    fn count(&mut self) -> StoreResult<u64> {
        self.look(|state| Ok(state.accounts.len() as u64))
    }
}

fn passes(filter: &AccountFilter, account: &Account) -> bool {
    filter.user.as_ref().is_none_or(|user| account.user_id == *user)
        && filter.status.is_none_or(|status| account.state.status == status)
        && filter.config.as_ref().is_none_or(|config| account.config_id == *config)
}
