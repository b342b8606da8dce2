//! Facts about asking for permission: who has lost the right to a database changes nothing.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use tenantry_ports::{DatabaseError, DatabaseFault, Presence, StoreError, StoreResult};

use super::{is_furnished, presence, ready_to_adopt};
use crate::contract::{Subject, scope};
use crate::sample::{self, permitted};

/// The answer to somebody who was replaced.
const fn taken_over() -> StoreResult<()> {
    Err(StoreError::Stale)
}

/// Whoever is refused is told to try again, and why; the next thing they do is to find out that they were replaced.
fn assert_refused<T>(outcome: Result<T, DatabaseError>) {
    let Err(refused) = outcome else { panic!("it was done without permission") };
    assert_eq!(refused.fault, DatabaseFault::Passing, "{refused}");
    assert!(refused.detail.contains(&StoreError::Stale.to_string()), "{refused}");
}

/// Without permission nothing is made.
pub fn a_refused_creation_makes_nothing(subject: &dyn Subject) {
    let (databases, scope) = (subject.databases(), scope(subject, "acme"));
    assert_refused(databases.create(&scope, &taken_over));
    assert_eq!(presence(subject, &scope), Presence::Absent);
    assert!(databases.migrate(&scope).is_err() && subject.stores().open(&scope).is_err());
    sample::opened(&*databases, &*subject.stores(), &scope);
}

/// Without permission nothing is dropped.
pub fn a_refused_removal_drops_nothing(subject: &dyn Subject) {
    let (databases, (pool, _)) = (subject.databases(), ready_to_adopt(subject));
    assert_refused(databases.remove(&pool, &taken_over));
    assert_eq!(presence(subject, &pool), Presence::Own);
    assert!(is_furnished(subject, &pool));
    databases.remove(&pool, &permitted).expect("the database is dropped");
    assert_eq!(presence(subject, &pool), Presence::Absent);
}

/// Without permission nothing is adopted.
pub fn a_refused_adoption_moves_nothing(subject: &dyn Subject) {
    let (databases, (pool, tenant)) = (subject.databases(), ready_to_adopt(subject));
    assert_refused(databases.adopt(&pool, &tenant, &taken_over));
    assert_eq!((presence(subject, &pool), presence(subject, &tenant)), (Presence::Own, Presence::Absent));
    assert!(databases.adopt(&pool, &tenant, &permitted).expect("it is adopted"));
    assert!(is_furnished(subject, &tenant));
}

/// A worker that comes back after it was replaced and its work undone does not bring the database back, and one that comes
/// back after its work was done again does not drop it.
pub fn a_zombie_neither_brings_a_database_back_nor_drops_it(subject: &dyn Subject) {
    let (databases, scope) = (subject.databases(), scope(subject, "acme"));
    databases.create(&scope, &permitted).expect("the database is created");
    databases.remove(&scope, &permitted).expect("the heir undoes it");
    assert_refused(databases.create(&scope, &taken_over));
    assert_eq!(presence(subject, &scope), Presence::Absent);
    sample::opened(&*databases, &*subject.stores(), &scope);
    assert_refused(databases.remove(&scope, &taken_over));
    assert_eq!(presence(subject, &scope), Presence::Own);
}

/// Whatever makes, moves or drops a database asks first.
pub fn every_change_asks_first(subject: &dyn Subject) {
    let (databases, (pool, tenant)) = (subject.databases(), ready_to_adopt(subject));
    let other = scope(subject, "other");
    let asked = Cell::new(0);
    let permit = || {
        asked.set(asked.get() + 1);
        Ok(())
    };
    databases.adopt(&pool, &tenant, &permit).expect("it is adopted");
    assert!(asked.replace(0) > 0, "adopting asks");
    databases.create(&other, &permit).expect("the database is created");
    assert!(asked.replace(0) > 0, "creating asks");
    databases.remove(&other, &permit).expect("the database is dropped");
    assert!(asked.replace(0) > 0, "dropping asks");
}

/// Permission is asked for while nobody else can be given it for the same database.
pub fn permission_is_given_to_one_at_a_time(subject: &dyn Subject) {
    let scope = scope(subject, "acme");
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let permit = || {
        most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        // Room for somebody else to come in.
        for _ in 0..10_000 {
            std::thread::yield_now();
        }
        inside.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    };
    let outcomes: Vec<_> = std::thread::scope(|threads| {
        let workers: Vec<_> = [true, false, true, false]
            .map(|creates| {
                let (scope, permit) = (&scope, &permit);
                threads.spawn(move || match creates {
                    true => subject.databases().create(scope, permit),
                    false => subject.databases().remove(scope, permit),
                })
            })
            .into();
        workers.into_iter().map(|worker| worker.join().expect("no panic")).collect()
    });
    assert_eq!(most.load(Ordering::SeqCst), 1);
    assert!(outcomes.iter().any(Result::is_ok), "{outcomes:?}");
    let mut faults = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    assert!(faults.all(|error| error.fault == DatabaseFault::Passing), "who waits too long may come back");
}
