//! Facts about first answers.

use std::sync::{Arc, Barrier};

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_ports::{Constraint, StoreResult, StoredResponse, TenantStore};

use crate::contract::{Subject, conflict, store};
use crate::sample;

type Store = Arc<dyn TenantStore>;

const MOMENT: TimeDelta = TimeDelta::microseconds(1);

fn keep(store: &Store, responses: &[StoredResponse], since: DateTime<Utc>) -> StoreResult<()> {
    store.write(|tx| tx.idempotency().insert(responses, since))
}

fn find(store: &Store, scopes: &[&str], since: DateTime<Utc>) -> Vec<StoredResponse> {
    let mut found = store.read(|tx| tx.idempotency().find(scopes, since)).expect("a look-up");
    found.sort_unstable_by(|a, b| a.key.scope.cmp(&b.key.scope));
    found
}

/// An answer comes back byte for byte, an empty one too.
pub fn an_answer_is_read_back_whole(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let mut odd = sample::response(&format!("key:{}:POST", sample::ODD_TEXT));
    odd.body = (0..=255).collect();
    let empty = StoredResponse { status: 599, body: Vec::new(), ..sample::response("empty") };
    keep(&store, &[odd.clone(), empty.clone()], sample::now()).expect("the answers are kept");
    assert_eq!(find(&store, &[&odd.key.scope], sample::now()), [odd]);
    assert_eq!(find(&store, &["empty"], sample::now()), [empty]);
}

/// Several scopes are asked at once; one that nothing was answered in is left out, and so is one that is only similar.
pub fn scopes_are_found_exactly(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let answers = ["a", "b", "c"].map(sample::response);
    keep(&store, &answers, sample::now()).expect("the answers are kept");
    let since = sample::now();
    assert_eq!(find(&store, &["c", "x", "a", "c"], since), [answers[0].clone(), answers[2].clone()]);
    assert!(find(&store, &["A", "a ", "", "%", "_"], since).is_empty());
    assert!(find(&store, &[], since).is_empty());
}

/// A scope has one first answer, within a slice as well; and a slice with a conflict leaves nothing.
pub fn a_second_answer_is_a_conflict(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let first = sample::response("taken");
    keep(&store, std::slice::from_ref(&first), sample::now()).expect("the answer is kept");
    let mut second = sample::response("taken");
    second.status = 409;
    let slice = [sample::response("new"), second];
    assert!(conflict(&keep(&store, &slice, sample::now()), Constraint::IdempotencyKey));
    let twice = [sample::response("twice"), sample::response("twice")];
    assert!(conflict(&keep(&store, &twice, sample::now()), Constraint::IdempotencyKey));
    assert_eq!(find(&store, &["taken", "new", "twice"], sample::now()), [first]);
}

/// An answer counts up to its retention's last moment, and as none after it.
pub fn an_answer_counts_until_its_retention_ends(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let answer = sample::response("key");
    keep(&store, std::slice::from_ref(&answer), sample::now()).expect("the answer is kept");
    assert_eq!(find(&store, &["key"], answer.created_at), std::slice::from_ref(&answer));
    assert!(find(&store, &["key"], answer.created_at + MOMENT).is_empty());
}

/// Once it counts as none, a new answer takes its place; not a moment earlier.
pub fn an_answer_is_replaced_after_its_retention_only(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let old = sample::response("key");
    keep(&store, std::slice::from_ref(&old), sample::now()).expect("the answer is kept");
    let mut new = sample::response("key");
    (new.status, new.body, new.created_at) = (200, b"new".to_vec(), sample::at(100_000));
    new.key.fingerprint = [9; 32];
    let early = keep(&store, std::slice::from_ref(&new), old.created_at);
    assert!(conflict(&early, Constraint::IdempotencyKey));
    let since = old.created_at + MOMENT;
    keep(&store, std::slice::from_ref(&new), since).expect("the old answer counts as none");
    assert_eq!(find(&store, &["key"], since), [new]);
}

/// Of many who answer one request at once, one does.
pub fn of_concurrent_answers_one_is_kept(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let start = Barrier::new(8);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let contestants: Vec<_> = (0..8)
            .map(|i| {
                let (store, start) = (&store, &start);
                scope.spawn(move || {
                    let answer = StoredResponse { status: 200 + i, ..sample::response("contested") };
                    start.wait();
                    keep(store, &[answer], sample::now())
                })
            })
            .collect();
        contestants.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let losers = outcomes.iter().filter(|outcome| conflict(outcome, Constraint::IdempotencyKey)).count();
    assert_eq!((winners, losers), (1, 7), "{outcomes:?}");
    assert_eq!(find(&store, &["contested"], sample::now()).len(), 1);
}

/// What is older goes, at most so many at once, by the hand of the database's owner.
pub fn outdated_answers_are_swept_away(subject: &dyn Subject) {
    let (store, scope) = store(subject);
    let owner = subject.databases().as_owner(&scope).expect("the owner enters");
    let answers: Vec<_> = (1..=5)
        .map(|n| StoredResponse { created_at: sample::at(n), ..sample::response(&format!("key-{n}")) })
        .collect();
    keep(&store, &answers, sample::at(0)).expect("the answers are kept");
    let sweep = |limit| owner.write(|tx| tx.idempotency().sweep(sample::at(4), limit));
    assert_eq!([2, 2, 2].map(|limit| sweep(limit).expect("they are removed")), [2, 1, 0]);
    let left = find(&store, &["key-1", "key-2", "key-3", "key-4", "key-5"], sample::at(0));
    assert_eq!(left, answers[3..]);
}
