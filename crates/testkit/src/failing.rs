use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenantry_ports::{DatabaseError, DatabaseFault, Presence, TenantDatabases, TenantScope};

/// A method of [`TenantDatabases`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DatabaseCall {
    /// `create`.
    Create,
    /// `migrate`.
    Migrate,
    /// `drop`.
    Drop,
    /// `presence`.
    Presence,
}

/// On which side of a call's effect it fails: the caller cannot tell which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureMoment {
    /// Nothing has happened yet.
    BeforeEffect,
    /// It has happened, and only the answer is lost.
    AfterEffect,
}

/// Another [`TenantDatabases`] that fails where it is told to, and counts what it is asked.
#[derive(Clone)]
pub struct FailingDatabases {
    inner: Arc<dyn TenantDatabases>,
    plan: Arc<Mutex<BTreeMap<DatabaseCall, Plan>>>,
}

#[derive(Debug, Default)]
struct Plan {
    calls: usize,
    /// Used up from the front.
    failures: Vec<(FailureMoment, DatabaseFault)>,
}

impl FailingDatabases {
    /// Does as `inner` does, so far.
    pub fn new(inner: Arc<dyn TenantDatabases>) -> Self {
        Self { inner, plan: Arc::default() }
    }

    /// Has the next `times` calls (after those already to fail) fail with this fault at this moment.
    pub fn fail(&self, call: DatabaseCall, moment: FailureMoment, fault: DatabaseFault, times: usize) {
        let failures = std::iter::repeat_n((moment, fault), times);
        self.plan().entry(call).or_default().failures.extend(failures);
    }

    /// How often this was called, whether or not it failed.
    pub fn calls(&self, call: DatabaseCall) -> usize {
        self.plan().get(&call).map_or(0, |plan| plan.calls)
    }

    fn plan(&self) -> MutexGuard<'_, BTreeMap<DatabaseCall, Plan>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run<T>(
        &self,
        call: DatabaseCall,
        effect: impl FnOnce(&dyn TenantDatabases) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let failure = {
            let mut plans = self.plan();
            let plan = plans.entry(call).or_default();
            plan.calls += 1;
            if plan.failures.is_empty() { None } else { Some(plan.failures.remove(0)) }
        };
        match failure {
            None => effect(&*self.inner),
            Some((FailureMoment::BeforeEffect, fault)) => Err(injected(call, fault)),
            Some((FailureMoment::AfterEffect, fault)) => effect(&*self.inner).and(Err(injected(call, fault))),
        }
    }
}

fn injected(call: DatabaseCall, fault: DatabaseFault) -> DatabaseError {
    DatabaseError::new(fault, format!("{call:?} was told to fail"))
}

impl TenantDatabases for FailingDatabases {
    fn create(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        self.run(DatabaseCall::Create, |inner| inner.create(scope))
    }

    fn migrate(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        self.run(DatabaseCall::Migrate, |inner| inner.migrate(scope))
    }

    fn drop(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        self.run(DatabaseCall::Drop, |inner| inner.drop(scope))
    }

    fn presence(&self, scope: &TenantScope) -> Result<Presence, DatabaseError> {
        self.run(DatabaseCall::Presence, |inner| inner.presence(scope))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryWorld, sample};

    #[test]
    fn it_fails_before_or_after_the_effect_as_often_as_told_and_then_works() {
        let world = MemoryWorld::new();
        let databases = FailingDatabases::new(world.databases());
        let scope = sample::scope("acme");
        databases.fail(DatabaseCall::Create, FailureMoment::BeforeEffect, DatabaseFault::Passing, 2);
        databases.fail(DatabaseCall::Create, FailureMoment::AfterEffect, DatabaseFault::Lasting, 1);
        for _ in 0..2 {
            assert_eq!(databases.create(&scope).unwrap_err().fault, DatabaseFault::Passing);
            assert!(world.existing().is_empty());
        }
        assert_eq!(databases.create(&scope).unwrap_err().fault, DatabaseFault::Lasting);
        assert_eq!(world.existing().len(), 1);
        databases.create(&scope).unwrap();
        assert_eq!(databases.calls(DatabaseCall::Create), 4);
        assert_eq!(databases.calls(DatabaseCall::Drop), 0);
    }

    #[test]
    fn a_fault_of_the_thing_itself_is_not_hidden() {
        let world = MemoryWorld::new();
        let databases = FailingDatabases::new(world.databases());
        let scope = sample::scope("acme");
        world.make_foreign(scope.database());
        databases.fail(DatabaseCall::Create, FailureMoment::AfterEffect, DatabaseFault::Passing, 1);
        assert_eq!(databases.create(&scope).unwrap_err().fault, DatabaseFault::Foreign);
    }
}
