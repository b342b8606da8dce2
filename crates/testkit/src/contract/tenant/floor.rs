//! Facts about the beginning of the event log, which its database's owner may move.

use std::sync::{Arc, Barrier};
use std::thread;

use tenantry_ports::{LogEntry, LogFloor, LogHead, LogSpan, StoreError, StoreResult, TenantStore};

use crate::contract::{Subject, store};
use crate::sample;

type Store = Arc<dyn TenantStore>;

/// The tenant's own view of a log with so many entries, its owner's, and the entries.
fn with_entries(subject: &dyn Subject, count: usize) -> (Store, Store, Vec<LogEntry>) {
    let (store, scope) = store(subject);
    let entries = store.write::<_, StoreError>(|tx| {
        let head = tx.log().lock()?;
        let entries = sample::log_entries(scope.tenant(), head, count);
        tx.log().append(&entries)?;
        Ok(entries)
    });
    let owner = subject.databases().as_owner(&scope).expect("the owner enters");
    (store, owner, entries.expect("the entries are appended"))
}

/// The floor after this entry.
fn after(entry: &LogEntry) -> LogFloor {
    let head = LogHead { sequence: entry.sequence, hash: entry.hash };
    LogFloor { head, at: sample::at(entry.sequence), mac: [7; 32] }
}

fn raise(owner: &Store, floor: &LogFloor) -> StoreResult<usize> {
    owner.write(|tx| {
        tx.log().lock()?;
        tx.floor().raise(floor)
    })
}

fn begin(owner: &Store, floor: &LogFloor) -> StoreResult<()> {
    owner.write(|tx| {
        tx.log().lock()?;
        tx.floor().begin(floor)
    })
}

fn floor(store: &Store) -> Option<LogFloor> {
    store.read(|tx| tx.floor().get()).expect("a look")
}

fn span(store: &Store) -> LogSpan {
    store.read(|tx| tx.floor().span()).expect("a look")
}

fn all(store: &Store) -> Vec<LogEntry> {
    store.read(|tx| tx.log().page(0, 1_000)).expect("the log is read")
}

/// Nothing is let go of by itself.
pub fn a_log_begins_at_its_beginning(subject: &dyn Subject) {
    let (store, owner, entries) = with_entries(subject, 3);
    let head = LogHead { sequence: 3, hash: entries[2].hash };
    for store in [store, owner] {
        assert_eq!((floor(&store), span(&store)), (None, LogSpan { floor: 0, head }));
    }
}

/// The beginning goes, the rest stays as it is and goes on as it would have.
pub fn a_raised_floor_lets_go_of_what_is_below(subject: &dyn Subject) {
    let (store, owner, entries) = with_entries(subject, 10);
    assert_eq!(raise(&owner, &after(&entries[2])).expect("it is raised"), 3);
    assert_eq!(floor(&store), Some(after(&entries[2])));
    assert_eq!(all(&store), entries[3..]);
    for (entry, is_there) in [(&entries[2], false), (&entries[3], true)] {
        let found = store.read(|tx| tx.log().find(entry.event.id)).expect("a look-up");
        assert_eq!(found.is_some(), is_there);
    }
    assert_eq!(raise(&owner, &after(&entries[7])).expect("it is raised"), 5);
    let head = LogHead { sequence: 10, hash: entries[9].hash };
    assert_eq!(span(&store), LogSpan { floor: 8, head });
    let more = sample::log_entries(entries[0].event.tenant_id, head, 2);
    let appended = store.write(|tx| {
        tx.log().lock()?;
        tx.log().append(&more)
    });
    appended.expect("the log goes on");
    assert_eq!(all(&store), [&entries[8..], &more].concat());
}

/// It says where the log begins, or nothing is changed: a floor never sinks, and an end stays.
pub fn a_floor_that_cannot_be_is_refused(subject: &dyn Subject) {
    let (store, owner, entries) = with_entries(subject, 5);
    raise(&owner, &after(&entries[2])).expect("it is raised");
    let other = |floor: LogFloor| LogFloor { head: LogHead { hash: [9; 32], ..floor.head }, ..floor };
    let beyond = LogHead { sequence: 6, ..after(&entries[3]).head };
    for wrong in [
        after(&entries[1]),
        other(after(&entries[2])),
        other(after(&entries[3])),
        after(&entries[4]),
        LogFloor { head: beyond, ..after(&entries[3]) },
    ] {
        assert!(matches!(raise(&owner, &wrong), Err(StoreError::Stale)), "{wrong:?}");
        assert_eq!((floor(&store), all(&store)), (Some(after(&entries[2])), entries[3..].to_vec()));
    }
}

/// The same floor may be said again, signed anew perhaps.
pub fn a_floor_is_replaced_in_its_place(subject: &dyn Subject) {
    let (store, owner, entries) = with_entries(subject, 5);
    let first = after(&entries[2]);
    assert_eq!(raise(&owner, &first).expect("it is raised"), 3);
    assert_eq!(raise(&owner, &first).expect("nothing is done"), 0);
    let anew = LogFloor { at: sample::at(99), mac: [1; 32], ..first };
    assert_eq!(raise(&owner, &anew).expect("it is replaced"), 0);
    assert_eq!((floor(&store), all(&store)), (Some(anew), entries[3..].to_vec()));
}

/// Entries and floor are one.
pub fn a_floor_that_is_rolled_back_has_removed_nothing(subject: &dyn Subject) {
    let (store, owner, entries) = with_entries(subject, 5);
    let failed = owner.write(|tx| {
        tx.log().lock()?;
        tx.floor().raise(&after(&entries[2]))?;
        Err::<(), _>(StoreError::Stale)
    });
    assert!(failed.is_err());
    assert_eq!((floor(&store), all(&store)), (None, entries));
}

/// Whoever comes second finds it done.
pub fn of_two_who_raise_a_floor_at_once_one_removes(subject: &dyn Subject) {
    let (store, owner, entries) = with_entries(subject, 50);
    let (scope_of_all, barrier) = (after(&entries[39]), Barrier::new(2));
    let removed: usize = thread::scope(|threads| {
        let raise = || {
            barrier.wait();
            raise(&owner, &scope_of_all).expect("it is raised")
        };
        let both = [threads.spawn(raise), threads.spawn(raise)];
        both.map(|thread| thread.join().expect("it ends")).into_iter().sum()
    });
    assert_eq!((removed, all(&store)), (40, entries[40..].to_vec()));
}

/// What was another log's beginning can be let go of from the start; what has a beginning keeps it.
pub fn an_empty_log_goes_on_after_a_floor(subject: &dyn Subject) {
    let (_, _, elsewhere) = with_entries(subject, 3);
    let scope = crate::contract::scope(subject, "moved");
    let store = sample::opened(&*subject.databases(), &*subject.stores(), &scope);
    let owner = subject.databases().as_owner(&scope).expect("the owner enters");
    let place = after(&elsewhere[1]);
    for _ in 0..2 {
        begin(&owner, &place).expect("it begins there");
        assert_eq!(span(&store), LogSpan { floor: 2, head: place.head });
    }
    assert!(matches!(begin(&owner, &after(&elsewhere[0])), Err(StoreError::Stale)));
    let appended = store.write(|tx| {
        assert_eq!(tx.log().lock()?, place.head);
        tx.log().append(&elsewhere[2..])
    });
    appended.expect("the log goes on");
    assert_eq!((all(&store), floor(&store)), (elsewhere[2..].to_vec(), Some(place)));
    assert!(matches!(begin(&owner, &place), Err(StoreError::Stale)));
}
