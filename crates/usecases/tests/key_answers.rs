//! Keys that are made for requests that come again.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use support::active;
use tenantry_domain::id::TenantId;
use tenantry_ports::{Digest as _, IdempotencyKey, Scope};
use tenantry_testkit::{FakeDigest, FakeSealing, TestPlatform, platform_over};
use tenantry_usecases::Platform;
use tenantry_usecases::api_keys::{self, KeyAnswers, Made, NewKey};
use tenantry_usecases::idempotency::{Answer, Once};

fn wish(owner: TenantId) -> NewKey {
    NewKey {
        owner: Some(owner),
        name: "website".to_owned(),
        scopes: BTreeSet::from([Scope::AccountsRead]),
        expires_at: None,
        created_by: "operator".to_owned(),
    }
}

fn body(made: &Made) -> Vec<u8> {
    match made {
        Made::New(key, text) => format!("{} {}", key.id, text.expose()).into_bytes(),
        Made::Before(key) => format!("{} ?", key.id).into_bytes(),
    }
}

fn create(platform: &Platform, owner: TenantId, request: &str) -> Once<Made> {
    let request =
        IdempotencyKey { scope: "operator:k".to_owned(), fingerprint: FakeDigest.sha256(request.as_bytes()) };
    let answers = KeyAnswers { request, made: &body, refused: &|_| None };
    api_keys::create_once(platform, wish(owner), &answers).unwrap()
}

#[test]
fn the_first_answer_comes_again_as_long_as_it_can_be_opened_and_then_the_keys_record() {
    let test = TestPlatform::new();
    let owner = active(&test).tenant();
    let Once::Done(made @ Made::New(..)) = create(&test.platform, owner, "one") else { panic!("no new key") };
    let Made::New(key, _) = &made else { unreachable!() };
    let first = Answer { status: 201, body: body(&made) };
    assert_eq!(create(&test.platform, owner, "one"), Once::Before(first));
    assert_eq!(create(&test.platform, owner, "two"), Once::KeyReused);

    let stores = (test.platform.control.clone(), test.platform.stores.clone());
    let base = platform_over(stores.0, stores.1, test.platform.databases.clone());
    let after_a_change = Platform { sealing: Arc::new(FakeSealing::under(7)), ..base };
    assert_eq!(create(&after_a_change, owner, "one"), Once::Done(Made::Before(key.clone())));
    let keys = api_keys::page(&test.platform, Some(owner), None, 10).unwrap();
    assert_eq!(keys.len(), 1);
}

#[test]
fn of_concurrent_requests_with_one_key_one_makes_a_key() {
    let test = TestPlatform::new();
    let owner = active(&test).tenant();
    let outcomes: Vec<_> = std::thread::scope(|threads| {
        let threads: Vec<_> =
            (0..8).map(|_| threads.spawn(|| create(&test.platform, owner, "one"))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let made = outcomes.iter().filter(|outcome| matches!(outcome, Once::Done(Made::New(..)))).count();
    let again = outcomes.iter().filter(|outcome| matches!(outcome, Once::Before(_))).count();
    assert_eq!((made, again), (1, 7), "{outcomes:?}");
}
