use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenantry_domain::account::Account;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{ClusterName, DatabaseName};
use tenantry_ports::{
    Access, DatabaseError, DatabaseFault, FoundDatabase, Inventory, Permit, Presence, StoreError,
    StoreResult, TenantDatabases, TenantScope, TenantStore, TenantStores, TenantTx, Verdict,
};

use super::log_rows::LogRows;
use super::snapshot::Shared;
use super::tenant::TenantState;

/// The tenant databases that exist, by server and name.
#[derive(Debug)]
pub(super) struct Databases {
    existing: Mutex<BTreeMap<Place, Database>>,
    /// What the tenant schema is called.
    schema: Mutex<&'static str>,
}

type Place = (ClusterName, String);

#[derive(Debug)]
struct Database {
    /// None for one that somebody else made.
    owner: Option<TenantId>,
    /// None until it was first migrated.
    schema: Option<&'static str>,
    /// Whether nothing of it is any good.
    ruined: bool,
    content: Arc<Content>,
}

#[derive(Debug, Default)]
struct Content {
    state: Shared<TenantState>,
    dropped: AtomicBool,
}

impl Default for Databases {
    fn default() -> Self {
        Self { existing: Mutex::default(), schema: Mutex::new("1") }
    }
}

impl Databases {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Place, Database>> {
        self.existing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn schema(&self) -> &'static str {
        *self.schema.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_schema(&self, schema: &'static str) {
        *self.schema.lock().unwrap_or_else(PoisonError::into_inner) = schema;
    }

    pub(super) fn existing(&self) -> Vec<(DatabaseName, Option<TenantId>)> {
        let databases = self.lock();
        databases
            .iter()
            .filter_map(|((_, name), database)| Some((DatabaseName::new(name).ok()?, database.owner)))
            .collect()
    }

    pub(super) fn make_foreign(&self, name: &DatabaseName) {
        let foreign = Database { owner: None, schema: None, ruined: false, content: Arc::default() };
        self.lock().insert((ClusterName::default(), name.as_str().to_owned()), foreign);
    }

    pub(super) fn tamper(&self, scope: &TenantScope, with: impl FnOnce(&mut LogRows)) -> StoreResult<()> {
        let databases = self.lock();
        let missing = || StoreError::Failed("the tenant's database does not exist".into());
        let state = &databases.get(&place(scope)).ok_or_else(missing)?.content.state;
        state.transact(Access::Write, |tx| {
            let tampered = tx.change(|state| state.log.tamper(with));
            tampered.map_or(Verdict::Rollback, |()| Verdict::Commit)
        })
    }

    pub(super) fn ruin(&self, name: &DatabaseName) {
        let mut databases = self.lock();
        let named = databases.iter_mut().filter(|((_, known), _)| known == name.as_str());
        for (_, database) in named {
            database.ruined = true;
            database.content.dropped.store(true, Ordering::SeqCst);
        }
    }

    pub(super) fn put_account(&self, scope: &TenantScope, account: Account) -> StoreResult<()> {
        let databases = self.lock();
        let missing = || StoreError::Failed("the tenant's database does not exist".into());
        let state = &databases.get(&place(scope)).ok_or_else(missing)?.content.state;
        state.transact(Access::Write, |tx| {
            let put = tx.change(|state| {
                state.accounts.insert(account.id, account);
                Ok(())
            });
            put.map_or(Verdict::Rollback, |()| Verdict::Commit)
        })
    }
}

/// Makes and unmakes tenant databases in memory.
#[derive(Debug)]
pub struct MemoryTenantDatabases(Arc<Databases>);

impl MemoryTenantDatabases {
    pub(super) const fn over(databases: Arc<Databases>) -> Self {
        Self(databases)
    }

    /// Looks at the scope's own database.
    fn look<T>(
        &self,
        scope: &TenantScope,
        look: impl FnOnce(&mut Database) -> T,
    ) -> Result<T, DatabaseError> {
        let mut databases = self.0.lock();
        let missing = || DatabaseError::new(DatabaseFault::Lasting, "the database does not exist");
        own(databases.get_mut(&place(scope)).ok_or_else(missing)?, scope).map(look)
    }
}

impl TenantDatabases for MemoryTenantDatabases {
    fn create(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), DatabaseError> {
        let mut databases = self.0.lock();
        ask(permit)?;
        if databases
            .get(&place(scope))
            .is_some_and(|found| found.ruined && found.owner == Some(scope.tenant()))
        {
            databases.remove(&place(scope));
        }
        let database = databases.entry(place(scope)).or_insert_with(|| Database {
            owner: Some(scope.tenant()),
            schema: None,
            ruined: false,
            content: Arc::default(),
        });
        own(database, scope).map(|_| ())
    }

    fn adopt(
        &self,
        pooled: &TenantScope,
        scope: &TenantScope,
        permit: Permit<'_>,
    ) -> Result<bool, DatabaseError> {
        let mut databases = self.0.lock();
        ask(permit)?;
        if let Some(database) = databases.get_mut(&place(scope)) {
            return own(database, scope).map(|_| true);
        }
        if pooled.cluster() != scope.cluster() {
            return Err(DatabaseError::new(DatabaseFault::Lasting, "a database does not change servers"));
        }
        let mut ours = databases
            .extract_if(.., |at, found| *at == place(pooled) && found.owner == Some(pooled.tenant()));
        let Some((_, database)) = ours.next() else {
            return Ok(false);
        };
        drop(ours);
        databases.insert(place(scope), Database { owner: Some(scope.tenant()), ..database });
        Ok(true)
    }

