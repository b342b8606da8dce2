//! Facts about the event log.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::event::{EventType, EventTypePattern, NewEvent};
use tenantry_domain::id::AccountId;
use tenantry_ports::{
    AccountEvents, Constraint, Counts, Digest, EventFilter, LogEntry, LogHead, StoreError, StoreResult,
    TenantScope, TenantStore,
};

use crate::contract::{Subject, store};
use crate::{FakeDigest, sample};

type Store = Arc<dyn TenantStore>;

/// Appends so many entries in one unit of work.
fn append(store: &Store, scope: &TenantScope, count: usize) -> StoreResult<Vec<LogEntry>> {
    store.write(|tx| {
        let head = tx.log().lock()?;
        let entries = sample::log_entries(scope.tenant(), head, count);
        tx.log().append(&entries)?;
        Ok(entries)
    })
}

fn head(store: &Store) -> LogHead {
    store.write(|tx| tx.log().lock()).expect("the log is locked")
}

fn all(store: &Store) -> Vec<LogEntry> {
    store.read(|tx| tx.log().page(0, 100_000)).expect("the log is read")
}

/// Panics unless the sequence has no gap and every entry is chained to the one before.
fn check_chain(log: &[LogEntry]) {
    let mut head = LogHead::EMPTY;
    for entry in log {
        assert_eq!((entry.sequence, entry.previous), (head.sequence + 1, head.hash));
        let hash = FakeDigest.sha256(&tenantry_domain::event::chain_input(&head.hash, &entry.event));
        assert_eq!(entry.hash, hash, "entry {}", entry.sequence);
        head = LogHead { sequence: entry.sequence, hash };
    }
}

/// Before the first entry the head is the empty one, however often one looks.
pub fn a_new_log_is_empty(subject: &dyn Subject) {
    let (store, _) = store(subject);
    assert_eq!(head(&store), LogHead::EMPTY);
    assert_eq!(head(&store), LogHead::EMPTY);
    assert!(all(&store).is_empty());
}

/// Entries come back as they went in, and what is hashed of what comes back is what was hashed.
pub fn entries_are_read_back_whole(subject: &dyn Subject) {
    let (store, scope) = store(subject);
    let mut written = Vec::new();
    for count in [1, 3, 64] {
        written.extend(append(&store, &scope, count).expect("the entries are added"));
        let last = written.last().expect("there is one");
        assert_eq!(head(&store), LogHead { sequence: last.sequence, hash: last.hash });
    }
    let account = sample::id();
    store
        .write(|tx| {
            let head = tx.log().lock()?;
            let mut entries = sample::log_entries(scope.tenant(), head, 1);
            entries[0].event.account_id = Some(account);
            entries[0].event.meta.config_version = Some(tenantry_domain::config::ConfigVersion::FIRST.next());
            entries[0].hash =
                FakeDigest.sha256(&tenantry_domain::event::chain_input(&head.hash, &entries[0].event));
            tx.log().append(&entries)?;
            written.extend(entries);
            Ok::<_, StoreError>(())
        })
        .expect("the entry is added");
    let log = all(&store);
    assert_eq!(log, written);
    check_chain(&log);
}

/// Nothing to append is nothing to do.
pub fn appending_nothing_changes_nothing(subject: &dyn Subject) {
    let (store, scope) = store(subject);
    append(&store, &scope, 2).expect("the entries are added");
    let before = head(&store);
    append(&store, &scope, 0).expect("nothing is added");
    assert_eq!(head(&store), before);
}

/// A page begins after the entry named and ends at its limit.
pub fn pages_are_in_order(subject: &dyn Subject) {
    let (store, scope) = store(subject);
    let written = append(&store, &scope, 10).expect("the entries are added");
    let page = |after, limit| store.read(|tx| tx.log().page(after, limit)).expect("a page");
    assert_eq!(page(0, 4), written[..4]);
    assert_eq!(page(4, 4), written[4..8]);
    assert_eq!(page(8, 4), written[8..]);
    assert!(page(10, 4).is_empty() && page(i64::MAX, 4).is_empty());
}

