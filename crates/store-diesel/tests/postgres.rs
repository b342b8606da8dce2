//! The PostgreSQL stores keep the contract of the ports.

use std::sync::Arc;

use tenantry_domain::tenant::{DatabaseName, DatabasePrefix};
use tenantry_ports::{ControlStore, TenantDatabases, TenantStores};
use tenantry_store_diesel::{StoreSettings, Stores};
use tenantry_testkit::contract::Subject;
use tenantry_testkit::postgres::{self, Server};

struct Postgres {
    stores: Stores,
    server: &'static Server,
    prefix: DatabasePrefix,
}

fn postgres() -> Option<Postgres> {
    let server = postgres::shared()?;
    let url = server.fresh_database("control").parse().unwrap();
    let stores = Stores::open(&StoreSettings::new(url, "/nonexistent")).unwrap();
    stores.migrate_control().unwrap();
    let prefix = DatabasePrefix::new(server.fresh_prefix()).unwrap();
    Some(Postgres { stores, server, prefix })
}

impl Subject for Postgres {
    fn control(&self) -> Arc<dyn ControlStore> {
        self.stores.control()
    }

    fn databases(&self) -> Arc<dyn TenantDatabases> {
        self.stores.databases()
    }

    fn stores(&self) -> Arc<dyn TenantStores> {
        self.stores.tenants()
    }

    fn prefix(&self) -> DatabasePrefix {
        self.prefix.clone()
    }

    fn make_foreign(&self, name: &DatabaseName) {
        self.server.query("postgres", &format!("CREATE DATABASE {name}")).unwrap();
    }
}

tenantry_testkit::contract_tests!(postgres);
