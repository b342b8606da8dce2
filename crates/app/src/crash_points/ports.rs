//! The ports whose effects count.

use std::sync::Arc;

use tenantry_ports::{
    Access, ControlStore, ControlTx, DatabaseError, DatabaseFault, Inventory, Permit, Presence, StoreError,
    StoreResult, TenantDatabases, TenantScope, TenantStore, TenantStores, TenantTx, Verdict,
};

use super::Watch;

/// Does what the port behind it does, under the eyes of the watch.
pub(super) struct Watched<P: ?Sized> {
    port: Arc<P>,
    watch: Arc<Watch>,
}

impl<P: ?Sized> Watched<P> {
    pub(super) fn new(port: &Arc<P>, watch: &Arc<Watch>) -> Self {
        Self { port: Arc::clone(port), watch: Arc::clone(watch) }
    }
}

impl Watched<dyn TenantDatabases> {
    fn effect<T>(
        &self,
        what: &str,
        act: impl FnOnce(&dyn TenantDatabases) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let failure = |why: &'static str| DatabaseError::new(DatabaseFault::Lasting, why);
        self.watch.effect(what, failure, || act(&*self.port))
    }
}

impl ControlStore for Watched<dyn ControlStore> {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn ControlTx) -> Verdict,
    ) -> StoreResult<()> {
        match access {
            Access::Read => self.port.transact(access, body),
            Access::Write => self.watch.effect("control", failed, || self.port.transact(access, body)),
        }
    }
}

impl TenantStores for Watched<dyn TenantStores> {
    fn open(&self, scope: &TenantScope) -> StoreResult<Arc<dyn TenantStore>> {
        Ok(Arc::new(Watched::new(&self.port.open(scope)?, &self.watch)))
    }
}

impl TenantStore for Watched<dyn TenantStore> {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn TenantTx) -> Verdict,
    ) -> StoreResult<()> {
        match access {
            Access::Read => self.port.transact(access, body),
            Access::Write => self.watch.effect("tenant", failed, || self.port.transact(access, body)),
        }
    }
}

fn failed(why: &'static str) -> StoreError {
    StoreError::Failed(why.into())
}

impl TenantDatabases for Watched<dyn TenantDatabases> {
    fn create(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), DatabaseError> {
        self.effect("create", |databases| databases.create(scope, permit))
    }

    fn adopt(
        &self,
        pooled: &TenantScope,
        scope: &TenantScope,
        permit: Permit<'_>,
    ) -> Result<bool, DatabaseError> {
        self.effect("adopt", |databases| databases.adopt(pooled, scope, permit))
    }

    fn migrate(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        self.effect("migrate", |databases| databases.migrate(scope))
    }

    fn pending(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        self.port.pending(scope)
    }

    fn renew_login(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        self.effect("renew-login", |databases| databases.renew_login(scope))
    }

    fn as_owner(&self, scope: &TenantScope) -> StoreResult<Arc<dyn TenantStore>> {
        Ok(Arc::new(Watched::new(&self.port.as_owner(scope)?, &self.watch)))
    }

    fn close(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        self.port.close(scope)
    }

    fn remove(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), DatabaseError> {
        self.effect("remove", |databases| databases.remove(scope, permit))
    }

    fn presence(&self, scope: &TenantScope) -> Result<Presence, DatabaseError> {
        self.port.presence(scope)
    }

    fn schema(&self) -> &str {
        self.port.schema()
    }

    fn inventory(&self) -> Vec<Inventory> {
        self.port.inventory()
    }
}
