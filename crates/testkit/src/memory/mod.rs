//! Stores and tenant databases in memory, with exactly the contract of the real ones.

mod accounts;
mod api_keys;
mod attempts;
mod basis;
mod control;
mod databases;
mod days;
mod floor;
mod heads;
mod idempotency;
mod log;
mod log_rows;
mod mappings;
mod nonces;
mod notices;
mod organisation;
mod people;
mod pool;
mod replicas;
mod runs;
mod signing_keys;
mod snapshot;
mod tenant;
mod tenants;
mod trades;
mod upkeep;
mod webhooks;

use std::sync::Arc;

use tenantry_domain::account::Account;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::DatabaseName;
use tenantry_ports::{StoreResult, TenantScope};

pub use control::MemoryControlStore;
pub use databases::{MemoryTenantDatabases, MemoryTenantStores};
pub use log_rows::LogRows;

use databases::Databases;

/// Everything a control plane keeps, in memory: a control database, and the tenant databases that exist.
///
/// Its adapters share it, so what [`databases`](Self::databases) made, [`stores`](Self::stores) opens. A clone is the
/// same world.
#[derive(Debug, Clone, Default)]
pub struct MemoryWorld {
    control: Arc<MemoryControlStore>,
    databases: Arc<Databases>,
}

impl MemoryWorld {
    /// An empty world.
    pub fn new() -> Self {
        Self::default()
    }

    /// The control database.
    pub fn control(&self) -> Arc<MemoryControlStore> {
        Arc::clone(&self.control)
    }

    /// What makes and unmakes the tenant databases.
    pub fn databases(&self) -> Arc<MemoryTenantDatabases> {
        Arc::new(MemoryTenantDatabases::over(Arc::clone(&self.databases)))
    }

    /// What opens the tenant databases.
    pub fn stores(&self) -> Arc<MemoryTenantStores> {
        Arc::new(MemoryTenantStores::over(Arc::clone(&self.databases)))
    }

    /// The databases that exist, by name, each with the owner its tag names; a foreign one has none.
    pub fn existing(&self) -> Vec<(DatabaseName, Option<TenantId>)> {
        self.databases.existing()
    }

    /// Has the tenant schema be called this from now on; it is `1` at first. Databases keep the one they have until they
    /// are migrated.
    pub fn set_schema(&self, schema: &'static str) {
        self.databases.set_schema(schema);
    }

    /// Puts a database there that is nobody's, as if somebody else had made it.
    pub fn make_foreign(&self, name: &DatabaseName) {
        self.databases.make_foreign(name);
    }

    /// Leaves of the databases of this name what an interrupted removal leaves: name and tag, and nothing of use. Who makes
    /// one of them again makes it anew.
    pub fn ruin(&self, name: &DatabaseName) {
        self.databases.ruin(name);
    }

    /// Puts this account in the place of the tenant's account with its id, as if another process had changed it. Fails
    /// if the tenant has no database.
    pub fn put_account(&self, scope: &TenantScope, account: Account) -> StoreResult<()> {
        self.databases.put_account(scope, account)
    }

    /// Has whoever doubts the tenant's event log find what this makes of it. Fails if the tenant has no database.
    pub fn tamper(&self, scope: &TenantScope, with: impl FnOnce(&mut LogRows)) -> StoreResult<()> {
        self.databases.tamper(scope, with)
    }
}