    fn migrate(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        let schema = self.0.schema();
        let before = self.look(scope, |database| database.schema.replace(schema))?;
        Ok(usize::from(before != Some(schema)))
    }

    fn pending(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        let schema = self.0.schema();
        self.look(scope, |database| usize::from(database.schema != Some(schema)))
    }

    fn renew_login(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        self.look(scope, |_| ())
    }

    fn as_owner(&self, scope: &TenantScope) -> StoreResult<Arc<dyn TenantStore>> {
        MemoryTenantStores::over(Arc::clone(&self.0)).open(scope)
    }

    fn close(&self, _scope: &TenantScope) -> Result<(), DatabaseError> {
        Ok(())
    }

    fn remove(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), DatabaseError> {
        let mut databases = self.0.lock();
        ask(permit)?;
        let place = place(scope);
        if databases.get(&place).is_some_and(|database| database.owner == Some(scope.tenant()))
            && let Some(database) = databases.remove(&place)
        {
            database.content.dropped.store(true, Ordering::SeqCst);
        }
        Ok(())
    }

    fn presence(&self, scope: &TenantScope) -> Result<Presence, DatabaseError> {
        Ok(match self.0.lock().get(&place(scope)) {
            None => Presence::Absent,
            Some(database) if database.owner == Some(scope.tenant()) => Presence::Own,
            Some(_) => Presence::Foreign,
        })
    }

    fn schema(&self) -> &str {
        self.0.schema()
    }

    fn inventory(&self) -> Vec<Inventory> {
        let mut inventory = BTreeMap::from([(ClusterName::default(), Vec::new())]);
        for ((cluster, name), database) in self.0.lock().iter() {
            let found = FoundDatabase {
                cluster: cluster.clone(),
                name: name.clone(),
                owner: database.owner,
                ruined: database.ruined,
            };
            inventory.entry(cluster.clone()).or_default().push(found);
        }
        inventory.into_iter().map(|(cluster, found)| Inventory { cluster, found: Ok(found) }).collect()
    }
}

fn place(scope: &TenantScope) -> Place {
    (scope.cluster().clone(), scope.database().as_str().to_owned())
}

/// Whoever lost the right to the database is told to try again: the next thing they do is to find out.
fn ask(permit: Permit<'_>) -> Result<(), DatabaseError> {
    permit().map_err(|error| DatabaseError::new(DatabaseFault::Passing, error))
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
        match databases.get(&place(scope)) {
            None => Err(StoreError::Failed("the tenant's database does not exist".into())),
            Some(database) if database.owner != Some(scope.tenant()) => {
                Err(StoreError::Failed("the database of this name is not the tenant's".into()))
            }
            Some(database) if database.schema.is_none() => {
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

#[cfg(test)]
mod tests {
    use tenantry_domain::tenant::{Home, Tenant};

    use super::*;
    use crate::MemoryWorld;
    use crate::sample::{self, permitted};

    #[test]
    fn a_newer_schema_is_pending_until_the_database_is_migrated() {
        let world = MemoryWorld::new();
        let (databases, scope) = (world.databases(), sample::scope("acme"));
        sample::opened(&*databases, &*world.stores(), &scope);
        assert_eq!((databases.schema(), databases.pending(&scope).unwrap()), ("1", 0));
        world.set_schema("2");
        assert_eq!((databases.schema(), databases.pending(&scope).unwrap()), ("2", 1));
        world.stores().open(&scope).expect("it works as it is");
        assert_eq!((databases.migrate(&scope).unwrap(), databases.migrate(&scope).unwrap()), (1, 0));
        assert_eq!(databases.pending(&scope).unwrap(), 0);
    }

    #[test]
    fn a_database_belongs_to_its_server() {
        let world = MemoryWorld::new();
        let databases = world.databases();
        let there = |cluster| {
            let home = Home { cluster: sample::cluster(cluster), login: None };
            sample::scope_of(&Tenant { home, ..sample::tenant("acme") })
        };
        let (here, far) = (there("main"), there("eu-1"));
        databases.create(&far, &permitted).unwrap();
        assert_eq!(databases.presence(&here).unwrap(), Presence::Absent);
        let inventory = databases.inventory();
        let found = inventory.iter().find(|server| server.cluster == *far.cluster()).unwrap();
        assert_eq!(found.found.as_ref().unwrap()[0].owner, Some(far.tenant()));

        let pool = TenantScope::pooled(&sample::pooled_database(&Default::default()));
        databases.create(&pool, &permitted).unwrap();
        let other = Tenant {
            home: Home { cluster: sample::cluster("eu-1"), login: None },
            ..sample::tenant("other")
        };
        let moved = databases.adopt(&pool, &sample::scope_of(&other), &permitted);
        assert_eq!(moved.unwrap_err().fault, DatabaseFault::Lasting);
        assert_eq!(databases.presence(&pool).unwrap(), Presence::Own);
    }
}
