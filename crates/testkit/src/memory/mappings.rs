use std::ops::Bound;

use tenantry_domain::account::{Account, AccountMapping, WebsiteUserId};
use tenantry_domain::id::{AccountId, Id, MappingId};
use tenantry_ports::{MappingRepository, StoreError, StoreResult};
use uuid::Uuid;

use super::snapshot::Transaction;
use super::tenant::TenantState;

impl TenantState {
    /// The mappings of this account, oldest first, after one of them.
    fn mappings_of(
        &self,
        account: AccountId,
        after: Option<MappingId>,
    ) -> impl DoubleEndedIterator<Item = &AccountMapping> {
        let first = after.map_or(Bound::Included(Id::new(Uuid::nil())), Bound::Excluded);
        let range = (first.map(|id| (account, id)), Bound::Included((account, Id::new(Uuid::max()))));
        self.mappings.range(range).map(|(_, mapping)| mapping)
    }

    fn latest(&self, account: AccountId, user: &WebsiteUserId) -> Option<&AccountMapping> {
        self.mappings_of(account, None).rfind(|mapping| mapping.user == *user)
    }
}

impl MappingRepository for Transaction<TenantState> {
    fn insert(&mut self, mappings: &[AccountMapping]) -> StoreResult<()> {
        self.change(|state| {
            for mapping in mappings {
                let key = (mapping.account, mapping.id);
                if !state.accounts.contains_key(&mapping.account) || state.mappings.contains_key(&key) {
                    return Err(StoreError::Failed("a mapping of no account, or one that is there".into()));
                }
                state.mappings.insert(key, mapping.clone());
            }
            Ok(())
        })
    }

    fn end(&mut self, mapping: &AccountMapping) -> StoreResult<()> {
        self.change(|state| {
            let stored = state.mappings.get_mut(&(mapping.account, mapping.id));
            let stored = stored.filter(|stored| stored.is_open()).ok_or(StoreError::Stale)?;
            stored.unmapped.clone_from(&mapping.unmapped);
            Ok(())
        })
    }

    fn latest(&mut self, account: AccountId, user: &WebsiteUserId) -> StoreResult<Option<AccountMapping>> {
        self.look(|state| Ok(state.latest(account, user).cloned()))
    }

    fn of_account(
        &mut self,
        account: AccountId,
        ended: bool,
        after: Option<MappingId>,
        limit: usize,
    ) -> StoreResult<Vec<AccountMapping>> {
        self.look(|state| {
            let meant = state.mappings_of(account, after).filter(|mapping| ended || mapping.is_open());
            Ok(meant.take(limit).cloned().collect())
        })
    }

    fn accounts_of(
        &mut self,
        user: &WebsiteUserId,
        after: Option<AccountId>,
        limit: usize,
    ) -> StoreResult<Vec<(Account, Option<AccountMapping>)>> {
        self.look(|state| {
            let rest =
                state.accounts.values().rev().filter(|account| after.is_none_or(|after| account.id < after));
            let theirs = rest.filter_map(|account| match state.latest(account.id, user) {
                Some(mapping) => mapping.is_open().then(|| (account.clone(), Some(mapping.clone()))),
                None => (account.user_id == *user).then(|| (account.clone(), None)),
            });
            Ok(theirs.take(limit).collect())
        })
    }

    fn page(
        &mut self,
        after: Option<(AccountId, MappingId)>,
        limit: usize,
    ) -> StoreResult<Vec<AccountMapping>> {
        self.look(|state| {
            let first = after.map_or(Bound::Unbounded, Bound::Excluded);
            let rest = state.mappings.range((first, Bound::Unbounded));
            Ok(rest.take(limit).map(|(_, mapping)| mapping.clone()).collect())
        })
    }
}
