//! Facts about API keys.

use std::collections::BTreeSet;

use tenantry_domain::id::TenantId;
use tenantry_ports::{ApiKey, Constraint, Scope, StoreError};

use crate::contract::{Subject, conflict};
use crate::sample;

fn tenant(subject: &dyn Subject, slug: &str) -> TenantId {
    let tenant = sample::tenant(slug);
    subject.control().write(|tx| tx.tenants().insert(&tenant)).expect("the tenant is added");
    tenant.id
}

fn add(subject: &dyn Subject, key: &ApiKey) -> Result<(), StoreError> {
    subject.control().write(|tx| tx.api_keys().insert(key))
}

fn found(subject: &dyn Subject, lookup: &str) -> Option<ApiKey> {
    subject.control().read(|tx| tx.api_keys().find(lookup)).expect("a look-up")
}

fn of(subject: &dyn Subject, owner: Option<TenantId>) -> Vec<ApiKey> {
    subject.control().read(|tx| tx.api_keys().of(owner)).expect("the keys are read")
}

/// Every member of a key comes back as it went in, the operator's and a tenant's.
pub fn a_key_is_read_back_whole(subject: &dyn Subject) {
    let owner = tenant(subject, "acme");
    let mut operators = sample::api_key(None);
    (operators.scopes, operators.expires_at) = (BTreeSet::new(), None);
    let mut tenants = sample::api_key(Some(owner));
    tenants.name = sample::ODD_TEXT.to_owned();
    tenants.scopes = Scope::ALL.into_iter().collect();
    tenants.revoked_at = Some(sample::at(3));
    for key in [operators, tenants] {
        add(subject, &key).expect("the key is added");
        assert_eq!(found(subject, &key.lookup), Some(key));
    }
    assert_eq!(found(subject, "no_such_key"), None);
}

/// Two keys cannot be looked up by one text.
pub fn a_public_part_that_is_taken_is_a_conflict(subject: &dyn Subject) {
    let first = sample::api_key(None);
    let mut second = sample::api_key(None);
    second.lookup.clone_from(&first.lookup);
    add(subject, &first).expect("the key is added");
    assert!(conflict(&add(subject, &second), Constraint::ApiKeyLookup));
    assert_eq!(found(subject, &first.lookup), Some(first));
}

/// Everybody sees their own keys, newest first: the tenants theirs, the operator the operator's.
pub fn keys_are_listed_by_owner_newest_first(subject: &dyn Subject) {
    let (acme, other) = (tenant(subject, "acme"), tenant(subject, "other"));
    let mut keys = Vec::new();
    for (i, owner) in [None, Some(acme), Some(acme), None, Some(other), Some(acme)].into_iter().enumerate() {
        let mut key = sample::api_key(owner);
        key.created_at = sample::at(i64::try_from(i).expect("a small number"));
        add(subject, &key).expect("the key is added");
        keys.push(key);
    }
    keys.reverse();
    for owner in [None, Some(acme), Some(other), Some(sample::id())] {
        let expected: Vec<_> = keys.iter().filter(|key| key.tenant == owner).cloned().collect();
        assert_eq!(of(subject, owner), expected, "{owner:?}");
    }
}

/// A revoked key is still found, and says since when; revoking it again does not change that.
pub fn revoking_is_kept_and_happens_once(subject: &dyn Subject) {
    let owner = tenant(subject, "acme");
    let (key, other) = (sample::api_key(Some(owner)), sample::api_key(Some(owner)));
    add(subject, &key).and_then(|()| add(subject, &other)).expect("the keys are added");
    let revoke = |now| {
        subject
            .control()
            .write(|tx| tx.api_keys().revoke(Some(owner), key.id, now))
            .expect("the key is revoked")
    };
    assert!(revoke(sample::at(7)));
    assert_eq!(found(subject, &key.lookup).and_then(|key| key.revoked_at), Some(sample::at(7)));
    assert!(revoke(sample::at(8)), "there is such a key");
    assert_eq!(found(subject, &key.lookup).and_then(|key| key.revoked_at), Some(sample::at(7)));
    assert_eq!(found(subject, &other.lookup), Some(other), "others are left alone");
}

/// Nobody revokes another one's key.
pub fn a_key_is_revoked_by_its_owner_only(subject: &dyn Subject) {
    let (acme, other) = (tenant(subject, "acme"), tenant(subject, "other"));
    let (tenants, operators) = (sample::api_key(Some(acme)), sample::api_key(None));
    add(subject, &tenants).and_then(|()| add(subject, &operators)).expect("the keys are added");
    for (owner, key) in [(Some(other), &tenants), (None, &tenants), (Some(acme), &operators)] {
        let revoked = subject.control().write(|tx| tx.api_keys().revoke(owner, key.id, sample::at(1)));
        assert!(!revoked.expect("no error"), "{owner:?}");
        assert_eq!(found(subject, &key.lookup).as_ref(), Some(key));
    }
    let unknown = subject.control().write(|tx| tx.api_keys().revoke(None, sample::id(), sample::at(1)));
    assert!(!unknown.expect("no error"));
}

fn live(subject: &dyn Subject, owner: TenantId, seconds: i64) -> u64 {
    let count = subject.control().write(|tx| tx.api_keys().count_live(owner, sample::at(seconds)));
    count.expect("the keys are counted")
}

/// Those that are revoked or expired do not count, nor do those of others.
pub fn keys_that_work_are_counted_by_owner(subject: &dyn Subject) {
    let (acme, other) = (tenant(subject, "acme"), tenant(subject, "other"));
    assert_eq!(live(subject, acme, 0), 0);
    for (owner, expires_at, revoked_at) in [
        (Some(acme), None, None),
        (Some(acme), Some(10), None),
        (Some(acme), None, Some(-1)),
        (Some(other), None, None),
        (None, None, None),
    ] {
        let mut key = sample::api_key(owner);
        (key.expires_at, key.revoked_at) = (expires_at.map(sample::at), revoked_at.map(sample::at));
        add(subject, &key).expect("the key is added");
    }
    for (owner, seconds, expected) in [(acme, 9, 2), (acme, 10, 1), (other, 9, 1)] {
        assert_eq!(live(subject, owner, seconds), expected, "{owner} at {seconds}");
    }
}

/// Whoever counts and then adds has the others wait, so nobody counts too few.
pub fn of_concurrent_keys_the_last_free_place_takes_one(subject: &dyn Subject) {
    const MOST: u64 = 3;
    let owner = tenant(subject, "acme");
    for _ in 1..MOST {
        add(subject, &sample::api_key(Some(owner))).expect("the key is added");
    }
    let control = subject.control();
    let added: usize = std::thread::scope(|threads| {
        let attempts: Vec<_> = (0..8)
            .map(|_| {
                let control = &control;
                threads.spawn(move || {
                    let key = sample::api_key(Some(owner));
                    let added = control.write::<_, StoreError>(|tx| {
                        let free = tx.api_keys().count_live(owner, sample::now())? < MOST;
                        if free {
                            tx.api_keys().insert(&key)?;
                        }
                        Ok(free)
                    });
                    usize::from(added.expect("the unit of work commits"))
                })
            })
            .collect();
        attempts.into_iter().map(|attempt| attempt.join().expect("a thread")).sum()
    });
    assert_eq!((added, live(subject, owner, 0)), (1, MOST));
}
