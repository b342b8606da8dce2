//! Stores of a test's own, empty.

use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use tenantry_domain::tenant::{DatabaseName, DatabasePrefix, Settings};
use tenantry_ports::{ControlStore, TenantDatabases, TenantScope, TenantStore, TenantStores};
use tenantry_store_diesel::{DatabaseUrl, StoreSettings, Stores};
use tenantry_testkit::contract::Subject;
use tenantry_testkit::postgres::{self, Server};
use tenantry_testkit::sample;

/// SQLite in a directory of its own.
pub(crate) struct Sqlite {
    pub(crate) stores: Stores,
    pub(crate) settings: StoreSettings,
    directory: TempDir,
}

pub(crate) fn sqlite() -> Sqlite {
    sqlite_with(|_| ())
}

pub(crate) fn sqlite_with(change: impl FnOnce(&mut StoreSettings)) -> Sqlite {
    let directory = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(directory.path().join("control").join("control.db"));
    let mut settings = StoreSettings::new(url, directory.path());
    change(&mut settings);
    let stores = Stores::open(&settings).unwrap();
    stores.migrate_control().unwrap();
    Sqlite { stores, settings, directory }
}

impl Sqlite {
    /// Where tenants' databases are.
    pub(crate) fn tenants(&self) -> PathBuf {
        self.directory.path().join("tenants")
    }

    /// The file of a tenant's database.
    pub(crate) fn file(&self, scope: &TenantScope) -> PathBuf {
        self.tenants().join(format!("{}.db", scope.database()))
    }
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
        std::fs::write(self.tenants().join(format!("{name}.db")), "").unwrap();
    }
}

/// A control database and a prefix of a PostgreSQL server.
pub(crate) struct Postgres {
    pub(crate) stores: Stores,
    pub(crate) settings: StoreSettings,
    pub(crate) server: &'static Server,
    /// The control database.
    pub(crate) url: String,
    prefix: DatabasePrefix,
}

pub(crate) fn postgres() -> Option<Postgres> {
    postgres_with(|_| ())
}

pub(crate) fn postgres_with(change: impl FnOnce(&mut StoreSettings)) -> Option<Postgres> {
    let server = postgres::shared()?;
    let url = server.fresh_database("control");
    let mut settings = StoreSettings::new(url.parse().unwrap(), "/nonexistent");
    change(&mut settings);
    let stores = Stores::open(&settings).unwrap();
    stores.migrate_control().unwrap();
    let prefix = DatabasePrefix::new(server.fresh_prefix()).unwrap();
    Some(Postgres { stores, settings, server, url, prefix })
}

impl Postgres {
    /// A scope over a new tenant of this slug.
    pub(crate) fn scope(&self, slug: &str) -> TenantScope {
        sample::scope_of(&sample::database_of(sample::tenant(slug), &self.prefix))
    }

    /// The tenant databases there are.
    pub(crate) fn tenant_databases(&self) -> Vec<String> {
        self.server.databases(self.prefix.as_str())
    }

    /// The name of the control database.
    pub(crate) fn control_name(&self) -> &str {
        self.url.rsplit('/').next().unwrap().split('?').next().unwrap()
    }

    /// What the server answers, asked from the control database.
    pub(crate) fn ask(&self, sql: &str) -> String {
        self.server.query(self.control_name(), sql).unwrap()
    }
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
        self.ask(&format!("CREATE DATABASE {name}"));
    }
}

/// Makes a tenant's database and opens it.
pub(crate) fn opened(stores: &Stores, scope: &TenantScope) -> Arc<dyn TenantStore> {
    sample::opened(&*stores.databases(), &*stores.tenants(), scope)
}

/// Uses a tenant's database, for writing and reading.
pub(crate) fn use_it(store: &Arc<dyn TenantStore>) -> Result<(), tenantry_ports::StoreError> {
    store.write(|tx| tx.settings().put(&Settings::default()))?;
    assert_eq!(store.read(|tx| tx.settings().get())?, Some(Settings::default()));
    Ok(())
}
