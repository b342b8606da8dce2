//! What every store has to do: the ports' documentation as executable facts.
//!
//! A fact is a function that is given a [`Subject`] (a store of nobody else's, empty) and panics where the store does
//! not do as its port says. [`contract_tests!`](crate::contract_tests) stamps each as a `#[test]` of its own:
//!
//! ```
//! use tenantry_testkit::contract::MemorySubject;
//!
//! fn subject() -> MemorySubject {
//!     MemorySubject::default()
//! }
//!
//! tenantry_testkit::contract_tests!(subject);
//! ```
//!
//! Where another harness is at work, [`CONTROL`], [`TENANT`] and [`DATABASES`] list the same facts, and [`run_all`] runs
//! a list.

pub mod control;
pub mod databases;
mod facts;
pub mod tenant;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{DatabaseName, DatabasePrefix, Tenant};
use tenantry_ports::{
    Constraint, ControlStore, PooledDatabase, StoreError, StoreResult, TenantDatabases, TenantScope,
    TenantStore, TenantStores,
};

use uuid::Uuid;

pub use facts::{CONTROL, DATABASES, Fact, TENANT};

use crate::{MemoryWorld, sample};

/// One store under test: a control database and a place for tenant databases, both empty, and nobody else's.
pub trait Subject: Send + Sync {
    /// The control database.
    fn control(&self) -> Arc<dyn ControlStore>;

    /// What makes and unmakes tenant databases.
    fn databases(&self) -> Arc<dyn TenantDatabases>;

    /// What opens them.
    fn stores(&self) -> Arc<dyn TenantStores>;

    /// Makes a database of this name as somebody else would: without a tenant's tag.
    fn make_foreign(&self, name: &DatabaseName);

    /// Makes nonsense of a run in the control database, as if another program had written it.
    fn spoil_run(&self, tenant: TenantId, number: u32);

    /// Makes sense of a spoilt run again, which had been going forward.
    fn mend_run(&self, tenant: TenantId, number: u32);

    /// Makes nonsense of a tenant in the control database.
    fn spoil_tenant(&self, tenant: TenantId);

    /// Makes nonsense of a pooled database in the control database; its state stays.
    fn spoil_pooled(&self, id: Uuid);

    /// What the names of the tenant databases begin with. Subjects that share a server need one each.
    fn prefix(&self) -> DatabasePrefix {
        DatabasePrefix::default()
    }
}

/// The in-memory adapters, as a subject.
#[derive(Debug, Default)]
pub struct MemorySubject(MemoryWorld);

impl Subject for MemorySubject {
    fn control(&self) -> Arc<dyn ControlStore> {
        self.0.control()
    }

    fn databases(&self) -> Arc<dyn TenantDatabases> {
        self.0.databases()
    }

    fn stores(&self) -> Arc<dyn TenantStores> {
        self.0.stores()
    }

    fn make_foreign(&self, name: &DatabaseName) {
        self.0.make_foreign(name);
    }

    fn spoil_run(&self, tenant: TenantId, number: u32) {
        self.0.control().spoil_run(tenant, number);
    }

    fn mend_run(&self, tenant: TenantId, number: u32) {
        self.0.control().mend_run(tenant, number);
    }

    fn spoil_tenant(&self, tenant: TenantId) {
        self.0.control().spoil_tenant(tenant);
    }

    fn spoil_pooled(&self, id: Uuid) {
        self.0.control().spoil_pooled(id);
    }
}

/// What [`contract_tests!`](crate::contract_tests) takes: a subject, or maybe one.
pub trait MaybeSubject {
    /// The subject, if there is one.
    fn subject(self) -> Option<impl Subject>;
}

impl<S: Subject> MaybeSubject for S {
    fn subject(self) -> Option<impl Subject> {
        Some(self)
    }
}

impl<S: Subject> MaybeSubject for Option<S> {
    fn subject(self) -> Option<impl Subject> {
        self
    }
}

/// Checks one fact, if there is a subject to check it on.
pub fn check(subject: impl MaybeSubject, fact: fn(&dyn Subject)) {
    if let Some(subject) = subject.subject() {
        fact(&subject);
    }
}

/// Runs every fact of a list, each on a subject of its own.
///
/// # Panics
/// After the last one, with the names of all that did not hold.
pub fn run_all<S: Subject>(facts: &[Fact], make_subject: impl Fn() -> S) {
    let broken: Vec<_> = facts
        .iter()
        .filter(|(_, fact)| catch_unwind(AssertUnwindSafe(|| fact(&make_subject()))).is_err())
        .map(|(name, _)| *name)
        .collect();
    assert!(
        broken.is_empty(),
        "{} of {} facts do not hold: {}",
        broken.len(),
        facts.len(),
        broken.join(", ")
    );
}

/// Whether it was refused because of this constraint.
fn conflict<T>(outcome: &StoreResult<T>, constraint: Constraint) -> bool {
    matches!(outcome, Err(StoreError::Conflict(which)) if *which == constraint)
}

/// A scope over a new tenant whose database has the subject's prefix.
fn scope(subject: &dyn Subject, slug: &str) -> TenantScope {
    sample::scope_of(&tenant(subject, slug))
}

fn tenant(subject: &dyn Subject, slug: &str) -> Tenant {
    sample::database_of(sample::tenant(slug), &subject.prefix())
}

/// A pooled database whose name has the subject's prefix.
fn pooled(subject: &dyn Subject) -> PooledDatabase {
    sample::pooled_database(&subject.prefix())
}

/// The store of a new tenant, and whose it is.
fn store(subject: &dyn Subject) -> (Arc<dyn TenantStore>, TenantScope) {
    let scope = scope(subject, "acme");
    let store = sample::opened(&*subject.databases(), &*subject.stores(), &scope);
    (store, scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_all_names_what_does_not_hold() {
        let facts: &[Fact] =
            &[("holds", |_| ()), ("breaks", |_| panic!("as it should")), ("holds_too", |_| ())];
        let outcome = catch_unwind(|| run_all(facts, MemorySubject::default));
        let message = outcome.unwrap_err();
        assert_eq!(message.downcast_ref::<String>().unwrap(), "1 of 3 facts do not hold: breaks");
        run_all(&facts[..1], MemorySubject::default);
    }
}
