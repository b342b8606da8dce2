//! Facts about making and unmaking databases.

use tenantry_domain::tenant::Settings;
use tenantry_ports::{DatabaseFault, Presence, TenantScope};

use super::presence;
use crate::contract::{Subject, pooled, scope};
use crate::sample::{self, permitted};

/// A database is there from its creation to its dropping, and it is the tenant's.
pub fn presence_tells_whether_the_database_is_there(subject: &dyn Subject) {
    let (databases, scope) = (subject.databases(), scope(subject, "acme"));
    assert_eq!(presence(subject, &scope), Presence::Absent);
    databases.create(&scope, &permitted).expect("the database is created");
    assert_eq!(presence(subject, &scope), Presence::Own);
    databases.migrate(&scope).expect("the database is migrated");
    assert_eq!(presence(subject, &scope), Presence::Own);
    databases.remove(&scope, &permitted).expect("the database is dropped");
    assert_eq!(presence(subject, &scope), Presence::Absent);
}

/// Every step may be done twice, as after a crash, with the same outcome.
pub fn every_step_may_be_repeated(subject: &dyn Subject) {
    let (databases, scope) = (subject.databases(), scope(subject, "acme"));
    databases.remove(&scope, &permitted).expect("what is not there is dropped");
    for _ in 0..2 {
        databases.create(&scope, &permitted).expect("the database is created");
    }
    databases.migrate(&scope).expect("the database is migrated");
    assert_eq!(databases.migrate(&scope).expect("nothing is left to do"), 0);
    databases.create(&scope, &permitted).expect("it is adopted, migrated as it is");
    let store = subject.stores().open(&scope).expect("the database is opened");
    store.write(|tx| tx.settings().put(&Settings::default())).expect("it can be used");
    databases.create(&scope, &permitted).expect("it is adopted once more");
    assert!(store.read(|tx| tx.settings().get()).expect("a look-up").is_some(), "with what is in it");
    for _ in 0..2 {
        databases.remove(&scope, &permitted).expect("the database is dropped");
        assert_eq!(presence(subject, &scope), Presence::Absent);
    }
}

/// What does not exist cannot be migrated.
pub fn a_missing_database_is_not_migrated(subject: &dyn Subject) {
    let scope = scope(subject, "acme");
    assert!(subject.databases().migrate(&scope).is_err());
    assert_eq!(presence(subject, &scope), Presence::Absent);
}

/// What is said to be lacking is what migrating then does, and afterwards nothing is.
pub fn what_is_pending_is_what_migrating_does(subject: &dyn Subject) {
    let (databases, scope) = (subject.databases(), scope(subject, "acme"));
    assert!(databases.pending(&scope).is_err(), "there is no database");
    databases.create(&scope, &permitted).expect("the database is created");
    let pending = databases.pending(&scope).expect("a count");
    assert_eq!(databases.migrate(&scope).expect("the database is migrated"), pending);
    assert_eq!(databases.pending(&scope).expect("a count"), 0);
    databases.remove(&scope, &permitted).expect("the database is dropped");
    assert!(databases.pending(&scope).is_err(), "there is no database any more");
}

/// The schema has a name, and keeps it.
pub fn the_schema_has_a_name(subject: &dyn Subject) {
    let (databases, scope) = (subject.databases(), scope(subject, "acme"));
    let name = databases.schema().to_owned();
    assert!(!name.is_empty());
    sample::opened(&*databases, &*subject.stores(), &scope);
    assert_eq!(subject.databases().schema(), name);
}

/// A database that was closed is there, with what is in it, and opened again by whoever needs it; closing what is not open,
/// or not there, is no error.
pub fn a_closed_database_is_opened_again(subject: &dyn Subject) {
    let (databases, scope) = (subject.databases(), scope(subject, "acme"));
    databases.close(&scope).expect("there is nothing to close");
    let store = sample::opened(&*databases, &*subject.stores(), &scope);
    store.write(|tx| tx.settings().put(&Settings::default())).expect("the settings are written");
    drop(store);
    for _ in 0..2 {
        databases.close(&scope).expect("the database is closed");
    }
    assert_eq!(presence(subject, &scope), Presence::Own);
    let store = subject.stores().open(&scope).expect("the database is opened again");
    assert!(store.read(|tx| tx.settings().get()).expect("a look-up").is_some());
    databases.remove(&scope, &permitted).expect("the database is dropped");
    databases.close(&scope).expect("there is nothing to close any more");
}

