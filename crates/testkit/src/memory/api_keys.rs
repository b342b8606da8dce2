use chrono::{DateTime, Utc};
use tenantry_domain::id::{ApiKeyId, TenantId};
use tenantry_ports::{ApiKey, ApiKeyRepository, Constraint, StoreError, StoreResult};

use super::control::ControlState;
use super::snapshot::Transaction;

/// Whether both were made for the same request.
fn same_request(one: &ApiKey, other: &ApiKey) -> bool {
    match (&one.request, &other.request) {
        (Some(one), Some(other)) => one.scope == other.scope,
        _ => false,
    }
}

impl ApiKeyRepository for Transaction<ControlState> {
    fn insert(&mut self, key: &ApiKey) -> StoreResult<()> {
        self.change(|state| {
            let mut others = state.api_keys.values();
            if others.any(|other| other.lookup == key.lookup) {
                return Err(StoreError::Conflict(Constraint::ApiKeyLookup));
            }
            if state.api_keys.values().any(|other| same_request(other, key)) {
                return Err(StoreError::Conflict(Constraint::ApiKeyRequest));
            }
            if state.api_keys.contains_key(&key.id) {
                return Err(StoreError::Failed("there is an API key of this id".into()));
            }
            if key.tenant.is_some_and(|tenant| !state.tenants.contains_key(&tenant)) {
                return Err(StoreError::Failed("an API key needs its tenant to be there".into()));
            }
            state.api_keys.insert(key.id, key.clone());
            Ok(())
        })
    }

    fn find(&mut self, lookup: &str) -> StoreResult<Option<ApiKey>> {
        self.look(|state| Ok(state.api_keys.values().find(|key| key.lookup == lookup).cloned()))
    }

    fn get(&mut self, id: ApiKeyId) -> StoreResult<Option<ApiKey>> {
        self.look(|state| Ok(state.api_keys.get(&id).cloned()))
    }

    fn count_live(&mut self, tenant: TenantId, now: DateTime<Utc>) -> StoreResult<u64> {
        // There is one writer at a time.
        self.change(|state| {
            let own = |key: &&ApiKey| key.tenant == Some(tenant) && key.is_live(now);
            Ok(state.api_keys.values().filter(own).count() as u64)
        })
    }

    fn made_for(&mut self, scope: &str) -> StoreResult<Option<ApiKey>> {
        self.look(|state| {
            let made = |key: &&ApiKey| key.request.as_ref().is_some_and(|request| request.scope == scope);
            Ok(state.api_keys.values().find(made).cloned())
        })
    }

    fn page(
        &mut self,
        owner: Option<TenantId>,
        after: Option<(DateTime<Utc>, ApiKeyId)>,
        limit: usize,
    ) -> StoreResult<Vec<ApiKey>> {
        self.look(|state| {
            let place = |key: &ApiKey| (key.created_at, key.id);
            let own = |key: &&ApiKey| key.tenant == owner && after.is_none_or(|after| place(key) < after);
            let mut keys: Vec<_> = state.api_keys.values().filter(own).cloned().collect();
            keys.sort_unstable_by_key(|key| std::cmp::Reverse(place(key)));
            keys.truncate(limit);
            Ok(keys)
        })
    }

    fn update(&mut self, key: &ApiKey) -> StoreResult<()> {
        self.change(|state| {
            if state.api_keys.values().any(|other| other.id != key.id && same_request(other, key)) {
                return Err(StoreError::Conflict(Constraint::ApiKeyRequest));
            }
            let stored = state.api_keys.get_mut(&key.id).filter(|stored| stored.version == key.version - 1);
            let stored = stored.ok_or(StoreError::Stale)?;
            (stored.expires_at, stored.revoked_at) = (key.expires_at, key.revoked_at);
            (stored.request, stored.version) = (key.request.clone(), key.version);
            Ok(())
        })
    }

    fn note_use(&mut self, keys: &[ApiKeyId], at: DateTime<Utc>) -> StoreResult<()> {
        self.change(|state| {
            for id in keys {
                if let Some(key) = state.api_keys.get_mut(id) {
                    key.last_used_at = key.last_used_at.max(Some(at));
                }
            }
            Ok(())
        })
    }
}