/// The head is what was committed last, and looking at it waits for nobody.
pub fn the_head_can_be_looked_at_while_somebody_writes(subject: &dyn Subject) {
    let (store, scope) = store(subject);
    let look = || store.read(|tx| tx.log().head()).expect("the head is read");
    assert_eq!(look(), LogHead::EMPTY);
    let written = append(&store, &scope, 3).expect("the entries are added");
    let last = LogHead { sequence: 3, hash: written[2].hash };
    assert_eq!(look(), last);
    store
        .write(|tx| {
            let head = tx.log().lock()?;
            tx.log().append(&sample::log_entries(scope.tenant(), head, 1))?;
            assert_eq!(tx.log().head()?.sequence, 4, "one's own is seen");
            assert_eq!(look(), last, "what is not committed is not");
            Ok::<_, StoreError>(())
        })
        .expect("the unit of work commits");
    assert_eq!(look(), head(&store));
}

/// Entries are chosen by type and account, in order and within bounds, and found by their event.
pub fn entries_are_chosen_and_found(subject: &dyn Subject) {
    let (store, scope) = store(subject);
    let account = sample::id();
    let types =
        ["account.closed", "account_closed", "accounts.closed", "account.closed", "account.closed.twice"];
    let mut log = Vec::new();
    store
        .write(|tx| {
            let mut head = tx.log().lock()?;
            for (number, event_type) in types.into_iter().enumerate() {
                let mut entry = sample::log_entries(scope.tenant(), head, 1).remove(0);
                entry.event.event_type = EventType::new(event_type).expect("a type");
                entry.event.account_id = (number % 2 == 0).then_some(account);
                entry.hash =
                    FakeDigest.sha256(&tenantry_domain::event::chain_input(&head.hash, &entry.event));
                head = LogHead { sequence: entry.sequence, hash: entry.hash };
                log.push(entry);
            }
            tx.log().append(&log)
        })
        .expect("the entries are added");
    let chosen = |event_type: Option<&str>, account, after, through, limit| -> Vec<i64> {
        let event_type = event_type.map(|text| EventTypePattern::new(text).expect("a pattern"));
        let filter = EventFilter { event_type, account, tenant: None };
        let found = store.read(|tx| tx.log().select(&filter, after, through, limit)).expect("a selection");
        assert!(found.iter().all(|entry| log.contains(entry)), "{found:?}");
        found.iter().map(|entry| entry.sequence).collect()
    };
    assert_eq!(chosen(None, None, 0, 9, 9), [1, 2, 3, 4, 5]);
    assert_eq!(chosen(Some("*"), None, 1, 4, 9), [2, 3, 4]);
    assert_eq!(chosen(Some("account.closed"), None, 0, 9, 9), [1, 4]);
    assert_eq!(chosen(Some("account.*"), None, 0, 9, 9), [1, 4, 5]);
    assert_eq!(chosen(Some("account_*"), None, 0, 9, 9), [2], "an underscore is one");
    assert_eq!(chosen(Some("account*"), None, 0, 9, 2), [1, 2]);
    assert_eq!(chosen(None, Some(account), 1, 9, 9), [3, 5]);
    assert_eq!(chosen(Some("account.*"), Some(account), 0, 4, 9), [1]);
    assert_eq!(chosen(None, Some(sample::id()), 0, 9, 9), [0; 0]);
    let find = |id| store.read(|tx| tx.log().find(id)).expect("a look-up");
    assert_eq!(find(log[3].event.id).as_ref(), Some(&log[3]));
    assert_eq!(find(sample::id()), None);
}

/// Unread rows are what was written.
pub fn entries_can_be_read_as_they_stand(subject: &dyn Subject) {
    let (store, scope) = store(subject);
    let written = append(&store, &scope, 3).expect("the entries are added");
    let rows = store.read(|tx| tx.log().raw(1, 5)).expect("the rows are read");
    assert_eq!(rows.len(), 2);
    for (row, entry) in rows.iter().zip(&written[1..]) {
        let event = &entry.event;
        assert_eq!((row.sequence, &row.id), (entry.sequence, &event.id.to_string()));
        assert_eq!((row.event_type.as_str(), &row.account_id), (event.event_type.as_str(), &None));
        assert_eq!((row.previous.as_slice(), row.hash.as_slice()), (&entry.previous[..], &entry.hash[..]));
        let envelope: serde_json::Value = serde_json::from_str(&row.envelope).expect("an envelope");
        assert_eq!(envelope, serde_json::to_value(event).expect("an event is JSON"));
    }
}

