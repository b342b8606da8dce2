//! The SQLite stores keep the contract of the ports.

use std::sync::Arc;

use tempfile::TempDir;
use tenantry_domain::tenant::DatabaseName;
use tenantry_ports::{ControlStore, TenantDatabases, TenantStores};
use tenantry_store_diesel::{DatabaseUrl, StoreSettings, Stores};
use tenantry_testkit::contract::Subject;

struct Sqlite {
    stores: Stores,
    directory: TempDir,
}

fn sqlite() -> Sqlite {
    let directory = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(directory.path().join("control.db"));
    let stores = Stores::open(&StoreSettings::new(url, directory.path())).unwrap();
    stores.migrate_control().unwrap();
    Sqlite { stores, directory }
}

impl Subject for Sqlite {
    fn control(&self) -> Arc<dyn ControlStore> {
        self.stores.control()
    }

    fn databases(&self) -> Arc<dyn TenantDatabases> {
        self.stores.databases()
    }

    fn stores(&self) -> Arc<dyn TenantStores> {
        self.stores.tenants()
    }

    fn make_foreign(&self, name: &DatabaseName) {
        std::fs::write(self.directory.path().join("tenants").join(format!("{name}.db")), "").unwrap();
    }
}

tenantry_testkit::contract_tests!(sqlite);
