use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::TenantId;
use tenantry_ports::{
    Access, Clock, ControlStore, Nudge, StoreError, StoreResult, TenantScope, TenantStore, TenantStores,
    TenantTx, Verdict,
};

/// How long a mark holds.
const HOLDS: TimeDelta = TimeDelta::seconds(60);
/// How old a mark may be to be relied on: a transaction that relies on it has the rest of its time to end.
const FRESH: TimeDelta = TimeDelta::seconds(30);

/// Tenants' databases that mark their tenant before anything is written to them, so that whoever delivers need not look at
/// the others, and misses nothing whenever a process dies. A busy tenant is marked twice a minute, or looked at whether it has
/// endpoints at all, which costs less. After a commit, who works in this process is told at once.
pub struct Marking {
    stores: Arc<dyn TenantStores>,
    marks: Arc<Marks>,
}

struct Marks {
    control: Arc<dyn ControlStore>,
    clock: Arc<dyn Clock>,
    nudge: Arc<dyn Nudge>,
    marked: Mutex<HashMap<TenantId, DateTime<Utc>>>,
}

impl Marking {
    /// These stores, whose tenants are marked in `control`.
    pub fn new(
        stores: Arc<dyn TenantStores>,
        control: Arc<dyn ControlStore>,
        clock: Arc<dyn Clock>,
        nudge: Arc<dyn Nudge>,
    ) -> Self {
        Self { stores, marks: Arc::new(Marks { control, clock, nudge, marked: Mutex::default() }) }
    }
}

impl TenantStores for Marking {
    fn open(&self, scope: &TenantScope) -> StoreResult<Arc<dyn TenantStore>> {
        let store = self.stores.open(scope)?;
        Ok(Arc::new(Marked { store, tenant: scope.tenant(), marks: Arc::clone(&self.marks) }))
    }
}

struct Marked {
    store: Arc<dyn TenantStore>,
    tenant: TenantId,
    marks: Arc<Marks>,
}

impl TenantStore for Marked {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn TenantTx) -> Verdict,
    ) -> StoreResult<()> {
        if access == Access::Read {
            return self.store.transact(access, body);
        }
        self.marks.mark(self.tenant, &self.store)?;
        let mut verdict = Verdict::Rollback;
        self.store.transact(access, &mut |tx| {
            verdict = body(tx);
            verdict
        })?;
        if verdict == Verdict::Commit {
            self.marks.nudge.log_moved(self.tenant);
        }
        Ok(())
    }
}

impl Marks {
    fn mark(&self, tenant: TenantId, store: &Arc<dyn TenantStore>) -> StoreResult<()> {
        let now = self.clock.now();
        let is_fresh = |at: &DateTime<Utc>| (now - *at).abs() < FRESH;
        if self.marked.lock().unwrap_or_else(PoisonError::into_inner).get(&tenant).is_some_and(is_fresh) {
            return Ok(());
        }
        // Whoever creates the first endpoint marks the tenant, and for longer than this answer is relied on. A database that
        // cannot say, as one that is not migrated yet, is no reason not to write to it.
        let has_endpoints = store.read::<_, StoreError>(|tx| Ok(tx.webhooks().count()? > 0));
        if has_endpoints.unwrap_or(true) {
            mark(&self.control, tenant, now)?;
        }
        let mut marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        if marked.len().is_power_of_two() {
            marked.retain(|_, at| is_fresh(at));
        }
        marked.insert(tenant, now);
        Ok(())
    }
}

/// Has the tenant looked at for a while.
pub(super) fn mark(control: &Arc<dyn ControlStore>, tenant: TenantId, now: DateTime<Utc>) -> StoreResult<()> {
    control.write(|tx| tx.delivery_marks().mark(tenant, now, now + HOLDS))
}