/// A pooled database is made, used and dropped like a tenant's, and stands for itself.
pub fn a_pooled_database_is_made_like_a_tenants(subject: &dyn Subject) {
    let (databases, stores) = (subject.databases(), subject.stores());
    let pools = [pooled(subject), pooled(subject)].map(|database| TenantScope::pooled(&database));
    for pool in &pools {
        assert_eq!(presence(subject, pool), Presence::Absent);
        let store = sample::opened(&*databases, &*stores, pool);
        assert_eq!(presence(subject, pool), Presence::Own);
        assert_eq!(store.read(|tx| tx.settings().get()).expect("a look-up"), None);
        store.write(|tx| tx.settings().put(&Settings::default())).expect("it can be used");
        databases.create(pool, &permitted).expect("it is adopted as it is");
        assert_eq!(databases.migrate(pool).expect("nothing is left to do"), 0);
    }
    let [gone, left] = pools;
    databases.remove(&gone, &permitted).expect("the database is dropped");
    assert_eq!((presence(subject, &gone), presence(subject, &left)), (Presence::Absent, Presence::Own));
}

/// What does not exist cannot be opened, and trying spoils nothing.
pub fn a_missing_database_is_not_opened(subject: &dyn Subject) {
    let (databases, stores, scope) = (subject.databases(), subject.stores(), scope(subject, "acme"));
    assert!(stores.open(&scope).is_err());
    assert_eq!(presence(subject, &scope), Presence::Absent, "looking for it has not made it");
    databases.create(&scope, &permitted).expect("the database is created");
    databases.migrate(&scope).expect("the database is migrated");
    stores.open(&scope).expect("the database is opened");
}

/// What is opened twice is one database.
pub fn a_database_may_be_opened_more_than_once(subject: &dyn Subject) {
    let scope = scope(subject, "acme");
    let first = sample::opened(&*subject.databases(), &*subject.stores(), &scope);
    let second = subject.stores().open(&scope).expect("the database is opened again");
    first.write(|tx| tx.settings().put(&Settings::default())).expect("the settings are written");
    assert!(second.read(|tx| tx.settings().get()).expect("a look-up").is_some());
}

/// A database is dropped although somebody has it open, and is gone for them too.
pub fn a_database_in_use_is_dropped(subject: &dyn Subject) {
    let (databases, stores, scope) = (subject.databases(), subject.stores(), scope(subject, "acme"));
    let store = sample::opened(&*databases, &*stores, &scope);
    store.write(|tx| tx.settings().put(&Settings::default())).expect("the settings are written");
    databases.remove(&scope, &permitted).expect("the database is dropped");
    assert_eq!(presence(subject, &scope), Presence::Absent);
    assert!(stores.open(&scope).is_err(), "it is not opened again");
    assert!(store.write(|tx| tx.settings().put(&Settings::default())).is_err(), "nor written to");
    assert_eq!(presence(subject, &scope), Presence::Absent, "nor brought back");
}

/// A slug that was freed begins anew: its next tenant finds nothing of the one before, though its store was open.
pub fn a_database_that_is_made_again_is_empty(subject: &dyn Subject) {
    let (databases, stores, first) = (subject.databases(), subject.stores(), scope(subject, "acme"));
    let old = sample::opened(&*databases, &*stores, &first);
    old.write(|tx| tx.settings().put(&Settings::default())).expect("the settings are written");
    databases.remove(&first, &permitted).expect("the database is dropped");

    let second = scope(subject, "acme");
    let new = sample::opened(&*databases, &*stores, &second);
    assert_eq!(new.read(|tx| tx.settings().get()).expect("a look-up"), None);
    assert_eq!(presence(subject, &first), Presence::Foreign);
    assert!(stores.open(&first).is_err(), "the first tenant's right to it has gone");
}

/// The same tenant's retry begins anew as well.
pub fn a_retry_after_a_drop_begins_anew(subject: &dyn Subject) {
    let (databases, stores, scope) = (subject.databases(), subject.stores(), scope(subject, "acme"));
    let old = sample::opened(&*databases, &*stores, &scope);
    old.write(|tx| tx.settings().put(&Settings::default())).expect("the settings are written");
    databases.remove(&scope, &permitted).expect("the database is dropped");
    let new = sample::opened(&*databases, &*stores, &scope);
    assert_eq!(new.read(|tx| tx.settings().get()).expect("a look-up"), None);
    new.write(|tx| tx.settings().put(&Settings::default())).expect("it can be used");
}

/// Workers that make the same database at once, as after a lease ran out, both succeed or are told to try again.
pub fn concurrent_creations_of_one_database_agree(subject: &dyn Subject) {
    let scope = scope(subject, "acme");
    let outcomes: Vec<_> = std::thread::scope(|threads| {
        let workers: Vec<_> =
            (0..4).map(|_| threads.spawn(|| subject.databases().create(&scope, &permitted))).collect();
        workers.into_iter().map(|worker| worker.join().expect("no panic")).collect()
    });
    assert!(outcomes.iter().any(Result::is_ok), "{outcomes:?}");
    let mut faults = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    assert!(faults.all(|error| error.fault == DatabaseFault::Passing), "{outcomes:?}");
    assert_eq!(presence(subject, &scope), Presence::Own);
    subject.databases().migrate(&scope).expect("the database is migrated");
    subject.stores().open(&scope).expect("the database is opened");
}
