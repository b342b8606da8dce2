//! Whether a log is what was written: whoever changes it is found out.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use tenantry_domain::event::{Event, chain_input};
use tenantry_ports::{Digest as _, LogHead, RawEntry, SignedHead, TenantScope};
use tenantry_testkit::{FakeDigest, LogRows, TestPlatform, sample};
use tenantry_usecases::Log;
use tenantry_usecases::audit::{self, Audit, Flaw, KEPT, Statement, What, verify};

use support::active;

/// Writes so many more entries.
fn write(test: &TestPlatform, scope: &TenantScope, count: usize) {
    let store = test.platform.stores.open(scope).unwrap();
    store
        .write(|tx| {
            let head = tx.log().lock()?;
            tx.log().append(&sample::log_entries(scope.tenant(), head, count))
        })
        .unwrap();
}

fn look(test: &TestPlatform, scope: &TenantScope, others: &[SignedHead]) -> Audit {
    verify(&test.platform, &Log::Tenant(scope.clone()), others).unwrap()
}

fn flaw(test: &TestPlatform, scope: &TenantScope) -> Option<(i64, What)> {
    look(test, scope, &[]).flaw.map(|Flaw { sequence, what, .. }| (sequence, what))
}

/// A log of 1,200 entries, of whose first 700 there is a statement.
fn kept() -> (TestPlatform, TenantScope, Statement) {
    let test = TestPlatform::new();
    let scope = active(&test);
    let store = test.platform.stores.open(&scope).unwrap();
    let head = store.read(|tx| tx.log().head()).unwrap().sequence;
    write(&test, &scope, usize::try_from(700 - head).unwrap());
    let signed = audit::sign_moved(&test.platform, &[Some(scope.tenant())]).unwrap();
    write(&test, &scope, 500);
    (test, scope, signed[0])
}

#[test]
fn a_log_that_nobody_touched_is_whole() {
    let (test, scope, statement) = kept();
    let audit = look(&test, &scope, &[]);
    assert_eq!((audit.entries, audit.statements, audit.flaw), (1200, 1, None));
    assert_eq!((statement.0.head.sequence, audit.head.sequence), (700, 1200));
    let another = audit::sign(&test.platform, &Log::Tenant(scope.clone())).unwrap();
    assert_eq!(look(&test, &scope, &[another.0, statement.0]).statements, 3);
    assert_eq!(look(&test, &scope, &[another.0]).flaw, None);
}

/// Has this done to the log.
fn tamper(test: &TestPlatform, scope: &TenantScope, with: impl FnOnce(&mut LogRows)) {
    test.world.tamper(scope, with).unwrap();
}

fn hash_of(log: &LogRows, sequence: i64) -> [u8; 32] {
    log.rows[&sequence].hash.as_slice().try_into().unwrap()
}

/// Cuts the log off after this entry and leaves no trace of it.
fn cut(log: &mut LogRows, last: i64) {
    log.head = LogHead { sequence: last, hash: hash_of(log, last) };
    log.rows.split_off(&(last + 1));
}

/// What somebody does to a log.
type Deed = fn(&mut LogRows);

#[test]
fn what_was_done_to_a_log_is_found_and_the_first_bad_entry_named() {
    fn edit(log: &mut LogRows, with: impl FnOnce(&mut RawEntry)) {
        with(log.rows.get_mut(&600).unwrap());
    }
    fn envelope(log: &mut LogRows, from: &str, to: &str) {
        edit(log, |row| {
            let changed = row.envelope.replacen(from, to, 1);
            assert_ne!(changed, row.envelope);
            row.envelope = changed;
        });
    }
    let deeds: [(&str, Deed, i64, What); 12] = [
        ("a fact", |log| envelope(log, "trace-1", "trace-2"), 600, What::Altered),
        ("a member more", |log| envelope(log, "{", "{\"also\":1,"), 600, What::Altered),
        ("half of it", |log| edit(log, |row| row.envelope.truncate(9)), 600, What::Altered),
        ("its hash", |log| edit(log, |row| row.hash[0] ^= 1), 600, What::Altered),
        ("its link", |log| edit(log, |row| row.previous[0] ^= 1), 600, What::Unchained),
        ("its type", |log| edit(log, |row| row.event_type = "x".to_owned()), 600, What::Mislabelled),
        ("its account", |log| edit(log, |row| row.account_id = Some("x".to_owned())), 600, What::Mislabelled),
        ("removed", |log| drop(log.rows.remove(&600)), 600, What::Missing),
        ("the first removed", |log| drop(log.rows.remove(&1)), 1, What::Missing),
        ("the last removed", |log| drop(log.rows.remove(&1200)), 1200, What::Missing),
        ("the head", |log| log.head.hash[0] ^= 1, 1200, What::Beheaded),
        (
            "the head put back",
            |log| log.head = LogHead { sequence: 1199, hash: hash_of(log, 1199) },
            1200,
            What::Stray,
        ),
    ];
    for (deed, with, sequence, what) in deeds {
        let (test, scope, _) = kept();
        tamper(&test, &scope, with);
        assert_eq!(flaw(&test, &scope), Some((sequence, what)), "{deed}");
    }
}