/// Entries that do not continue the log are refused: a number that is taken, a gap, a gap between two of them, or
/// another predecessor.
pub fn entries_that_do_not_continue_the_log_are_refused(subject: &dyn Subject) {
    let (store, scope) = store(subject);
    let written = append(&store, &scope, 2).expect("the entries are added");
    let head = head(&store);
    let next = |count| sample::log_entries(scope.tenant(), head, count);

    let taken = sample::log_entries(scope.tenant(), LogHead { sequence: 1, ..head }, 1);
    let ahead = sample::log_entries(scope.tenant(), LogHead { sequence: 3, ..head }, 1);
    let estranged = sample::log_entries(scope.tenant(), LogHead { hash: [7; 32], ..head }, 1);
    let mut torn = next(3);
    torn.remove(1);
    for wrong in [taken, ahead, estranged, torn] {
        let outcome = store.write(|tx| {
            tx.log().lock()?;
            tx.log().append(&wrong)
        });
        let refused =
            matches!(outcome, Err(StoreError::Stale | StoreError::Conflict(Constraint::LogSequence)));
        assert!(refused, "{outcome:?}");
    }
    assert_eq!(all(&store), written);
}

/// What was rolled back leaves no gap.
pub fn a_rolled_back_entry_leaves_no_gap(subject: &dyn Subject) {
    let (store, scope) = store(subject);
    append(&store, &scope, 1).expect("the entry is added");
    let outcome: Result<(), StoreError> = store.write(|tx| {
        let head = tx.log().lock()?;
        tx.log().append(&sample::log_entries(scope.tenant(), head, 3))?;
        Err(StoreError::Stale)
    });
    assert!(outcome.is_err());
    append(&store, &scope, 1).expect("the entry is added");
    let log = all(&store);
    assert_eq!(log.len(), 2);
    check_chain(&log);
}

/// The lock puts writers in line: what many append at once becomes one unbroken chain.
pub fn concurrent_appends_make_one_chain(subject: &dyn Subject) {
    const THREADS: usize = 16;
    const UNITS: usize = 4;
    let (store, scope) = store(subject);
    std::thread::scope(|threads| {
        for thread in 0..THREADS {
            let (store, scope) = (&store, &scope);
            threads.spawn(move || {
                for unit in 0..UNITS {
                    append(store, scope, 1 + (thread + unit) % 3).expect("the entries are added");
                }
            });
        }
    });
    let expected: usize =
        (0..THREADS).flat_map(|thread| (0..UNITS).map(move |unit| 1 + (thread + unit) % 3)).sum();
    let log = all(&store);
    assert_eq!(log.len(), expected);
    check_chain(&log);
}

/// The counts are those of what is stored: with what was removed and rolled back left out, and of configs the ids alone.
pub fn counts_are_those_of_what_is_stored(subject: &dyn Subject) {
    let (store, scope) = store(subject);
    let counts = || {
        let alone = store.read(|tx| tx.log().counts()).expect("the counts are read");
        let (_, locked) = store.write(|tx| tx.log().lock_and_count()).expect("the log is locked");
        assert_eq!(locked, alone);
        let accounts = store.read(|tx| tx.accounts().count()).expect("the accounts are counted");
        assert_eq!(alone.accounts, accounts);
        alone
    };
    assert_eq!(counts(), Counts::default());
    let config = sample::stored_config("25k-eval-v1", 1);
    let accounts = |count| -> Vec<_> {
        std::iter::repeat_with(|| sample::account_of(scope.tenant(), &config)).take(count).collect()
    };
    store
        .write(|tx| {
            tx.configs().insert(&config)?;
            tx.configs().insert(&sample::stored_config("25k-eval-v1", 2))?;
            tx.configs().insert(&sample::stored_config("50k-eval-v1", 1))?;
            tx.accounts().insert(&accounts(1))?;
            tx.accounts().insert(&accounts(64))?;
            tx.users().insert(&sample::user("ann"), "hash")
        })
        .expect("the unit of work commits");
    assert_eq!(counts(), Counts { accounts: 65, users: 1, configs: 2 });
    let outcome: Result<(), StoreError> = store.write(|tx| {
        tx.accounts().insert(&accounts(3))?;
        let (_, counts) = tx.log().lock_and_count()?;
        assert_eq!(counts.accounts, 68, "what this unit of work did before is in it");
        Err(StoreError::Stale)
    });
    assert!(outcome.is_err());
    assert_eq!(counts(), Counts { accounts: 65, users: 1, configs: 2 });
    store.write(|tx| tx.configs().clear()).expect("the configs are removed");
    assert_eq!(counts(), Counts { accounts: 65, users: 1, configs: 0 });
}

