use chrono::{DateTime, Utc};
use tenantry_domain::id::{ApiKeyId, TenantId};
use tenantry_domain::tenant::{Slug, Tenant};
use tenantry_ports::{
    Access, ApiKey, ApiKeyRepository, Constraint, ControlStore, ControlTx, RunRepository, StoreError,
    StoreResult, TenantFilter, TenantRepository, Verdict,
};

use super::runs::RunRow;
use super::snapshot::{Shared, Table, Transaction};

/// The control database in memory.
#[derive(Debug, Default)]
pub struct MemoryControlStore(Shared<ControlState>);

#[derive(Debug, Clone, Default)]
pub(super) struct ControlState {
    pub(super) tenants: Table<TenantId, Tenant>,
    pub(super) runs: Table<(TenantId, u32), RunRow>,
    api_keys: Table<String, ApiKey>,
}

impl MemoryControlStore {
    /// An empty control database.
    pub fn new() -> Self {
        Self::default()
    }
}

impl ControlStore for MemoryControlStore {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn ControlTx) -> Verdict,
    ) -> StoreResult<()> {
        self.0.transact(access, |tx| body(tx))
    }
}

impl ControlTx for Transaction<ControlState> {
    fn tenants(&mut self) -> &mut dyn TenantRepository {
        self
    }

    fn runs(&mut self) -> &mut dyn RunRepository {
        self
    }

    fn api_keys(&mut self) -> &mut dyn ApiKeyRepository {
        self
    }
}

impl TenantRepository for Transaction<ControlState> {
    fn insert(&mut self, tenant: &Tenant) -> StoreResult<()> {
        self.change(|state| {
            if state.tenants.contains_key(&tenant.id) {
                return Err(StoreError::Conflict(Constraint::TenantId));
            }
            state.check_slug(tenant)?;
            state.tenants.insert(tenant.id, tenant.clone());
            Ok(())
        })
    }

    fn get(&mut self, id: TenantId) -> StoreResult<Option<Tenant>> {
        self.look(|state| Ok(state.tenants.get(&id).cloned()))
    }

    fn holding(&mut self, slug: &Slug) -> StoreResult<Option<Tenant>> {
        self.look(|state| {
            let holder =
                state.tenants.values().find(|tenant| tenant.slug == *slug && tenant.lifecycle.holds_slug());
            Ok(holder.cloned())
        })
    }

    fn update(&mut self, tenant: &Tenant) -> StoreResult<()> {
        self.change(|state| {
            let current = state.tenants.get(&tenant.id).ok_or(StoreError::Stale)?;
            if current.version != tenant.version - 1 {
                return Err(StoreError::Stale);
            }
            state.check_slug(tenant)?;
            state.tenants.insert(tenant.id, tenant.clone());
            Ok(())
        })
    }

    fn page(
        &mut self,
        filter: &TenantFilter,
        after: Option<(DateTime<Utc>, TenantId)>,
        limit: usize,
    ) -> StoreResult<Vec<Tenant>> {
        self.look(|state| {
            let mut found: Vec<_> = state
                .tenants
                .values()
                .filter(|tenant| after.is_none_or(|after| (tenant.created_at, tenant.id) < after))
                .filter(|tenant| passes(filter, tenant))
                .cloned()
                .collect();
            found.sort_unstable_by_key(|tenant| std::cmp::Reverse((tenant.created_at, tenant.id)));
            found.truncate(limit);
            Ok(found)
        })
    }
}

impl ControlState {
    /// A slug has one holder at a time.
    fn check_slug(&self, candidate: &Tenant) -> StoreResult<()> {
        let taken = candidate.lifecycle.holds_slug()
            && self.tenants.values().any(|tenant| {
                tenant.id != candidate.id && tenant.slug == candidate.slug && tenant.lifecycle.holds_slug()
            });
        if taken { Err(StoreError::Conflict(Constraint::TenantSlug)) } else { Ok(()) }
    }
}

fn passes(filter: &TenantFilter, tenant: &Tenant) -> bool {
    let contains = |text: &str, part: &str| text.to_lowercase().contains(&part.to_lowercase());
    filter.status.is_none_or(|status| tenant.lifecycle.status() == status)
        && filter.plan.is_none_or(|plan| tenant.plan == plan)
        && filter
            .text
            .as_ref()
            .is_none_or(|part| contains(tenant.name.as_str(), part) || contains(tenant.slug.as_str(), part))
}

impl ApiKeyRepository for Transaction<ControlState> {
    fn insert(&mut self, key: &ApiKey) -> StoreResult<()> {
        self.change(|state| {
            if state.api_keys.contains_key(&key.lookup) {
                return Err(StoreError::Conflict(Constraint::ApiKeyLookup));
            }
            if key.tenant.is_some_and(|tenant| !state.tenants.contains_key(&tenant)) {
                return Err(StoreError::Failed("an API key needs its tenant to be there".into()));
            }
            state.api_keys.insert(key.lookup.clone(), key.clone());
            Ok(())
        })
    }

    fn find(&mut self, lookup: &str) -> StoreResult<Option<ApiKey>> {
        self.look(|state| Ok(state.api_keys.get(lookup).cloned()))
    }

    fn of(&mut self, tenant: Option<TenantId>) -> StoreResult<Vec<ApiKey>> {
        self.look(|state| {
            let mut keys: Vec<_> =
                state.api_keys.values().filter(|key| key.tenant == tenant).cloned().collect();
            keys.sort_unstable_by_key(|key| std::cmp::Reverse((key.created_at, key.id)));
            Ok(keys)
        })
    }

    fn revoke(&mut self, owner: Option<TenantId>, id: ApiKeyId, now: DateTime<Utc>) -> StoreResult<bool> {
        self.change(|state| {
            let key = state.api_keys.values_mut().find(|key| key.id == id && key.tenant == owner);
            Ok(key.is_some_and(|key| {
                key.revoked_at.get_or_insert(now);
                true
            }))
        })
    }
}
