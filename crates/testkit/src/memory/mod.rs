//! Stores and tenant databases in memory, with exactly the contract of the real ones.

mod accounts;
mod control;
mod databases;
mod idempotency;
mod log;
mod runs;
mod snapshot;
mod tenant;

use std::sync::Arc;

use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::DatabaseName;

pub use control::MemoryControlStore;
pub use databases::{MemoryTenantDatabases, MemoryTenantStores};

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

    /// Puts a database there that is nobody's, as if somebody else had made it.
    pub fn make_foreign(&self, name: &DatabaseName) {
        self.databases.make_foreign(name);
    }
}
