use chrono::{DateTime, Utc};
use tenantry_domain::id::{ApiKeyId, EventId, TenantId};
use tenantry_ports::{
    Access, ApiKey, ApiKeyRepository, Channel, Constraint, ControlStore, ControlTx, NonceRepository,
    NoticeRepository, PoolRepository, Replica, ReplicaRepository, RunRepository, StoreError, StoreResult,
    TenantRepository, Verdict,
};
use uuid::Uuid;

use super::notices::NoticeRow;
use super::pool::PoolRow;
use super::runs::RunRow;
use super::snapshot::{Shared, Table, Transaction};
use super::tenants::TenantRow;

/// The control database in memory.
#[derive(Debug, Default)]
pub struct MemoryControlStore(Shared<ControlState>);

#[derive(Debug, Clone, Default)]
pub(super) struct ControlState {
    pub(super) tenants: Table<TenantId, TenantRow>,
    pub(super) runs: Table<(TenantId, u32), RunRow>,
    pub(super) pool: Table<Uuid, PoolRow>,
    pub(super) notices: Table<(EventId, Channel), NoticeRow>,
    api_keys: Table<String, ApiKey>,
    pub(super) nonces: Table<[u8; 32], DateTime<Utc>>,
    pub(super) replicas: Table<String, Replica>,
}

impl MemoryControlStore {
    /// An empty control database.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a run unreadable, as if another program had written it.
    pub fn spoil_run(&self, tenant: TenantId, number: u32) {
        self.meddle(|state| state.set_readable(tenant, number, false));
    }

    /// Makes a spoilt run readable again.
    pub fn mend_run(&self, tenant: TenantId, number: u32) {
        self.meddle(|state| state.set_readable(tenant, number, true));
    }

    /// Makes a tenant unreadable, as if another program had written it.
    pub fn spoil_tenant(&self, tenant: TenantId) {
        self.meddle(|state| {
            if let Some(row) = state.tenants.get_mut(&tenant) {
                row.readable = false;
            }
        });
    }

    fn meddle(&self, what: impl FnOnce(&mut ControlState)) {
        let outcome = self.0.transact(Access::Write, |tx| {
            let done = tx.change(|state| {
                what(state);
                Ok(())
            });
            done.map_or(Verdict::Rollback, |()| Verdict::Commit)
        });
        debug_assert!(outcome.is_ok(), "only from outside a unit of work: {outcome:?}");
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

    fn pool(&mut self) -> &mut dyn PoolRepository {
        self
    }

    fn nonces(&mut self) -> &mut dyn NonceRepository {
        self
    }

    fn replicas(&mut self) -> &mut dyn ReplicaRepository {
        self
    }

    fn notices(&mut self) -> &mut dyn NoticeRepository {
        self
    }

    fn api_keys(&mut self) -> &mut dyn ApiKeyRepository {
        self
    }
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

    fn count_live(&mut self, tenant: TenantId, now: DateTime<Utc>) -> StoreResult<u64> {
        // There is one writer at a time.
        self.change(|state| {
            let mut keys = state.api_keys.values();
            Ok(keys.by_ref().filter(|key| key.tenant == Some(tenant) && key.is_live(now)).count() as u64)
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
