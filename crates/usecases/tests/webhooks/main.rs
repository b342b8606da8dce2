//! Webhook endpoints: how they are kept, and what becomes of what is delivered to them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../support/mod.rs"]
mod support;

mod delivered;
mod kept;

use futures_util::FutureExt as _;
use serde_json::Value;
use tenantry_domain::event::{EventType, chain_input};
use tenantry_domain::id::AccountId;
use tenantry_ports::{
    Delivery, DeliveryFilter, Digest as _, LogEntry, StoreError, TenantScope, TenantStores as _,
    WebhookEndpoint,
};
use tenantry_testkit::{FakeDigest, TestPlatform, sample};
use tenantry_usecases::idempotency::Once;
use tenantry_usecases::webhooks::{self, Created, Hand, NewEndpoint, Outcome, Slice};

fn hand() -> Hand {
    Hand { actor: "key_1".to_owned(), trace: "request-1".to_owned() }
}

fn wish(patterns: &[&str]) -> NewEndpoint {
    NewEndpoint {
        url: "https://hooks.example.com/hunter2".to_owned(),
        description: Some("CRM".to_owned()),
        event_types: patterns.iter().map(|text| text.parse().unwrap()).collect(),
    }
}

fn create(test: &TestPlatform, scope: &TenantScope, patterns: &[&str]) -> Created {
    done(webhooks::create(&test.platform, scope, wish(patterns), hand(), None, |_| None).unwrap())
}

/// What was done now.
fn done(once: Once<Created>) -> Created {
    match once {
        Once::Done(created) => created,
        other => panic!("{other:?}"),
    }
}

/// Appends an event of this type for each of these accounts.
fn happen(test: &TestPlatform, scope: &TenantScope, event_type: &EventType, accounts: &[Option<AccountId>]) {
    let store = test.world.stores().open(scope).unwrap();
    let appended = store.write::<_, StoreError>(|tx| {
        let mut head = tx.log().lock()?;
        for account in accounts {
            let mut entry = sample::log_entries(scope.tenant(), head, 1).remove(0);
            (entry.event.event_type, entry.event.account_id) = (event_type.clone(), *account);
            entry.hash = FakeDigest.sha256(&chain_input(&head.hash, &entry.event));
            tx.log().append(std::slice::from_ref(&entry))?;
            head = tenantry_ports::LogHead { sequence: entry.sequence, hash: entry.hash };
        }
        Ok(())
    });
    appended.unwrap();
}

fn accounts(count: usize) -> Vec<Option<AccountId>> {
    (0..count).map(|_| Some(sample::id())).collect()
}

fn claim(test: &TestPlatform, scope: &TenantScope) -> Vec<Slice> {
    webhooks::claim(&test.platform, scope).unwrap()
}

/// The fakes answer at once.
fn send(test: &TestPlatform, slice: &Slice) -> Vec<Outcome> {
    webhooks::send(&test.platform, slice, &|| true).now_or_never().unwrap()
}

/// Delivers until there is nothing to deliver for now.
fn deliver(test: &TestPlatform, scope: &TenantScope) {
    for _ in 0..100 {
        let slices = claim(test, scope);
        if slices.is_empty() {
            return;
        }
        for slice in slices {
            let mut next = Some(slice);
            while let Some(slice) = next {
                let outcomes = send(test, &slice);
                next = webhooks::settle(&test.platform, scope, &slice, &outcomes, true).unwrap();
            }
        }
    }
    panic!("there is always something to deliver");
}

fn endpoint(test: &TestPlatform, scope: &TenantScope, created: &Created) -> WebhookEndpoint {
    webhooks::find(&test.platform, scope, created.endpoint.id).unwrap()
}

/// The oldest first.
fn deliveries(test: &TestPlatform, scope: &TenantScope, created: &Created) -> Vec<Delivery> {
    let filter = DeliveryFilter { endpoint: created.endpoint.id, status: None };
    let mut found = webhooks::deliveries(&test.platform, scope, &filter, None, 1_000).unwrap();
    found.reverse();
    found
}

fn log(test: &TestPlatform, scope: &TenantScope) -> Vec<LogEntry> {
    let store = test.world.stores().open(scope).unwrap();
    store.read::<_, StoreError>(|tx| tx.log().page(0, 1_000)).unwrap()
}

/// The data of the events of this type.
fn told(test: &TestPlatform, scope: &TenantScope, event_type: &EventType) -> Vec<Value> {
    let entries = log(test, scope).into_iter().filter(|entry| entry.event.event_type == *event_type);
    entries.map(|entry| entry.event.data).collect()
}
