use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenantry_domain::tenant::ClusterName;
use tenantry_ports::{
    Access, DatabaseError, DatabaseFault, Inventory, Permit, Presence, StoreError, StoreResult,
    TenantDatabases, TenantScope, TenantStore, TenantStores, TenantTx, Verdict,
};

/// What is asked of a tenant's database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DatabaseCall {
    /// [`TenantDatabases::create`].
    Create,
    /// [`TenantDatabases::adopt`].
    Adopt,
    /// [`TenantDatabases::migrate`].
    Migrate,
    /// [`TenantDatabases::pending`].
    Pending,
    /// [`TenantDatabases::renew_login`].
    RenewLogin,
    /// [`TenantDatabases::close`].
    Close,
    /// [`TenantDatabases::remove`].
    Remove,
    /// [`TenantDatabases::presence`].
    Presence,
    /// [`TenantDatabases::inventory`].
    Inventory,
    /// A writing unit of work of a [`TenantStore`].
    Write,
}

/// On which side of a call's effect it fails: the caller cannot tell which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureMoment {
    /// Nothing has happened yet.
    BeforeEffect,
    /// It has happened, and only the answer is lost.
    AfterEffect,
}

/// Tenant databases that fail where they are told to, and count what they are asked. A clone shares plan and counts.
#[derive(Clone)]
pub struct FailingDatabases {
    databases: Arc<dyn TenantDatabases>,
    stores: Arc<dyn TenantStores>,
    plans: Arc<Mutex<BTreeMap<DatabaseCall, Plan>>>,
}

#[derive(Default)]
struct Plan {
    calls: usize,
    /// What happens to the next calls, one each.
    incidents: VecDeque<Incident>,
}

enum Incident {
    Fail(FailureMoment, DatabaseFault),
    Die(FailureMoment),
    Before(Box<dyn FnOnce() + Send>),
}

impl FailingDatabases {
    /// Does as these do, so far.
    pub fn new(databases: Arc<dyn TenantDatabases>, stores: Arc<dyn TenantStores>) -> Self {
        Self { databases, stores, plans: Arc::default() }
    }

    /// Has the next `times` calls (after those something is to happen to already) fail with this fault at this moment.
    pub fn fail(&self, call: DatabaseCall, moment: FailureMoment, fault: DatabaseFault, times: usize) {
        for _ in 0..times {
            self.next(call, Incident::Fail(moment, fault));
        }
    }

    /// Has the next call panic at this moment, as if the process had died there.
    pub fn die(&self, call: DatabaseCall, moment: FailureMoment) {
        self.next(call, Incident::Die(moment));
    }

    /// Has this happen just before the next call.
    pub fn before(&self, call: DatabaseCall, what: impl FnOnce() + Send + 'static) {
        self.next(call, Incident::Before(Box::new(what)));
    }

    /// How often this was called, whether or not it failed.
    pub fn calls(&self, call: DatabaseCall) -> usize {
        self.plans().get(&call).map_or(0, |plan| plan.calls)
    }

    fn next(&self, call: DatabaseCall, incident: Incident) {
        self.plans().entry(call).or_default().incidents.push_back(incident);
    }

    fn plans(&self) -> MutexGuard<'_, BTreeMap<DatabaseCall, Plan>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run<T, E>(
        &self,
        call: DatabaseCall,
        failure: fn(DatabaseFault, String) -> E,
        effect: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let incident = {
            let mut plans = self.plans();
            let plan = plans.entry(call).or_default();
            plan.calls += 1;
            plan.incidents.pop_front()
        };
        let lost = |fault| Err(failure(fault, format!("{call:?} was told to fail")));
        match incident {
            None => effect(),
            Some(Incident::Before(what)) => {
                what();
                effect()
            }
            Some(Incident::Fail(FailureMoment::BeforeEffect, fault)) => lost(fault),
            Some(Incident::Fail(FailureMoment::AfterEffect, fault)) => effect().and(lost(fault)),
            Some(Incident::Die(moment)) => {
                if moment == FailureMoment::AfterEffect {
                    let _ = effect();
                }
                panic!("{call:?} was told to die")
            }
        }
    }
}

impl TenantDatabases for FailingDatabases {
    fn create(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), DatabaseError> {
        self.run(DatabaseCall::Create, DatabaseError::new, || self.databases.create(scope, permit))
    }

    fn adopt(
        &self,
        pooled: &TenantScope,
        scope: &TenantScope,
        permit: Permit<'_>,
    ) -> Result<bool, DatabaseError> {
        self.run(DatabaseCall::Adopt, DatabaseError::new, || self.databases.adopt(pooled, scope, permit))
    }

    fn migrate(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        self.run(DatabaseCall::Migrate, DatabaseError::new, || self.databases.migrate(scope))
    }

    fn pending(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        self.run(DatabaseCall::Pending, DatabaseError::new, || self.databases.pending(scope))
    }

    fn renew_login(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        self.run(DatabaseCall::RenewLogin, DatabaseError::new, || self.databases.renew_login(scope))
    }

    fn as_owner(&self, scope: &TenantScope) -> StoreResult<Arc<dyn TenantStore>> {
        let store = self.databases.as_owner(scope)?;
        Ok(Arc::new(FailingStore { store, plan: self.clone() }))
    }

