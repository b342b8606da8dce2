//! Stores of a unit test's own, with a tenant that has a database.

pub(crate) mod plans;
pub(crate) mod traffic;

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tenantry_domain::tenant::DatabasePrefix;
use tenantry_ports::{Secret, TenantScope, TenantStore};
use tenantry_testkit::sample;

use crate::pool::Database;
use crate::{DatabaseUrl, LoginPasswords, StoreSettings, Stores};

pub(crate) struct Place {
    pub(crate) stores: Stores,
    pub(crate) scope: TenantScope,
    prefix: DatabasePrefix,
    _directory: Option<TempDir>,
}

impl Place {
    fn new(settings: &StoreSettings, directory: Option<TempDir>) -> Self {
        let stores = Stores::open(settings).unwrap();
        stores.migrate_control().unwrap();
        let scope = sample::scope_of(&sample::database_of(sample::tenant("acme"), &settings.prefix));
        sample::opened(&*stores.databases(), &*stores.tenants(), &scope);
        Self { stores, scope, prefix: settings.prefix.clone(), _directory: directory }
    }

    pub(crate) fn store(&self) -> Arc<dyn TenantStore> {
        self.stores.tenants().open(&self.scope).unwrap()
    }

    /// The store of one more tenant.
    pub(crate) fn another(&self, slug: &str) -> Arc<dyn TenantStore> {
        let prefix = &self.prefix;
        let scope = sample::scope_of(&sample::database_of(sample::tenant(slug), prefix));
        sample::opened(&*self.stores.databases(), &*self.stores.tenants(), &scope)
    }

    pub(crate) fn tenant_database(&self) -> Arc<Database> {
        self.stores.tenant_database(&self.scope).unwrap()
    }
}

pub(crate) fn sqlite() -> Place {
    sqlite_with(|_| ())
}

/// None where there is no PostgreSQL to test with.
pub(crate) fn postgres() -> Option<Place> {
    postgres_with(|_| ())
}

pub(crate) fn both() -> impl Iterator<Item = Place> {
    both_with(|_| ())
}

pub(crate) fn both_with(change: impl Fn(&mut StoreSettings)) -> impl Iterator<Item = Place> {
    [Some(sqlite_with(&change)), postgres_with(&change)].into_iter().flatten()
}

/// On a machine that runs many tests at once, connecting alone may take longer than a server in production would wait.
fn patient(settings: StoreSettings) -> StoreSettings {
    StoreSettings { connect_timeout: Duration::from_secs(30), ..settings }
}

pub(crate) fn sqlite_with(change: impl Fn(&mut StoreSettings)) -> Place {
    let directory = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(directory.path().join("control.db"));
    let mut settings = patient(StoreSettings::new(url, directory.path()));
    change(&mut settings);
    Place::new(&settings, Some(directory))
}

fn postgres_with(change: impl Fn(&mut StoreSettings)) -> Option<Place> {
    let server = tenantry_testkit::postgres::shared()?;
    let url = server.fresh_database("control").parse().unwrap();
    let mut settings = patient(StoreSettings::new(url, "/nonexistent"));
    settings.prefix = DatabasePrefix::new(server.fresh_prefix()).unwrap();
    settings.logins = Some(LoginPasswords::new(|login| Secret::new(login.to_string())));
    change(&mut settings);
    Some(Place::new(&settings, None))
}
