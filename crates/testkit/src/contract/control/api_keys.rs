//! Facts about API keys.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use tenantry_domain::id::{ApiKeyId, TenantId};
use tenantry_ports::{ApiKey, Constraint, IdempotencyKey, Scope, StoreError};

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

fn got(subject: &dyn Subject, key: &ApiKey) -> Option<ApiKey> {
    subject.control().read(|tx| tx.api_keys().get(key.id)).expect("a look-up")
}

fn made_for(subject: &dyn Subject, scope: &str) -> Option<ApiKey> {
    subject.control().read(|tx| tx.api_keys().made_for(scope)).expect("a look-up")
}

fn update(subject: &dyn Subject, key: &ApiKey) -> Result<(), StoreError> {
    subject.control().write(|tx| tx.api_keys().update(key))
}

fn request(scope: &str) -> IdempotencyKey {
    IdempotencyKey { scope: scope.to_owned(), fingerprint: [7; 32] }
}

fn page(
    subject: &dyn Subject,
    owner: Option<TenantId>,
    after: Option<(DateTime<Utc>, ApiKeyId)>,
    limit: usize,
) -> Vec<ApiKey> {
    subject.control().read(|tx| tx.api_keys().page(owner, after, limit)).expect("the keys are read")
}

fn of(subject: &dyn Subject, owner: Option<TenantId>) -> Vec<ApiKey> {
    page(subject, owner, None, 100)
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
    tenants.last_used_at = Some(sample::at(4));
    (tenants.request, tenants.version) = (Some(request(sample::ODD_TEXT)), 5);
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

/// Page after page every key comes once, also where several were made at the same instant.
pub fn pages_of_keys_are_complete_and_in_order(subject: &dyn Subject) {
    let owner = tenant(subject, "acme");
    for i in 0..7 {
        let mut key = sample::api_key(Some(owner));
        key.created_at = sample::at(i / 3);
        add(subject, &key).expect("the key is added");
    }
    let whole = of(subject, Some(owner));
    assert_eq!(whole.len(), 7);
    for size in [1, 2, 3, 7] {
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = page(subject, Some(owner), after, size);
            assert!(page.len() <= size);
            let Some(last) = page.last() else { break };
            after = Some((last.created_at, last.id));
            paged.extend(page);
        }
        assert_eq!(paged, whole, "{size} at a time");
    }
}

/// Also by its id, whoever's it is.
pub fn a_key_is_found_by_its_id_too(subject: &dyn Subject) {
    let owner = tenant(subject, "acme");
    for key in [sample::api_key(None), sample::api_key(Some(owner))] {
        add(subject, &key).expect("the key is added");
        assert_eq!(got(subject, &key), Some(key));
    }
    assert_eq!(got(subject, &sample::api_key(None)), None);
}

/// An update changes when a key ends, and what it was made for; nothing else, whatever it says.
pub fn an_updated_key_ends_and_keeps_the_rest(subject: &dyn Subject) {
    let owner = tenant(subject, "acme");
    let (mut key, other) = (sample::api_key(Some(owner)), sample::api_key(Some(owner)));
    add(subject, &key).and_then(|()| add(subject, &other)).expect("the keys are added");
    (key.expires_at, key.revoked_at) = (Some(sample::at(5)), Some(sample::at(7)));
    (key.request, key.version) = (Some(request("k1")), 2);
    let boast = ApiKey { name: "better".to_owned(), scopes: Scope::ALL.into(), tenant: None, ..key.clone() };
    update(subject, &boast).expect("the key is updated");
    assert_eq!(got(subject, &key), Some(key.clone()));
    (key.expires_at, key.request, key.version) = (None, None, 3);
    update(subject, &key).expect("the key is updated again");
    assert_eq!(got(subject, &key), Some(key));
    assert_eq!(got(subject, &other), Some(other), "others are left alone");
}

/// An update of what has changed meanwhile, or is not there, is refused.
pub fn a_stale_key_is_refused(subject: &dyn Subject) {
    let key = sample::api_key(None);
    add(subject, &key).expect("the key is added");
    for version in [1, 3] {
        let outcome = update(subject, &ApiKey { version, revoked_at: Some(sample::at(1)), ..key.clone() });
        assert!(matches!(outcome, Err(StoreError::Stale)), "{outcome:?}");
    }
    assert_eq!(got(subject, &key), Some(key));
    let outcome = update(subject, &ApiKey { version: 2, ..sample::api_key(None) });
    assert!(matches!(outcome, Err(StoreError::Stale)), "{outcome:?}");
}

/// Of two keys for one request the second is refused, until the first forgets it. Keys for no request are many.
pub fn a_request_makes_one_key(subject: &dyn Subject) {
    let made = |scope: &str| ApiKey { request: Some(request(scope)), ..sample::api_key(None) };
    let (mut first, second, other) = (made("k1"), made("k1"), made("k2"));
    add(subject, &first).and_then(|()| add(subject, &other)).expect("the keys are added");
    assert_eq!(made_for(subject, "k1"), Some(first.clone()));
    assert_eq!(made_for(subject, "k3"), None);
    assert!(conflict(&add(subject, &second), Constraint::ApiKeyRequest));
    (first.request, first.version) = (None, 2);
    update(subject, &first).and_then(|()| add(subject, &second)).expect("the request is free again");
    assert_eq!(made_for(subject, "k1"), Some(second));
    for _ in 0..2 {
        add(subject, &sample::api_key(None)).expect("a key for no request");
    }
}

/// Whoever read the same version first, only one of them changes the key.
pub fn of_concurrent_updates_of_a_key_one_wins(subject: &dyn Subject) {
    let key = sample::api_key(None);
    add(subject, &key).expect("the key is added");
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|i| {
                let changed = ApiKey { version: 2, expires_at: Some(sample::at(i)), ..key.clone() };
                scope.spawn(move || update(subject, &changed))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    let stale = |outcome: &&Result<(), StoreError>| matches!(outcome, Err(StoreError::Stale));
    assert_eq!(outcomes.iter().filter(stale).count(), 3, "{outcomes:?}");
}

/// Uses of many keys are noted in one go; an older one changes nothing, and no version rises.
pub fn uses_are_noted_for_many_keys_at_once(subject: &dyn Subject) {
    let keys: Vec<_> = (0..4).map(|_| sample::api_key(None)).collect();
    for key in &keys {
        add(subject, key).expect("the key is added");
    }
    let note = |which: &[&ApiKey], at| {
        let mut ids: Vec<_> = which.iter().map(|key| key.id).collect();
        ids.push(sample::id());
        subject.control().write(|tx| tx.api_keys().note_use(&ids, at)).expect("the uses are noted");
    };
    note(&[&keys[0], &keys[1], &keys[2]], sample::at(9));
    note(&[&keys[1]], sample::at(8));
    note(&[&keys[2]], sample::at(10));
    note(&[], sample::at(11));
    let used = keys.iter().map(|key| got(subject, key).expect("it is there")).map(|key| {
        assert_eq!(key.version, 1);
        key.last_used_at
    });
    let expected = [Some(sample::at(9)), Some(sample::at(9)), Some(sample::at(10)), None];
    assert_eq!(used.collect::<Vec<_>>(), expected);
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
