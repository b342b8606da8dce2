use std::sync::Arc;

use tenantry_domain::id::TenantId;
use tenantry_ports::{Access, Nudge, StoreResult, TenantScope, TenantStore, TenantStores, TenantTx, Verdict};

/// Tenants' databases that say so when something was written to them, whoever writes it: every event is, and then it
/// is there to be told.
pub struct Announcing {
    stores: Arc<dyn TenantStores>,
    nudge: Arc<dyn Nudge>,
}

impl Announcing {
    /// These stores, of whose commits `nudge` is told.
    pub const fn new(stores: Arc<dyn TenantStores>, nudge: Arc<dyn Nudge>) -> Self {
        Self { stores, nudge }
    }
}

impl TenantStores for Announcing {
    fn open(&self, scope: &TenantScope) -> StoreResult<Arc<dyn TenantStore>> {
        let store = self.stores.open(scope)?;
        Ok(Arc::new(Announced { store, tenant: scope.tenant(), nudge: Arc::clone(&self.nudge) }))
    }
}

struct Announced {
    store: Arc<dyn TenantStore>,
    tenant: TenantId,
    nudge: Arc<dyn Nudge>,
}

impl TenantStore for Announced {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn TenantTx) -> Verdict,
    ) -> StoreResult<()> {
        let mut verdict = Verdict::Rollback;
        self.store.transact(access, &mut |tx| {
            verdict = body(tx);
            verdict
        })?;
        if (access, verdict) == (Access::Write, Verdict::Commit) {
            self.nudge.log_moved(self.tenant);
        }
        Ok(())
    }
}
