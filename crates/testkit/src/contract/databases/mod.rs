//! Facts about [`TenantDatabases`](tenantry_ports::TenantDatabases), and about opening what they made.

pub mod adoption;
pub mod inventory;
pub mod isolation;
pub mod lifecycle;
pub mod permits;

use tenantry_domain::tenant::{Home, Settings, Tenant};
use tenantry_ports::{Presence, TenantScope};

use super::{Subject, pooled, tenant};
use crate::sample;

fn presence(subject: &dyn Subject, scope: &TenantScope) -> Presence {
    subject.databases().presence(scope).expect("looking does not fail")
}

/// A pooled database that is migrated and has something in it, and a tenant with its login who has none.
fn ready_to_adopt(subject: &dyn Subject) -> (TenantScope, TenantScope) {
    let database = pooled(subject);
    let pool = TenantScope::pooled(&database);
    let store = sample::opened(&*subject.databases(), &*subject.stores(), &pool);
    store.write(|tx| tx.settings().put(&Settings::default())).expect("the settings are written");
    drop(store);
    subject.databases().close(&pool).expect("the database is closed");
    let home = Home { cluster: database.cluster, login: Some(database.id) };
    let tenant = sample::scope_of(&Tenant { home, ..tenant(subject, "acme") });
    assert_eq!(presence(subject, &tenant), Presence::Absent);
    (pool, tenant)
}

/// Whether the database can be opened and has in it what it had in the pool.
fn is_furnished(subject: &dyn Subject, scope: &TenantScope) -> bool {
    let store = subject.stores().open(scope).expect("the database is opened");
    store.read(|tx| tx.settings().get()).expect("a look-up") == Some(Settings::default())
}
