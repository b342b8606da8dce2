//! Stores of a test's own, empty.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use tempfile::TempDir;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{DatabaseName, DatabasePrefix, Home, Settings, Tenant};
use tenantry_ports::{ControlStore, Secret, TenantDatabases, TenantScope, TenantStore, TenantStores};
use tenantry_store_diesel::{DatabaseUrl, LoginPasswords, StoreSettings, Stores};
use tenantry_testkit::contract::Subject;
use tenantry_testkit::postgres::{self, Server};
use tenantry_testkit::sample;
use uuid::Uuid;

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
    let mut settings = patient(StoreSettings::new(url, directory.path()));
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

    /// What is in that directory, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.tenants()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Has the control database execute this, as another program would.
    fn meddle(&self, sql: &str) {
        let file = self.directory.path().join("control").join("control.db");
        let mut other = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
        other.batch_execute(&format!("PRAGMA busy_timeout = 10000; {sql}")).unwrap();
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

    fn spoil_run(&self, tenant: TenantId, number: u32) {
        self.meddle(&direction(tenant, number, "Sideways"));
    }

    fn mend_run(&self, tenant: TenantId, number: u32) {
        self.meddle(&direction(tenant, number, "Forward"));
    }

    fn spoil_tenant(&self, tenant: TenantId) {
        self.meddle(&no_plan(tenant));
    }

    fn spoil_pooled(&self, id: Uuid) {
        self.meddle(&no_name(id));
    }
}

/// On a machine that runs many tests at once, connecting alone may take longer than a server in production would wait.
fn patient(settings: StoreSettings) -> StoreSettings {
    StoreSettings { connect_timeout: Duration::from_secs(30), ..settings }
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
    let mut settings = settings_of(&url, server.fresh_prefix());
    change(&mut settings);
    let stores = Stores::open(&settings).unwrap();
    stores.migrate_control().unwrap();
    let prefix = settings.prefix.clone();
    Some(Postgres { stores, settings, server, url, prefix })
}

/// Settings under which every tenant has a login of its own.
pub(crate) fn settings_of(url: &str, prefix: String) -> StoreSettings {
    StoreSettings {
        prefix: DatabasePrefix::new(prefix).unwrap(),
        logins: Some(LoginPasswords::new(|login| Secret::new(format!("the secret of {login}")))),
        ..patient(StoreSettings::new(url.parse().unwrap(), "/nonexistent"))
    }
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

    /// The logins of tenants there are.
    pub(crate) fn logins(&self) -> Vec<String> {
        let prefix = self.prefix.as_str();
        let sql = format!(
            "SELECT rolname FROM pg_roles WHERE starts_with(rolname, '{prefix}~') AND rolname <> '{prefix}~tenants' \
             ORDER BY rolname COLLATE \"C\""
        );
        self.ask(&sql).lines().map(str::to_owned).collect()
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
        self.ask(&format!("CREATE DATABASE \"{name}\""));
    }

    fn spoil_run(&self, tenant: TenantId, number: u32) {
        self.ask(&direction(tenant, number, "Sideways"));
    }

    fn mend_run(&self, tenant: TenantId, number: u32) {
        self.ask(&direction(tenant, number, "Forward"));
    }

    fn spoil_tenant(&self, tenant: TenantId) {
        self.ask(&no_plan(tenant));
    }

    fn spoil_pooled(&self, id: Uuid) {
        self.ask(&no_name(id));
    }
}

fn direction(tenant: TenantId, number: u32, direction: &str) -> String {
    format!(
        "UPDATE provisioning_runs SET direction = '{direction}' WHERE tenant_id = '{tenant}' AND number = {number}"
    )
}

fn no_plan(tenant: TenantId) -> String {
    format!("UPDATE tenants SET plan = 'no plan' WHERE id = '{tenant}'")
}

fn no_name(pooled: Uuid) -> String {
    format!("UPDATE pooled_databases SET database_name = 'no name' WHERE id = '{pooled}'")
}

/// A pooled database on this server that has settings in it and is closed, and a tenant of this slug that has none but is
/// about to get it.
pub(crate) fn pooled_for(place: &Stores, settings: &StoreSettings, slug: &str) -> (TenantScope, TenantScope) {
    let pooled = sample::pooled_database(&settings.prefix);
    let pool = TenantScope::pooled(&pooled);
    use_it(&opened(place, &pool)).unwrap();
    place.databases().close(&pool).unwrap();
    let tenant = sample::database_of(sample::tenant(slug), &settings.prefix);
    let home = Home { login: Some(pooled.id), ..tenant.home.clone() };
    (pool, sample::scope_of(&Tenant { home, ..tenant }))
}

/// Whether the database has settings in it.
pub(crate) fn is_furnished(stores: &Stores, scope: &TenantScope) -> bool {
    let store = stores.tenants().open(scope).unwrap();
    store.read(|tx| tx.settings().get()).unwrap() == Some(Settings::default())
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
