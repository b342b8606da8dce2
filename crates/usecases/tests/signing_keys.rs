//! Signing keys: made once, published before they sign, accepted until the last token has expired.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

use std::sync::Arc;
use std::thread;

use chrono::TimeDelta;
use tenantry_ports::SigningKeyState::{Published, Retired, Retiring, Signing};
use tenantry_ports::{Clock as _, Scope, SigningKeyState, StoreError};
use tenantry_testkit::{TestPlatform, sample};
use tenantry_usecases::access::authenticate;
use tenantry_usecases::api_keys::{NewKey, create};
use tenantry_usecases::machine_tokens::issue;
use tenantry_usecases::signing_keys::{RotateError, Rotation, ensure, list, published, rotate};

const LEAD: TimeDelta = TimeDelta::minutes(5);

fn states(test: &TestPlatform) -> Vec<SigningKeyState> {
    list(&test.platform).unwrap().iter().map(|key| key.state(test.clock.now())).collect()
}

#[test]
fn of_replicas_that_start_together_one_makes_the_first_key() {
    let test = TestPlatform::new();
    let made: Vec<bool> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| ensure(&test.platform).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(made.iter().filter(|made| **made).count(), 1, "{made:?}");
    assert_eq!(states(&test), [Signing]);
    assert!(!ensure(&test.platform).unwrap());
}

#[test]
fn a_rotation_goes_from_key_to_key_by_the_clock_alone() {
    let test = TestPlatform::new();
    ensure(&test.platform).unwrap();
    rotate(&test.platform, Rotation::After(LEAD), "cli").unwrap();
    assert_eq!(states(&test), [Signing, Published]);
    assert_eq!(published(&test.platform).unwrap().len(), 2);
    test.clock.advance(LEAD);
    assert_eq!(states(&test), [Retiring, Signing]);
    assert_eq!(published(&test.platform).unwrap().len(), 2);
    test.clock.advance(TimeDelta::minutes(15));
    assert_eq!(states(&test), [Retiring, Signing], "a token of the last moment still lives, by a slow clock");
    test.clock.advance(TimeDelta::minutes(1));
    assert_eq!(states(&test), [Retired, Signing]);
    assert_eq!(published(&test.platform).unwrap().len(), 1);
}

#[test]
fn while_a_new_key_is_only_published_no_other_one_is_made() {
    let test = TestPlatform::new();
    ensure(&test.platform).unwrap();
    let new = rotate(&test.platform, Rotation::After(LEAD), "cli").unwrap();
    let refused = rotate(&test.platform, Rotation::After(LEAD), "cli");
    assert!(matches!(&refused, Err(RotateError::UnderWay { kid, .. }) if *kid == new.kid), "{refused:?}");
    assert_eq!(states(&test), [Signing, Published]);
}

#[test]
fn of_concurrent_rotations_one_takes_place() {
    let test = TestPlatform::new();
    ensure(&test.platform).unwrap();
    let outcomes: Vec<_> = thread::scope(|scope| {
        let rotate = || rotate(&test.platform, Rotation::After(LEAD), "cli");
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(rotate)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert_eq!(states(&test), [Signing, Published]);
}

#[test]
fn a_compromised_key_is_refused_at_once_and_so_is_one_that_was_only_published() {
    let test = TestPlatform::new();
    ensure(&test.platform).unwrap();
    rotate(&test.platform, Rotation::After(LEAD), "cli").unwrap();
    rotate(&test.platform, Rotation::Compromised, "cli").unwrap();
    assert_eq!(states(&test), [Retired, Retired, Signing]);
    let keys = list(&test.platform).unwrap();
    let kept: Vec<_> = keys.iter().map(|key| key.sealed_private.is_some()).collect();
    assert_eq!(kept, [false, false, true]);
}

#[test]
fn a_private_part_that_is_done_with_is_forgotten_by_the_next_rotation() {
    let test = TestPlatform::new();
    ensure(&test.platform).unwrap();
    let kept = || -> Vec<bool> {
        list(&test.platform).unwrap().iter().map(|key| key.sealed_private.is_some()).collect()
    };
    rotate(&test.platform, Rotation::After(LEAD), "cli").unwrap();
    assert_eq!(kept(), [true, true], "it still signs");
    test.clock.advance(LEAD + TimeDelta::seconds(10));
    rotate(&test.platform, Rotation::After(LEAD), "cli").unwrap();
    assert_eq!(kept(), [false, true, true]);
}

/// A token of a key that another replica has just made is not refused until two seconds are over.
#[test]
fn a_key_that_is_not_known_yet_is_looked_for_at_once() {
    let test = TestPlatform::new();
    ensure(&test.platform).unwrap();
    let tenant = sample::tenant("acme");
    let wish = NewKey {
        owner: Some(tenant.id),
        name: "test".to_owned(),
        scopes: [Scope::AccountsRead].into(),
        expires_at: None,
        created_by: "test".to_owned(),
    };
    let inserted: Result<(), StoreError> = test.platform.control.write(|tx| tx.tenants().insert(&tenant));
    inserted.unwrap();
    let (key, text) = create(&test.platform, wish).unwrap();
    let client = authenticate(&test.platform, text.expose()).unwrap().unwrap();
    let token = issue(&test.platform, &client, key.id, None).unwrap().token;
    // The same installation, as a replica sees it that has read the keys before the first was made.
    let stale = TestPlatform::new();
    let mut replica = Arc::into_inner(stale.platform).unwrap();
    replica.control = Arc::clone(&test.platform.control);
    replica.clock = Arc::clone(&test.platform.clock);
    replica.machine_tokens = Arc::clone(&test.platform.machine_tokens);
    rotate(&test.platform, Rotation::Compromised, "cli").unwrap();
    assert_eq!(authenticate(&replica, token.expose()).unwrap(), None, "by then it is refused");
    let fresh = issue(&test.platform, &client, key.id, None).unwrap().token;
    assert!(authenticate(&replica, fresh.expose()).unwrap().is_some());
    rotate(&test.platform, Rotation::Compromised, "cli").unwrap();
    test.clock.advance(TimeDelta::milliseconds(300));
    let newest = issue(&test.platform, &client, key.id, None).unwrap().token;
    assert!(authenticate(&replica, newest.expose()).unwrap().is_some());
}

/// What another replica did shows after two seconds, without a restart.
#[test]
fn a_replica_notices_a_rotation_within_seconds() {
    let test = TestPlatform::new();
    ensure(&test.platform).unwrap();
    assert_eq!(published(&test.platform).unwrap().len(), 1);
    let second = sample::signing_key(2);
    let inserted: Result<(), StoreError> =
        test.platform.control.write(|tx| tx.signing_keys().insert(&second));
    inserted.unwrap();
    assert_eq!(published(&test.platform).unwrap().len(), 1, "it is remembered for a moment");
    test.clock.advance(TimeDelta::seconds(2));
    assert_eq!(published(&test.platform).unwrap().len(), 2);
}
