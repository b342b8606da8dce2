use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::DatabaseName;
use tenantry_ports::{
    Access, DatabaseError, DatabaseFault, Presence, StoreError, StoreResult, TenantDatabases, TenantScope,
    TenantStore, TenantStores, TenantTx, Verdict,
};

use super::snapshot::Shared;
use super::tenant::TenantState;

/// The tenant databases that exist, by name.
#[derive(Debug, Default)]
pub(super) struct Databases(Mutex<BTreeMap<String, Database>>);

#[derive(Debug)]
struct Database {
    /// None for one that somebody else made.
    owner: Option<TenantId>,
    migrated: bool,
    content: Arc<Content>,
}

#[derive(Debug, Default)]
struct Content {
    state: Shared<TenantState>,
    dropped: AtomicBool,
}

impl Databases {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Database>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn existing(&self) -> Vec<(DatabaseName, Option<TenantId>)> {
        let databases = self.lock();
        databases
            .iter()
            .filter_map(|(name, database)| DatabaseName::new(name).ok().map(|name| (name, database.owner)))
            .collect()
    }

    pub(super) fn make_foreign(&self, name: &DatabaseName) {
        let foreign = Database { owner: None, migrated: false, content: Arc::default() };
        self.lock().insert(name.as_str().to_owned(), foreign);
    }
}

/// Makes and unmakes tenant databases in memory.
#[derive(Debug)]
pub struct MemoryTenantDatabases(Arc<Databases>);

impl MemoryTenantDatabases {
    pub(super) const fn over(databases: Arc<Databases>) -> Self {
        Self(databases)
    }
}

impl TenantDatabases for MemoryTenantDatabases {
    fn create(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        let mut databases = self.0.lock();
        let database = databases.entry(scope.database().as_str().to_owned()).or_insert_with(|| Database {
            owner: Some(scope.tenant()),
            migrated: false,
            content: Arc::default(),
        });
        own(database, scope).map(|_| ())
    }

    fn migrate(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        let mut databases = self.0.lock();
        let database = databases
            .get_mut(scope.database().as_str())
            .ok_or_else(|| DatabaseError::new(DatabaseFault::Lasting, "there is no database to migrate"))?;
        let done_before = std::mem::replace(&mut own(database, scope)?.migrated, true);
        Ok(usize::from(!done_before))
    }

    fn remove(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        let mut databases = self.0.lock();
        let name = scope.database().as_str();
        if databases.get(name).is_some_and(|database| database.owner == Some(scope.tenant()))
            && let Some(database) = databases.remove(name)
        {
            database.content.dropped.store(true, Ordering::SeqCst);
        }
        Ok(())
    }

    fn presence(&self, scope: &TenantScope) -> Result<Presence, DatabaseError> {
        Ok(match self.0.lock().get(scope.database().as_str()) {
            None => Presence::Absent,
            Some(database) if database.owner == Some(scope.tenant()) => Presence::Own,
            Some(_) => Presence::Foreign,
        })
    }
}

fn own<'a>(database: &'a mut Database, scope: &TenantScope) -> Result<&'a mut Database, DatabaseError> {
    if database.owner == Some(scope.tenant()) {
        Ok(database)
    } else {
        Err(DatabaseError::new(
            DatabaseFault::Foreign,
            "the name is taken by a database that is not the tenant's",
        ))
    }
}

/// Opens tenant databases in memory.
#[derive(Debug)]
pub struct MemoryTenantStores(Arc<Databases>);

impl MemoryTenantStores {
    pub(super) const fn over(databases: Arc<Databases>) -> Self {
        Self(databases)
    }
}

impl TenantStores for MemoryTenantStores {
    fn open(&self, scope: &TenantScope) -> StoreResult<Arc<dyn TenantStore>> {
        let databases = self.0.lock();
        match databases.get(scope.database().as_str()) {
            None => Err(StoreError::Failed("the tenant's database does not exist".into())),
            Some(database) if database.owner != Some(scope.tenant()) => {
                Err(StoreError::Failed("the database of this name is not the tenant's".into()))
            }
            Some(database) if !database.migrated => {
                Err(StoreError::Failed("the tenant's database was never migrated".into()))
            }
            Some(database) => Ok(Arc::new(MemoryTenantStore(Arc::clone(&database.content)))),
        }
    }
}

#[derive(Debug)]
struct MemoryTenantStore(Arc<Content>);

impl TenantStore for MemoryTenantStore {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn TenantTx) -> Verdict,
    ) -> StoreResult<()> {
        if self.0.dropped.load(Ordering::SeqCst) {
            return Err(StoreError::Failed("the tenant's database was dropped".into()));
        }
        self.0.state.transact(access, |tx| body(tx))
    }
}
