//! Facts about first answers that are not a tenant's. The table is the one that tenants have.

use tenantry_ports::{Constraint, StoreResult, StoredResponse};

use crate::contract::{Subject, conflict};
use crate::sample;

fn keep(subject: &dyn Subject, answer: &StoredResponse) -> StoreResult<()> {
    subject.control().write(|tx| tx.idempotency().insert(std::slice::from_ref(answer), sample::at(0)))
}

fn found(subject: &dyn Subject, scopes: &[&str]) -> Vec<StoredResponse> {
    subject.control().read(|tx| tx.idempotency().find(scopes, sample::at(0))).expect("a look-up")
}

fn answer(scope: &str, second: i64) -> StoredResponse {
    StoredResponse { created_at: sample::at(second), ..sample::response(scope) }
}

/// Kept once, whole.
pub fn an_answer_is_kept_whole_and_once(subject: &dyn Subject) {
    let first = answer("public:init:key", 5);
    keep(subject, &first).expect("the answer is kept");
    let mut second = first.clone();
    second.body = b"other".to_vec();
    assert!(conflict(&keep(subject, &second), Constraint::IdempotencyKey));
    assert_eq!(found(subject, &["public:init:key"]), [first]);
}

/// Only what is older, the oldest first where not all of it is to go.
pub fn outdated_answers_are_forgotten(subject: &dyn Subject) {
    for second in 1..=5 {
        keep(subject, &answer(&format!("key-{second}"), second)).expect("the answer is kept");
    }
    let forget = |since, limit| {
        let forgotten = subject.control().write(|tx| tx.idempotency().forget(sample::at(since), limit));
        forgotten.expect("they are forgotten");
        (1..=5).filter(|n| !found(subject, &[&format!("key-{n}")]).is_empty()).collect::<Vec<_>>()
    };
    assert_eq!(forget(1, 10), [1, 2, 3, 4, 5], "none is older");
    assert_eq!(forget(4, 2), [3, 4, 5]);
    assert_eq!(forget(4, 10), [4, 5]);
    let refused: StoreResult<()> = subject.control().read(|tx| tx.idempotency().forget(sample::at(9), 1));
    assert!(refused.is_err(), "it is a write");
}
