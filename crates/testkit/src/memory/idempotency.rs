use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use tenantry_ports::{Constraint, IdempotencyRepository, StoreError, StoreResult, StoredResponse};

use super::snapshot::Transaction;
use super::tenant::TenantState;

impl IdempotencyRepository for Transaction<TenantState> {
    fn find(&mut self, scopes: &[&str], since: DateTime<Utc>) -> StoreResult<Vec<StoredResponse>> {
        self.look(|state| {
            let scopes: BTreeSet<_> = scopes.iter().copied().collect();
            let found = scopes.into_iter().filter_map(|scope| state.responses.get(scope));
            Ok(found.filter(|response| response.created_at >= since).cloned().collect())
        })
    }

    fn insert(&mut self, responses: &[StoredResponse], since: DateTime<Utc>) -> StoreResult<()> {
        self.change(|state| {
            let mut given = BTreeSet::new();
            for response in responses {
                let scope = &response.key.scope;
                let younger = state.responses.get(scope).is_some_and(|first| first.created_at >= since);
                if younger || !given.insert(scope) {
                    return Err(StoreError::Conflict(Constraint::IdempotencyKey));
                }
                state.responses.insert(scope.clone(), response.clone());
            }
            Ok(())
        })
    }
}