/// What is read after the lock stays true until the end: counting under it never counts too few.
pub fn what_is_read_under_the_lock_stays_true(subject: &dyn Subject) {
    const LIMIT: u64 = 10;
    let (store, scope) = store(subject);
    let config = sample::stored_config("25k-eval-v1", 1);
    store.write(|tx| tx.configs().insert(&config)).expect("the config is added");
    std::thread::scope(|threads| {
        for _ in 0..8 {
            let (store, config, tenant) = (&store, &config, scope.tenant());
            threads.spawn(move || {
                for _ in 0..4 {
                    let account = sample::account_of(tenant, config);
                    store
                        .write(|tx| {
                            let (head, counts) = tx.log().lock_and_count()?;
                            if counts.accounts < LIMIT {
                                tx.accounts().insert(&[account])?;
                                tx.log().append(&sample::log_entries(tenant, head, 1))?;
                            }
                            Ok::<_, StoreError>(())
                        })
                        .expect("the unit of work commits");
                }
            });
        }
    });
    let count = store.read(|tx| tx.accounts().count()).expect("a count");
    assert_eq!((count, all(&store).len() as u64), (LIMIT, LIMIT));
}

/// Nor of people: of many who want the last places for them at once, as many get one as there are.
pub fn people_get_as_many_places_as_there_are(subject: &dyn Subject) {
    const LIMIT: u64 = 5;
    let (store, scope) = store(subject);
    let let_in: usize = std::thread::scope(|threads| {
        let registrars: Vec<_> = (0..8)
            .map(|registrar| {
                let (store, tenant) = (&store, scope.tenant());
                threads.spawn(move || {
                    let mut let_in = 0;
                    for number in 0..3 {
                        let user = sample::user(&format!("user-{registrar}-{number}"));
                        let registered = store.write(|tx| {
                            let (head, counts) = tx.log().lock_and_count()?;
                            if counts.users == LIMIT {
                                return Ok::<_, StoreError>(false);
                            }
                            tx.users().insert(&user, "$argon2id$hash")?;
                            tx.log().append(&sample::log_entries(tenant, head, 1))?;
                            Ok(true)
                        });
                        let_in += usize::from(registered.expect("the unit of work commits"));
                    }
                    let_in
                })
            })
            .collect();
        registrars.into_iter().map(|registrar| registrar.join().expect("it goes on")).sum()
    });
    let people = store.read(|tx| tx.users().page(None, 100)).expect("a page of people");
    assert_eq!((let_in as u64, people.len() as u64), (LIMIT, LIMIT));
}

/// Appends one entry per account, type and time.
fn happen(
    store: &Store,
    scope: &TenantScope,
    events: &[(Option<AccountId>, &str, DateTime<Utc>)],
) -> Vec<LogEntry> {
    let appended = store.write(|tx| {
        let mut head = tx.log().lock()?;
        let mut entries = Vec::new();
        for (account, event_type, at) in events {
            let mut event = NewEvent::new(event_type.parse().expect("a type"), sample::json_object().into());
            event.account_id = *account;
            let event = event.seal(sample::id(), scope.tenant(), *at, "trace");
            let hash = FakeDigest.sha256(&tenantry_domain::event::chain_input(&head.hash, &event));
            entries.push(LogEntry { sequence: head.sequence + 1, event, previous: head.hash, hash });
            head = LogHead { sequence: head.sequence + 1, hash };
        }
        tx.log().append(&entries)?;
        Ok::<_, StoreError>(entries)
    });
    appended.expect("the entries are added")
}

