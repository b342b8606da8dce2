use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use tenantry_ports::{Constraint, IdempotencyRepository, StoreError, StoreResult, StoredResponse};

use super::control::ControlState;
use super::snapshot::{Table, Transaction};
use super::tenant::TenantState;

/// First answers, by scope.
pub(super) type Responses = Table<String, StoredResponse>;

/// What keeps first answers.
pub(super) trait Keeps {
    fn responses(&mut self) -> &mut Responses;
    fn look_at_responses(&self) -> &Responses;
}

impl Keeps for TenantState {
    fn responses(&mut self) -> &mut Responses {
        &mut self.responses
    }

    fn look_at_responses(&self) -> &Responses {
        &self.responses
    }
}

impl Keeps for ControlState {
    fn responses(&mut self) -> &mut Responses {
        &mut self.responses
    }

    fn look_at_responses(&self) -> &Responses {
        &self.responses
    }
}

impl<S: Keeps> IdempotencyRepository for Transaction<S> {
    fn find(&mut self, scopes: &[&str], since: DateTime<Utc>) -> StoreResult<Vec<StoredResponse>> {
        self.look(|state| {
            let scopes: BTreeSet<_> = scopes.iter().copied().collect();
            let found = scopes.into_iter().filter_map(|scope| state.look_at_responses().get(scope));
            Ok(found.filter(|response| response.created_at >= since).cloned().collect())
        })
    }

    fn insert(&mut self, responses: &[StoredResponse], since: DateTime<Utc>) -> StoreResult<()> {
        self.change(|state| {
            let kept = state.responses();
            let mut given = BTreeSet::new();
            for response in responses {
                let scope = &response.key.scope;
                let younger = kept.get(scope).is_some_and(|first| first.created_at >= since);
                if younger || !given.insert(scope) {
                    return Err(StoreError::Conflict(Constraint::IdempotencyKey));
                }
                kept.insert(scope.clone(), response.clone());
            }
            Ok(())
        })
    }

    fn forget(&mut self, since: DateTime<Utc>, limit: usize) -> StoreResult<()> {
        self.change(|state| {
            let outdated =
                state.look_at_responses().iter().filter(|(_, response)| response.created_at < since);
            let scopes: Vec<_> = outdated.map(|(scope, _)| scope.clone()).take(limit).collect();
            for scope in scopes {
                state.responses().remove(&scope);
            }
            Ok(())
        })
    }

    fn sweep(&mut self, since: DateTime<Utc>, limit: usize) -> StoreResult<usize> {
        self.change(|state| {
            let outdated =
                state.look_at_responses().iter().filter(|(_, response)| response.created_at < since);
            let scopes: Vec<_> = outdated.map(|(scope, _)| scope.clone()).take(limit).collect();
            Ok(scopes.iter().filter_map(|scope| state.responses().remove(scope)).count())
        })
    }
}
