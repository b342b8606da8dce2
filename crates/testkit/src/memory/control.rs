use chrono::{DateTime, Utc};
use tenantry_domain::id::{ApiKeyId, EventId, TenantId};
use tenantry_ports::{
    Access, ApiKey, ApiKeyRepository, AttemptRepository, Carryover, CarryoverRepository, Channel,
    ControlStore, ControlTx, DayRepository, DeliveryMarkRepository, HeadRepository, IdempotencyRepository,
    LogRepository, NonceRepository, NoticeRepository, PoolRepository, Replica, ReplicaRepository,
    RunRepository, SignedHead, SigningKey, SigningKeyRepository, StoreResult, TenantRepository,
    UpkeepRepository, Verdict,
};
use uuid::Uuid;

use super::attempts::Attempts;
use super::days::DayRow;
use super::idempotency::Responses;
use super::log::{Log, Logged};
use super::log_rows::LogRows;
use super::notices::NoticeRow;
use super::pool::PoolRow;
use super::runs::RunRow;
use super::snapshot::{Shared, Table, Transaction};
use super::tenants::TenantRow;
use super::upkeep::RoundRow;

/// The control database in memory.
#[derive(Debug, Default)]
pub struct MemoryControlStore(Shared<ControlState>);

#[derive(Debug, Clone, Default)]
pub(super) struct ControlState {
    pub(super) tenants: Table<TenantId, TenantRow>,
    pub(super) runs: Table<(TenantId, u32), RunRow>,
    pub(super) pool: Table<Uuid, PoolRow>,
    pub(super) notices: Table<(EventId, Channel), NoticeRow>,
    pub(super) api_keys: Table<ApiKeyId, ApiKey>,
    pub(super) signing_keys: Table<i64, SigningKey>,
    pub(super) carryover: Option<Carryover>,
    pub(super) delivery_marks: Table<TenantId, (DateTime<Utc>, DateTime<Utc>)>,
    pub(super) nonces: Table<[u8; 32], DateTime<Utc>>,
    pub(super) attempts: Attempts,
    pub(super) heads: Table<(Option<TenantId>, i64), SignedHead>,
    pub(super) log: Log,
    pub(super) responses: Responses,
    pub(super) replicas: Table<String, Replica>,
    pub(super) days: Table<(DateTime<Utc>, TenantId), DayRow>,
    pub(super) upkeep: RoundRow,
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

    /// Makes a pooled database unreadable, as if another program had written it.
    pub fn spoil_pooled(&self, id: Uuid) {
        self.meddle(|state| {
            if let Some(row) = state.pool.get_mut(&id) {
                row.readable = false;
            }
        });
    }

    /// Has whoever doubts the platform's event log find what this makes of it.
    pub fn tamper(&self, with: impl FnOnce(&mut LogRows)) {
        self.meddle(|state| {
            let tampered = state.log.tamper(with);
            debug_assert!(tampered.is_ok(), "what was written can be read: {tampered:?}");
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

impl Logged for ControlState {
    fn log(&self) -> &Log {
        &self.log
    }

    fn log_mut(&mut self) -> &mut Log {
        &mut self.log
    }
}

impl ControlTx for Transaction<ControlState> {
    fn log(&mut self) -> &mut dyn LogRepository {
        self
    }

    fn tenants(&mut self) -> &mut dyn TenantRepository {
        self
    }

    fn runs(&mut self) -> &mut dyn RunRepository {
        self
    }

    fn pool(&mut self) -> &mut dyn PoolRepository {
        self
    }

    fn delivery_marks(&mut self) -> &mut dyn DeliveryMarkRepository {
        self
    }

    fn nonces(&mut self) -> &mut dyn NonceRepository {
        self
    }

    fn heads(&mut self) -> &mut dyn HeadRepository {
        self
    }

    fn replicas(&mut self) -> &mut dyn ReplicaRepository {
        self
    }

    fn days(&mut self) -> &mut dyn DayRepository {
        self
    }

    fn upkeep(&mut self) -> &mut dyn UpkeepRepository {
        self
    }

    fn notices(&mut self) -> &mut dyn NoticeRepository {
        self
    }

    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository {
        self
    }

    fn attempts(&mut self) -> &mut dyn AttemptRepository {
        self
    }

    fn api_keys(&mut self) -> &mut dyn ApiKeyRepository {
        self
    }

    fn signing_keys(&mut self) -> &mut dyn SigningKeyRepository {
        self
    }

    fn carryover(&mut self) -> &mut dyn CarryoverRepository {
        self
    }
}