fn of_account(store: &Store, filter: &AccountEvents, before: Option<i64>, limit: usize) -> Vec<LogEntry> {
    store.read(|tx| tx.log().of_account(filter, before, limit)).expect("the log is read")
}

/// Only what happened to the account, page by page, back to the first.
pub fn what_happened_to_an_account_is_listed_newest_first(subject: &dyn Subject) {
    let (store, scope) = store(subject);
    let (one, other): (AccountId, AccountId) = (sample::id(), sample::id());
    let closed = EventType::ACCOUNT_CLOSED;
    let wanted: Vec<_> =
        (0..30).map(|n| ([Some(one), Some(other), None][n % 3], closed.as_str(), sample::now())).collect();
    let written = happen(&store, &scope, &wanted);
    let filter = AccountEvents { account: one, from: None, until: None, types: None };
    let mut expected: Vec<_> =
        written.into_iter().filter(|entry| entry.event.account_id == Some(one)).collect();
    expected.reverse();
    for limit in [1, 4, 10, 50] {
        let mut seen: Vec<LogEntry> = Vec::new();
        loop {
            let page = of_account(&store, &filter, seen.last().map(|entry| entry.sequence), limit);
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            seen.extend(page);
            assert!(seen.len() <= expected.len(), "pages repeat themselves");
        }
        assert_eq!(seen, expected, "in pages of {limit}");
    }
    let nobody = AccountEvents { account: sample::id(), ..filter };
    assert!(of_account(&store, &nobody, None, 10).is_empty());
}

/// By time, to the millisecond, from its first moment to before its last; and by type, one or those that begin alike, whatever
/// means something else in a pattern.
pub fn what_happened_to_an_account_is_filtered(subject: &dyn Subject) {
    let (store, scope) = store(subject);
    let account: AccountId = sample::id();
    // At whole milliseconds: 123 ms, 124 ms and so on.
    let at = |millis: i64| sample::now() + TimeDelta::milliseconds(millis);
    let types = [
        "account.closed",
        "account.updated",
        "rule.violation.daily_loss",
        "rule.violation.dailyxloss",
        "rules.x",
    ];
    let events: Vec<_> = (0..20)
        .map(|n| (Some(account), types[n % types.len()], at(i64::try_from(n).unwrap_or_default())))
        .collect();
    let written = happen(&store, &scope, &events);
    let stray = TimeDelta::microseconds(1);
    let whole = |millis| tenantry_domain::timestamp::whole_millis(at(millis));
    let times = [
        (None, None),
        (Some(whole(3)), None),
        (Some(whole(3) + stray), None),
        (None, Some(whole(7))),
        (None, Some(whole(7) - stray)),
        (Some(whole(3)), Some(whole(3))),
        (Some(whole(3)), Some(whole(4))),
    ];
    let patterns =
        [None, Some("*"), Some("account.updated"), Some("account.*"), Some("rule.*"), Some("rule*")];
    let patterns =
        patterns.into_iter().chain([Some("rule.violation.daily_*"), Some("account.u"), Some("a%")]);
    let mut found = 0;
    for pattern in patterns {
        let Ok(types) = pattern.map(str::parse).transpose() else { continue };
        for (from, until) in times {
            let filter = AccountEvents { account, from, until, types: types.clone() };
            let passes = |entry: &LogEntry| {
                let event = &entry.event;
                from.is_none_or(|from| event.timestamp >= from)
                    && until.is_none_or(|until| event.timestamp < until)
                    && filter.types.as_ref().is_none_or(|types| types.matches(&event.event_type))
            };
            let mut expected: Vec<_> = written.iter().filter(|entry| passes(entry)).cloned().collect();
            expected.reverse();
            assert_eq!(of_account(&store, &filter, None, 100), expected, "{filter:?}");
            found += expected.len();
        }
    }
    assert!(found > 100, "the filters were given something to find");
}
