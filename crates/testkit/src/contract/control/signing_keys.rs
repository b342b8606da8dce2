//! Facts about signing keys.

use tenantry_ports::{Constraint, SigningKey, StoreError};

use crate::contract::{Subject, conflict};
use crate::sample;

fn add(subject: &dyn Subject, key: &SigningKey) -> Result<(), StoreError> {
    subject.control().write(|tx| tx.signing_keys().insert(key))
}

fn update(subject: &dyn Subject, key: &SigningKey) -> Result<(), StoreError> {
    subject.control().write(|tx| tx.signing_keys().update(key))
}

fn all(subject: &dyn Subject) -> Vec<SigningKey> {
    subject.control().read(|tx| tx.signing_keys().all()).expect("the keys are read")
}

/// Every member comes back as it went in, those that may be missing there and missing.
pub fn a_signing_key_is_read_back_whole(subject: &dyn Subject) {
    assert!(all(subject).is_empty());
    let bare = SigningKey { sealed_private: None, ..sample::signing_key(1) };
    let full = SigningKey {
        public_jwk: sample::ODD_TEXT.to_owned(),
        sealed_private: Some(sample::ODD_TEXT.to_owned()),
        signs_until: Some(sample::at(70)),
        verifies_until: Some(sample::at(80)),
        version: 9,
        ..sample::signing_key(2)
    };
    add(subject, &bare).and_then(|()| add(subject, &full)).expect("the keys are added");
    assert_eq!(all(subject), [bare, full]);
}

/// Not in the order in which they were written.
pub fn signing_keys_come_in_order_of_number(subject: &dyn Subject) {
    for number in [3, 1, 10, 2] {
        add(subject, &sample::signing_key(number)).expect("the key is added");
    }
    assert_eq!(all(subject), [1, 2, 3, 10].map(sample::signing_key));
}

/// Replicas that start together all want to make the first key: one does.
pub fn of_concurrent_first_keys_one_wins(subject: &dyn Subject) {
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|i| {
                let key = SigningKey { kid: format!("of-{i}"), ..sample::signing_key(1) };
                scope.spawn(move || add(subject, &key))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    let beaten = |outcome: &&Result<(), StoreError>| conflict(outcome, Constraint::SigningKeyNumber);
    assert_eq!(outcomes.iter().filter(beaten).count(), 3, "{outcomes:?}");
    assert_eq!(all(subject).len(), 1);
}

/// An update changes the sealed part and the times, and nothing else, whatever it says.
pub fn an_updated_signing_key_has_other_times_and_seal(subject: &dyn Subject) {
    let (mut key, other) = (sample::signing_key(1), sample::signing_key(2));
    add(subject, &key).and_then(|()| add(subject, &other)).expect("the keys are added");
    key.sealed_private = Some("sealed anew".to_owned());
    key.signs_from = sample::at(1);
    (key.signs_until, key.verifies_until) = (Some(sample::at(2)), Some(sample::at(3)));
    key.version = 2;
    let boast = SigningKey { public_jwk: "another".to_owned(), created_at: sample::at(9), ..key.clone() };
    update(subject, &boast).expect("the key is updated");
    assert_eq!(all(subject), [key.clone(), other.clone()]);
    (key.sealed_private, key.version) = (None, 3);
    update(subject, &key).expect("the key is updated again");
    assert_eq!(all(subject), [key, other]);
}

/// An update of what has changed meanwhile, or is not there, is refused.
pub fn a_stale_signing_key_is_refused(subject: &dyn Subject) {
    let key = sample::signing_key(1);
    add(subject, &key).expect("the key is added");
    for changed in [
        SigningKey { sealed_private: None, ..key.clone() },
        SigningKey { sealed_private: None, version: 3, ..key.clone() },
        SigningKey { version: 2, ..sample::signing_key(2) },
    ] {
        let outcome = update(subject, &changed);
        assert!(matches!(outcome, Err(StoreError::Stale)), "{outcome:?}");
    }
    assert_eq!(all(subject), [key]);
}
