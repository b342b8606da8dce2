//! The ports through which workers change the world, on a stage.

use std::sync::Arc;

use tenantry_ports::{
    Access, ControlStore, ControlTx, DatabaseError, Inventory, Permit, Presence, StoreResult,
    TenantDatabases, TenantScope, TenantStore, TenantStores, TenantTx, Verdict,
};
use tenantry_usecases::api_keys::KeyUses;
use tenantry_usecases::configs::ConfigCache;
use tenantry_usecases::days::NotedLooks;
use tenantry_usecases::signing_keys::Keyring;
use tenantry_usecases::{Platform, Policy};

use crate::stage::Stage;

/// The same platform with another policy, for those who are on the stage.
pub(crate) fn on_stage(platform: &Platform, stage: &Arc<Stage>, policy: Policy) -> Platform {
    Platform {
        control: Arc::new(Staged { port: platform.control.clone(), stage: stage.clone() }),
        stores: Arc::new(Staged { port: platform.stores.clone(), stage: stage.clone() }),
        databases: Arc::new(Staged { port: platform.databases.clone(), stage: stage.clone() }),
        clock: platform.clock.clone(),
        ids: platform.ids.clone(),
        entropy: platform.entropy.clone(),
        digest: platform.digest.clone(),
        tokens: platform.tokens.clone(),
        macs: platform.macs.clone(),
        machine_tokens: platform.machine_tokens.clone(),
        sealing: platform.sealing.clone(),
        passwords: platform.passwords.clone(),
        keys: platform.keys.clone(),
        schemas: platform.schemas.clone(),
        nudge: platform.nudge.clone(),
        channels: platform.channels.clone(),
        endpoints: platform.endpoints.clone(),
        policy,
        configs: ConfigCache::default(),
        key_uses: KeyUses::default(),
        keyring: Keyring::default(),
        looks: NotedLooks::default(),
    }
}

struct Staged<P: ?Sized> {
    port: Arc<P>,
    stage: Arc<Stage>,
}

impl ControlStore for Staged<dyn ControlStore> {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn ControlTx) -> Verdict,
    ) -> StoreResult<()> {
        self.stage.call(|| self.port.transact(access, body))
    }
}

impl TenantStores for Staged<dyn TenantStores> {
    fn open(&self, scope: &TenantScope) -> StoreResult<Arc<dyn TenantStore>> {
        let port = self.stage.call(|| self.port.open(scope))?;
        Ok(Arc::new(Staged { port, stage: self.stage.clone() }))
    }
}

impl TenantStore for Staged<dyn TenantStore> {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn TenantTx) -> Verdict,
    ) -> StoreResult<()> {
        self.stage.call(|| self.port.transact(access, body))
    }
}

impl TenantDatabases for Staged<dyn TenantDatabases> {
    fn create(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), DatabaseError> {
        self.stage.call(|| self.port.create(scope, permit))
    }

    fn adopt(
        &self,
        pooled: &TenantScope,
        scope: &TenantScope,
        permit: Permit<'_>,
    ) -> Result<bool, DatabaseError> {
        self.stage.call(|| self.port.adopt(pooled, scope, permit))
    }

    fn migrate(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        self.stage.call(|| self.port.migrate(scope))
    }

    fn pending(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        self.stage.call(|| self.port.pending(scope))
    }

    fn as_owner(&self, scope: &TenantScope) -> StoreResult<Arc<dyn TenantStore>> {
        let port = self.stage.call(|| self.port.as_owner(scope))?;
        Ok(Arc::new(Staged { port, stage: self.stage.clone() }))
    }

    fn close(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        self.stage.call(|| self.port.close(scope))
    }

    fn remove(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), DatabaseError> {
        self.stage.call(|| self.port.remove(scope, permit))
    }

    fn presence(&self, scope: &TenantScope) -> Result<Presence, DatabaseError> {
        self.stage.call(|| self.port.presence(scope))
    }

    fn renew_login(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        self.stage.call(|| self.port.renew_login(scope))
    }

    fn schema(&self) -> &str {
        self.port.schema()
    }

    fn inventory(&self) -> Vec<Inventory> {
        self.stage.call(|| self.port.inventory())
    }
}