    fn close(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        self.run(DatabaseCall::Close, DatabaseError::new, || self.databases.close(scope))
    }

    fn remove(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), DatabaseError> {
        self.run(DatabaseCall::Remove, DatabaseError::new, || self.databases.remove(scope, permit))
    }

    fn presence(&self, scope: &TenantScope) -> Result<Presence, DatabaseError> {
        self.run(DatabaseCall::Presence, DatabaseError::new, || self.databases.presence(scope))
    }

    fn schema(&self) -> &str {
        self.databases.schema()
    }

    fn inventory(&self) -> Vec<Inventory> {
        let mut inventory = self.databases.inventory();
        if let Err(error) = self.run(DatabaseCall::Inventory, DatabaseError::new, || Ok(()))
            && let Some(main) = inventory.iter_mut().find(|server| server.cluster == ClusterName::default())
        {
            main.found = Err(error);
        }
        inventory
    }
}

impl TenantStores for FailingDatabases {
    fn open(&self, scope: &TenantScope) -> StoreResult<Arc<dyn TenantStore>> {
        let store = self.stores.open(scope)?;
        Ok(Arc::new(FailingStore { store, plan: self.clone() }))
    }
}

struct FailingStore {
    store: Arc<dyn TenantStore>,
    plan: FailingDatabases,
}

impl TenantStore for FailingStore {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn TenantTx) -> Verdict,
    ) -> StoreResult<()> {
        match access {
            Access::Read => self.store.transact(access, body),
            Access::Write => {
                self.plan.run(DatabaseCall::Write, store_error, || self.store.transact(access, body))
            }
        }
    }
}

fn store_error(fault: DatabaseFault, detail: String) -> StoreError {
    match fault {
        DatabaseFault::Passing => StoreError::Unavailable(detail),
        DatabaseFault::Foreign | DatabaseFault::Lasting => StoreError::Failed(detail.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryWorld, sample};

    fn failing(world: &MemoryWorld) -> FailingDatabases {
        FailingDatabases::new(world.databases(), world.stores())
    }

    #[test]
    fn it_fails_before_or_after_the_effect_as_often_as_told_and_then_works() {
        let world = MemoryWorld::new();
        let databases = failing(&world);
        let scope = sample::scope("acme");
        databases.fail(DatabaseCall::Create, FailureMoment::BeforeEffect, DatabaseFault::Passing, 2);
        databases.fail(DatabaseCall::Create, FailureMoment::AfterEffect, DatabaseFault::Lasting, 1);
        for _ in 0..2 {
            assert_eq!(
                databases.create(&scope, &sample::permitted).unwrap_err().fault,
                DatabaseFault::Passing
            );
            assert!(world.existing().is_empty());
        }
        assert_eq!(databases.create(&scope, &sample::permitted).unwrap_err().fault, DatabaseFault::Lasting);
        assert_eq!(world.existing().len(), 1);
        databases.create(&scope, &sample::permitted).unwrap();
        assert_eq!(databases.calls(DatabaseCall::Create), 4);
        assert_eq!(databases.calls(DatabaseCall::Remove), 0);
    }

    #[test]
    fn permission_is_asked_of_whoever_calls() {
        let world = MemoryWorld::new();
        let databases = failing(&world);
        let scope = sample::scope("acme");
        let refused = databases.create(&scope, &|| Err(StoreError::Stale)).unwrap_err();
        assert_eq!(refused.detail, StoreError::Stale.to_string());
        assert!(world.existing().is_empty());
        databases.fail(DatabaseCall::Create, FailureMoment::BeforeEffect, DatabaseFault::Passing, 1);
        let failed = databases.create(&scope, &|| panic!("it was not to get that far")).unwrap_err();
        assert_eq!(failed.detail, "Create was told to fail");
    }

    #[test]
    fn what_is_adopted_stays_adopted_though_the_answer_is_lost() {
        let world = MemoryWorld::new();
        let databases = failing(&world);
        let (pool, scope) =
            (TenantScope::pooled(&sample::pooled_database(&Default::default())), sample::scope("acme"));
        databases.create(&pool, &sample::permitted).unwrap();
        databases.fail(DatabaseCall::Adopt, FailureMoment::AfterEffect, DatabaseFault::Passing, 1);
        assert!(databases.adopt(&pool, &scope, &sample::permitted).is_err());
        assert_eq!(world.existing(), [(scope.database().clone(), Some(scope.tenant()))]);
        assert!(databases.adopt(&pool, &scope, &sample::permitted).unwrap());
        assert_eq!(databases.calls(DatabaseCall::Adopt), 2);
    }

    #[test]
    fn a_fault_of_the_thing_itself_is_not_hidden() {
        let world = MemoryWorld::new();
        let databases = failing(&world);
        let scope = sample::scope("acme");
        world.make_foreign(scope.database());
        databases.fail(DatabaseCall::Create, FailureMoment::AfterEffect, DatabaseFault::Passing, 1);
        assert_eq!(databases.create(&scope, &sample::permitted).unwrap_err().fault, DatabaseFault::Foreign);
    }
}