#[test]
fn the_bad_entry_is_named_by_its_event() {
    let (test, scope, _) = kept();
    let mut id = String::new();
    tamper(&test, &scope, |log| {
        let (one, mut other) = (log.rows[&600].clone(), log.rows[&601].clone());
        id = other.id.clone();
        log.rows.insert(601, one);
        other.sequence = 600;
        log.rows.insert(600, other);
    });
    let expected = Flaw { sequence: 600, event: Some(id), what: What::Unchained };
    assert_eq!(look(&test, &scope, &[]).flaw, Some(expected), "two were swapped");
}

#[test]
fn an_end_that_was_cut_off_neatly_is_found_by_what_was_signed() {
    let (test, scope, _) = kept();
    let later = audit::sign(&test.platform, &Log::Tenant(scope.clone())).unwrap();
    tamper(&test, &scope, |log| cut(log, 900));
    assert_eq!(flaw(&test, &scope), None, "nothing in the database knows of it");
    let found = look(&test, &scope, &[later.0]).flaw.unwrap();
    assert_eq!((found.sequence, found.event, found.what), (901, None, What::CutOff));
    tamper(&test, &scope, |log| cut(log, 650));
    assert_eq!(flaw(&test, &scope), Some((651, What::CutOff)));
}

#[test]
fn a_log_that_was_written_anew_chain_and_all_is_found_by_what_was_signed() {
    let (test, scope, _) = kept();
    tamper(&test, &scope, |log| {
        let mut previous = hash_of(log, 499);
        for row in log.rows.range_mut(500..).map(|(_, row)| row) {
            row.envelope = row.envelope.replace("trace-1", "trace-2");
            row.previous = previous.to_vec();
            let event: Event = serde_json::from_str(&row.envelope).unwrap();
            previous = FakeDigest.sha256(&chain_input(&previous, &event));
            row.hash = previous.to_vec();
        }
        log.head.hash = previous;
    });
    assert_eq!(flaw(&test, &scope), Some((700, What::Rewritten)));
}

#[test]
fn a_statement_that_was_changed_proves_nothing_and_is_found() {
    let (test, scope, statement) = kept();
    let forged = SignedHead { head: LogHead { sequence: 5000, ..statement.0.head }, ..statement.0 };
    let found = look(&test, &scope, &[forged]).flaw.unwrap();
    assert_eq!((found.sequence, found.what), (5000, What::Forged));
    let elsewhere = SignedHead { tenant: Some(sample::id()), ..statement.0 };
    assert_eq!(look(&test, &scope, &[elsewhere]).flaw, None, "it is about another log");
}

#[test]
fn kept_statements_of_a_secret_key_that_is_gone_are_told_of_and_say_nothing() {
    let (test, scope, statement) = kept();
    let foreign = SignedHead { head: LogHead { sequence: 900, hash: [1; 32] }, mac: [1; 32], ..statement.0 };
    test.platform.control.write(|tx| tx.heads().add(&[foreign], KEPT)).unwrap();
    let audit = look(&test, &scope, &[]);
    assert_eq!((audit.statements, audit.unknown, audit.flaw), (1, 1, None));
}

#[test]
fn quiet_logs_are_not_signed_again_and_only_so_many_statements_are_kept() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let sign = || audit::sign_moved(&test.platform, &[Some(scope.tenant()), Some(sample::id())]).unwrap();
    assert_eq!(sign().len(), 0, "nothing has happened");
    write(&test, &scope, 1);
    assert_eq!((sign().len(), sign().len()), (1, 0));
    for _ in 0..=KEPT {
        write(&test, &scope, 1);
        assert_eq!(sign().len(), 1);
    }
    let kept = test.platform.control.read(|tx| tx.heads().of(Some(scope.tenant()))).unwrap();
    assert_eq!(kept.len(), KEPT);
    assert_eq!(flaw(&test, &scope), None);
}

/// The platform's own log, of keys that were made, with a statement of how far it had come.
fn platform_kept() -> (TestPlatform, Statement) {
    let test = TestPlatform::new();
    let write = || {
        test.platform.control.write(|tx| {
            let head = tx.log().lock()?;
            tx.log().append(&sample::log_entries(None, head, 10))
        })
    };
    write().unwrap();
    let signed = audit::sign_moved(&test.platform, &[None]).unwrap();
    write().unwrap();
    (test, signed[0])
}

#[test]
fn the_platforms_log_is_looked_at_like_any_other() {
    let (test, statement) = platform_kept();
    let look = || verify(&test.platform, &Log::Platform, &[statement.0]).unwrap();
    let audit = look();
    assert_eq!((audit.entries, audit.statements, audit.flaw), (20, 2, None));
    let elsewhere = SignedHead { tenant: Some(sample::id()), ..statement.0 };
    assert_eq!(verify(&test.platform, &Log::Platform, &[elsewhere]).unwrap().statements, 1);
    test.world.control().tamper(|log| cut(log, 15));
    assert_eq!(look().flaw, None, "nothing knows of it");
    test.world.control().tamper(|log| cut(log, 8));
    assert_eq!(look().flaw.map(|flaw| (flaw.sequence, flaw.what)), Some((9, What::CutOff)));
}

#[test]
fn a_tenants_statement_does_not_pass_for_the_platforms() {
    let (test, statement) = platform_kept();
    let scope = active(&test);
    let forged = SignedHead { tenant: Some(scope.tenant()), ..statement.0 };
    let found = look(&test, &scope, &[forged]).flaw.map(|flaw| flaw.what);
    assert_eq!(found, Some(What::Forged));
}
