//! Facts about the platform's own event log.

use std::sync::Arc;

use tenantry_domain::event::{EventTypePattern, chain_input};
use tenantry_domain::id::TenantId;
use tenantry_ports::{ControlStore, Digest as _, EventFilter, LogEntry, LogHead, StoreError};

use crate::contract::Subject;
use crate::{FakeDigest, sample};

fn append(store: &Arc<dyn ControlStore>, about: Option<TenantId>, count: usize) -> Vec<LogEntry> {
    let appended = store.write(|tx| {
        let head = tx.log().lock()?;
        let entries = sample::log_entries(about, head, count);
        tx.log().append(&entries)?;
        Ok::<_, StoreError>(entries)
    });
    appended.expect("the entries are added")
}

fn all(store: &Arc<dyn ControlStore>) -> Vec<LogEntry> {
    store.read(|tx| tx.log().page(0, 100_000)).expect("the log is read")
}

/// Panics unless the sequence has no gap and every entry is chained to the one before, up to the head.
fn check_chain(store: &Arc<dyn ControlStore>) {
    let mut head = LogHead::EMPTY;
    for entry in all(store) {
        assert_eq!((entry.sequence, entry.previous), (head.sequence + 1, head.hash));
        let hash = FakeDigest.sha256(&chain_input(&head.hash, &entry.event));
        assert_eq!(entry.hash, hash, "entry {}", entry.sequence);
        head = LogHead { sequence: entry.sequence, hash };
    }
    assert_eq!(store.read(|tx| tx.log().head()).expect("the head is read"), head);
}

/// It begins empty; what is added is read back as it was, in its place, whether or not it is about a tenant.
pub fn the_platform_has_a_log_of_its_own(subject: &dyn Subject) {
    let store = subject.control();
    assert_eq!(store.read(|tx| tx.log().head()).expect("the head is read"), LogHead::EMPTY);
    let mut written = append(&store, Some(sample::id()), 2);
    written.extend(append(&store, None, 1));
    assert_eq!(all(&store), written);
    check_chain(&store);
    let last = &written[2];
    assert_eq!(store.read(|tx| tx.log().find(last.event.id)).expect("a look-up").as_ref(), Some(last));
    let rows = store.read(|tx| tx.log().raw(1, 5)).expect("the rows are read");
    let ids: Vec<_> = rows.into_iter().map(|row| row.id).collect();
    assert_eq!(ids, [written[1].event.id.to_string(), last.event.id.to_string()]);
}

/// Entries are chosen by the tenant that they are about, and by type.
pub fn entries_are_chosen_by_tenant(subject: &dyn Subject) {
    let store = subject.control();
    let (one, other) = (sample::id(), sample::id());
    for about in [Some(one), None, Some(other), Some(one)] {
        append(&store, about, 1);
    }
    let chosen = |tenant, event_type: &str, after| -> Vec<i64> {
        let event_type = Some(EventTypePattern::new(event_type).expect("a pattern"));
        let filter = EventFilter { event_type, tenant, account: None };
        let found = store.read(|tx| tx.log().select(&filter, after, 9, 9)).expect("a selection");
        found.iter().map(|entry| entry.sequence).collect()
    };
    assert_eq!(chosen(None, "*", 0), [1, 2, 3, 4]);
    assert_eq!(chosen(Some(one), "*", 0), [1, 4]);
    assert_eq!(chosen(Some(one), "*", 1), [4]);
    assert_eq!(chosen(Some(other), "*", 0), [3]);
    assert_eq!(chosen(Some(other), "nothing.*", 0), [0; 0]);
    assert_eq!(chosen(Some(sample::id()), "*", 0), [0; 0]);
}

/// What is rolled back leaves neither the change nor its entry, and no gap.
pub fn an_entry_is_kept_with_its_change_or_not_at_all(subject: &dyn Subject) {
    let store = subject.control();
    let tenant = sample::tenant("acme");
    append(&store, None, 1);
    let change = |verdict: Result<(), StoreError>| {
        store.write(|tx| {
            tx.tenants().insert(&tenant)?;
            let head = tx.log().lock()?;
            tx.log().append(&sample::log_entries(Some(tenant.id), head, 1))?;
            verdict
        })
    };
    assert!(change(Err(StoreError::Stale)).is_err());
    let found = || store.read(|tx| tx.tenants().get(tenant.id)).expect("a look-up").is_some();
    assert_eq!((all(&store).len(), found()), (1, false));
    change(Ok(())).expect("the unit of work commits");
    assert_eq!((all(&store).len(), found()), (2, true));
    check_chain(&store);
}

/// The lock puts writers in line, wherever in their unit of work they come to it: what many append at once is one chain.
pub fn concurrent_units_of_work_make_one_chain(subject: &dyn Subject) {
    const THREADS: usize = 8;
    const UNITS: usize = 4;
    let store = subject.control();
    std::thread::scope(|threads| {
        for thread in 0..THREADS {
            let store = &store;
            threads.spawn(move || {
                for unit in 0..UNITS {
                    let tenant = sample::tenant(&format!("tenant-{thread}-{unit}"));
                    let done = store.write(|tx| {
                        tx.tenants().insert(&tenant)?;
                        let head = tx.log().lock()?;
                        tx.log().append(&sample::log_entries(Some(tenant.id), head, 1 + unit % 2))
                    });
                    done.expect("the unit of work commits");
                }
            });
        }
    });
    assert_eq!(all(&store).len(), THREADS * UNITS * 3 / 2);
    check_chain(&store);
}
