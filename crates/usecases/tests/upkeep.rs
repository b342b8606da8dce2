//! What is past its time is let go of, and nothing else; and the log still shows that it is what was written.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::event::chain_input;
use tenantry_domain::id::{DeliveryId, EventId, WebhookId};
use tenantry_domain::webhook::{DeliveryStatus, DisabledReason};
use tenantry_ports::{
    Clock as _, Delivery, Digest as _, EndpointUrl, LogEntry, LogFloor, LogHead, MacPurpose, Macs as _,
    SealedSecrets, SettledSlice, StoreError, StoredResponse, TenantScope, TenantStores as _, WebhookEndpoint,
};
use tenantry_testkit::{
    DatabaseCall, FailureMoment, FakeDigest, FakeMacs, FakeSchemaCheck, LogRows, TestPlatform, sample,
};
use tenantry_usecases::audit::{self, Audit, Flaw, What};
use tenantry_usecases::events::{self, FeedError, FeedPage, Start, Wanted};
use tenantry_usecases::sign_in;
use tenantry_usecases::upkeep::{Removed, turn};
use tenantry_usecases::webhooks::{self, WebhookError};
use tenantry_usecases::{Log, Policy};

use support::active;

const RETENTION: TimeDelta = TimeDelta::days(30);

/// A platform that keeps events for a month, and a tenant whose log is as it was made.
fn platform() -> (TestPlatform, TenantScope) {
    let policy = Policy { event_retention: Some(RETENTION), ..Policy::default() };
    let test = TestPlatform::with(policy, Arc::new(FakeSchemaCheck::content()));
    let scope = active(&test);
    (test, scope)
}

/// Writes so many entries that happened now.
fn write(test: &TestPlatform, scope: &TenantScope, count: usize) {
    let now = test.clock.now();
    let written = test.world.stores().open(scope).unwrap().write::<_, StoreError>(|tx| {
        let mut head = tx.log().lock()?;
        let mut entries = sample::log_entries(scope.tenant(), head, count);
        for entry in &mut entries {
            entry.event.timestamp = now;
            entry.previous = head.hash;
            entry.hash = FakeDigest.sha256(&chain_input(&head.hash, &entry.event));
            head = LogHead { sequence: entry.sequence, hash: entry.hash };
        }
        tx.log().append(&entries)
    });
    written.unwrap();
}

/// The first and the last entry there is; zeroes if there is none.
fn span(test: &TestPlatform, scope: &TenantScope) -> (i64, i64) {
    let store = test.world.stores().open(scope).unwrap();
    let log = store.read(|tx| tx.log().page(0, 100_000)).unwrap();
    let place = |entry: Option<&LogEntry>| entry.map_or(0, |entry| entry.sequence);
    (place(log.first()), place(log.last()))
}

/// Makes turns until the round is over; how many events were let go of.
fn round(test: &TestPlatform) -> usize {
    let mut events = 0;
    for _ in 0..100 {
        match turn(&test.platform, "worker").unwrap() {
            Some(Removed { events: some, .. }) => events += some,
            None => return events,
        }
    }
    panic!("there is always something to let go of");
}

fn look(test: &TestPlatform, scope: &TenantScope) -> Audit {
    audit::verify(&test.platform, &Log::Tenant(scope.clone()), &[]).unwrap()
}

fn flaw(test: &TestPlatform, scope: &TenantScope) -> Option<(i64, What)> {
    look(test, scope).flaw.map(|Flaw { sequence, what, .. }| (sequence, what))
}

fn first_page(test: &TestPlatform, scope: &TenantScope, start: Start) -> Result<FeedPage, FeedError> {
    events::page(&test.platform, &Log::Tenant(scope.clone()), &Wanted::default(), start, 10)
}

/// A log of 1,150 entries, of which the first 1,100 are past their time; with what was said of it when it had 200 and 700.
fn aged() -> (TestPlatform, TenantScope) {
    let (test, scope) = platform();
    let (_, last) = span(&test, &scope);
    write(&test, &scope, usize::try_from(200 - last).unwrap());
    audit::sign_moved(&test.platform, &[Some(scope.tenant())]).unwrap();
    write(&test, &scope, 500);
    audit::sign_moved(&test.platform, &[Some(scope.tenant())]).unwrap();
    write(&test, &scope, 400);
    test.clock.advance(RETENTION);
    write(&test, &scope, 50);
    test.clock.advance(TimeDelta::seconds(1));
    (test, scope)
}

#[test]
fn events_past_their_time_are_let_go_of_and_the_log_is_whole_from_there_on() {
    let (test, scope) = aged();
    assert_eq!(round(&test), 1_100);
    assert_eq!(span(&test, &scope), (1_101, 1_150));
    let Audit { first, entries, statements, flaw, .. } = look(&test, &scope);
    assert_eq!((first, entries, statements, flaw), (1_101, 50, 0, None));
    test.clock.advance(TimeDelta::days(1));
    assert_eq!(round(&test), 0, "nothing more is past its time");
    write(&test, &scope, 5);
    assert_eq!(look(&test, &scope).flaw, None);
}

#[test]
fn without_a_retention_nothing_is_let_go_of() {
    let test = TestPlatform::new();
    let scope = active(&test);
    write(&test, &scope, 10);
    let before = span(&test, &scope);
    test.clock.advance(TimeDelta::days(3_000));
    assert_eq!((round(&test), span(&test, &scope)), (0, before));
}

#[test]
fn the_last_entry_stays_however_old_it_is() {
    let (test, scope) = aged();
    test.clock.advance(RETENTION);
    assert_eq!(round(&test), 1_149);
    assert_eq!(span(&test, &scope), (1_150, 1_150));
    write(&test, &scope, 3);
    assert_eq!((look(&test, &scope).entries, look(&test, &scope).flaw), (4, None));
}

#[test]
fn a_newer_event_keeps_what_came_after_it() {
    let (test, scope) = platform();
    let (_, last) = span(&test, &scope);
    let now = test.clock.now();
    write(&test, &scope, 10);
    // A replica whose clock is ahead.
    test.clock.set(now + TimeDelta::minutes(3));
    write(&test, &scope, 1);
    test.clock.set(now + TimeDelta::minutes(1));
    write(&test, &scope, 10);
    test.clock.set(now + RETENTION + TimeDelta::minutes(2));
    assert_eq!(
        (round(&test), span(&test, &scope)),
        (usize::try_from(last).unwrap() + 10, (last + 11, last + 21))
    );
}

fn endpoint(cursor_of: &TestPlatform, scope: &TenantScope, cursor: i64) -> WebhookId {
    let now = cursor_of.clock.now();
    let endpoint = WebhookEndpoint {
        id: sample::id(),
        url: EndpointUrl::of_checked("https://hooks.example.com/a"),
        description: None,
        event_types: Vec::new(),
        secrets: SealedSecrets { current: vec![1], previous: None },
        disabled: None,
        failing_since: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let store = cursor_of.world.stores().open(scope).unwrap();
    store.write(|tx| tx.webhooks().insert(&endpoint, cursor)).unwrap();
    endpoint.id
}

#[test]
fn what_an_enabled_endpoint_was_not_told_of_yet_is_kept() {
    let (test, scope) = aged();
    let id = endpoint(&test, &scope, 600);
    assert_eq!((round(&test), span(&test, &scope).0), (600, 601));
    let store = test.world.stores().open(&scope).unwrap();
    let disable = store.write::<_, StoreError>(|tx| {
        let before = tx.webhooks().get(id)?.unwrap();
        let disabled = Some((DisabledReason::Failing, test.clock.now()));
        tx.webhooks().update(&WebhookEndpoint { disabled, version: 2, ..before })
    });
    disable.unwrap();
    test.clock.advance(TimeDelta::days(1));
    assert_eq!((round(&test), span(&test, &scope).0), (500, 1_101));
}

#[test]
fn a_log_that_was_changed_is_evidence_and_kept() {
    let (test, scope) = aged();
    assert_eq!(round(&test), 1_100);
    // As whoever has the database's password could, who has no key.
    let forged = LogFloor { mac: [1; 32], ..floor(&test, &scope) };
    let owner = test.platform.databases.as_owner(&scope).unwrap();
    owner.write(|tx| tx.floor().raise(&forged)).unwrap();
    test.clock.advance(RETENTION);
    assert_eq!((round(&test), span(&test, &scope).0), (0, 1_101));
    assert_eq!(flaw(&test, &scope), Some((1_100, What::ForgedFloor)));
}

#[test]
fn who_dies_at_it_has_done_what_it_has_committed_and_the_next_one_does_the_rest() {
    let (test, scope) = aged();
    // After the first slice of two.
    test.databases.die(DatabaseCall::Write, FailureMoment::AfterEffect);
    let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| turn(&test.platform, "worker")));
    assert!(died.is_err());
    assert_eq!((span(&test, &scope).0, look(&test, &scope).flaw), (1_001, None));
    assert_eq!(turn(&test.platform, "another").unwrap(), None, "the lease is not over");
    test.clock.advance(TimeDelta::minutes(5));
    assert_eq!((round(&test), span(&test, &scope).0), (100, 1_101));
}

fn floor(test: &TestPlatform, scope: &TenantScope) -> LogFloor {
    test.world.stores().open(scope).unwrap().read(|tx| tx.floor().get()).unwrap().unwrap()
}

#[test]
fn what_was_done_to_the_beginning_of_a_log_is_found() {
    type Deed = fn(&mut LogRows);
    fn floor(log: &mut LogRows) -> &mut LogFloor {
        log.floor.as_mut().unwrap()
    }
    fn behead(log: &mut LogRows, through: i64) -> LogHead {
        let rest = log.rows.split_off(&(through + 1));
        let last = std::mem::replace(&mut log.rows, rest).into_values().last().unwrap();
        LogHead { sequence: through, hash: last.hash.try_into().unwrap() }
    }
    let deeds: [(&str, Deed, i64, What); 7] = [
        ("one more than it says", |log| drop(log.rows.remove(&1_101)), 1_101, What::Missing),
        ("no floor", |log| log.floor = None, 1, What::Missing),
        ("its hash", |log| floor(log).head.hash[0] ^= 1, 1_100, What::ForgedFloor),
        ("its code", |log| floor(log).mac[0] ^= 1, 1_100, What::ForgedFloor),
        (
            "a higher one, unsigned",
            |log| {
                let head = behead(log, 1_120);
                floor(log).head = head;
            },
            1_120,
            What::ForgedFloor,
        ),
        (
            "an entry below it",
            |log| {
                let row = log.rows[&1_101].clone();
                log.rows.insert(900, row);
            },
            900,
            What::Stray,
        ),
        (
            "entries exchanged",
            |log| log.rows.get_mut(&1_101).unwrap().previous[0] ^= 1,
            1_101,
            What::Unchained,
        ),
    ];
    let (test, scope) = aged();
    round(&test);
    let mut before = None;
    test.world.tamper(&scope, |log| before = Some(log.clone())).unwrap();
    for (deed, with, sequence, what) in deeds {
        assert_eq!(flaw(&test, &scope), None, "before: {deed}");
        test.world.tamper(&scope, with).unwrap();
        assert_eq!(flaw(&test, &scope), Some((sequence, what)), "{deed}");
        test.world.tamper(&scope, |log| *log = before.clone().unwrap()).unwrap();
    }
}

/// With what anybody can have who can write to the database: a head's statement, which the tenant keeps, too.
#[test]
fn a_statement_of_a_head_is_no_floor() {
    let (test, scope) = aged();
    let signed = audit::sign(&test.platform, &Log::Tenant(scope.clone())).unwrap().0;
    write(&test, &scope, 1);
    let beheaded = |log: &mut LogRows| {
        log.rows = log.rows.split_off(&(signed.head.sequence + 1));
        log.floor = Some(LogFloor { head: signed.head, at: signed.at, mac: signed.mac });
    };
    test.world.tamper(&scope, beheaded).unwrap();
    assert_eq!(flaw(&test, &scope), Some((signed.head.sequence, What::ForgedFloor)));
}

#[test]
fn a_statement_of_the_very_place_has_to_agree_with_the_floor() {
    let (test, scope) = aged();
    let other = LogHead { sequence: 1_100, hash: [3; 32] };
    let (tenant, at) = (scope.tenant(), test.clock.now());
    let owner = tenant.uuid();
    let parts: [&[u8]; 4] =
        [owner.as_bytes(), &other.sequence.to_be_bytes(), &other.hash, &at.timestamp_micros().to_be_bytes()];
    let mac = FakeMacs.make(MacPurpose::LogHead, &parts);
    let signed = tenantry_ports::SignedHead { tenant: Some(tenant), head: other, at, mac };
    test.platform.control.write(|tx| tx.heads().add(&[signed], audit::KEPT)).unwrap();
    assert_eq!(flaw(&test, &scope), Some((1_100, What::Rewritten)), "while the entry is there");
    round(&test);
    assert_eq!(flaw(&test, &scope), Some((1_100, What::Rewritten)), "and when it is not");
}

#[test]
fn who_asks_for_what_is_gone_is_told_where_the_log_begins() {
    let (test, scope) = aged();
    let old = first_page(&test, &scope, Start::Beginning).unwrap();
    let gone: EventId = old.events[0].id;
    assert!(events::find(&test.platform, &Log::Tenant(scope.clone()), gone).is_ok());
    round(&test);
    let expired = |outcome: Result<FeedPage, FeedError>| match outcome {
        Err(FeedError::Expired { first }) => first,
        other => panic!("{other:?}"),
    };
    for start in [Start::After(0), Start::After(old.position), Start::After(1_099), Start::AfterEvent(gone)] {
        assert_eq!(expired(first_page(&test, &scope, start)), 1_101, "{start:?}");
    }
    assert!(matches!(
        events::find(&test.platform, &Log::Tenant(scope.clone()), gone),
        Err(FeedError::Expired { first: 1_101 })
    ));
    let first = |page: FeedPage| page.events[0].meta.sequence;
    assert_eq!(first(first_page(&test, &scope, Start::Beginning).unwrap()), Some(1_101));
    assert_eq!(first(first_page(&test, &scope, Start::After(1_100)).unwrap()), Some(1_101));
    let from = |from: DateTime<Utc>| {
        let wanted = Wanted { from: Some(from), ..Wanted::default() };
        first(
            events::page(&test.platform, &Log::Tenant(scope.clone()), &wanted, Start::Beginning, 10).unwrap(),
        )
    };
    assert_eq!(from(DateTime::UNIX_EPOCH), Some(1_101));
    let never = EventId::earliest_at(test.clock.now() + TimeDelta::minutes(10));
    let unknown = first_page(&test, &scope, Start::AfterEvent(never));
    assert!(matches!(unknown, Err(FeedError::UnknownEvent(id)) if id == never));
}

#[test]
fn a_round_comes_by_every_tenant_once_a_day() {
    let (test, _) = platform();
    for number in 0..40 {
        let wish = tenantry_usecases::tenants::InitTenant {
            slug: tenantry_domain::tenant::Slug::new(format!("tenant-{number}")).unwrap(),
            ..support::acme()
        };
        let announced = tenantry_usecases::tenants::init(&test.platform, wish).unwrap();
        tenantry_usecases::tenants::confirm(&test.platform, announced.confirm_token.expose()).unwrap();
    }
    support::work_off(&test);
    let turns = |until: DateTime<Utc>| {
        let mut turns = 0;
        while test.clock.now() < until {
            turns += usize::from(turn(&test.platform, "worker").unwrap().is_some());
            test.clock.advance(TimeDelta::seconds(10));
        }
        turns
    };
    let begun = test.clock.now();
    // 41 tenants are 20, 20 and one.
    assert_eq!(turns(begun + TimeDelta::days(1)), 3);
    assert_eq!(turns(begun + TimeDelta::days(2)), 3);
}

#[test]
fn what_is_remembered_beside_the_log_goes_when_its_time_has_come_and_no_sooner() {
    let test = TestPlatform::new();
    let (_, scope) = support::acme_in_service(&test);
    sign_in::login(&test.platform, &scope, &support::typed("admin@acme.example", "ChangeMe123!")).unwrap();
    sign_in::login(&test.platform, &scope, &support::typed("admin@acme.example", "wrong")).unwrap_err();
    let store = test.world.stores().open(&scope).unwrap();
    let answer = StoredResponse { created_at: test.clock.now(), ..sample::response("key") };
    store.write(|tx| tx.idempotency().insert(&[answer], sample::at(-1))).unwrap();
    delivered(&test, &scope);
    let begun = test.clock.now();
    let after = |time: TimeDelta| {
        test.clock.set(begun + time);
        turn(&test.platform, "worker").unwrap().unwrap()
    };
    let nothing = Removed::default();
    assert_eq!(after(TimeDelta::minutes(1)), nothing);
    // By then its pace has forgotten the attempt, and nobody repeats the request.
    assert_eq!(after(TimeDelta::days(2)), Removed { answers: 1, attempts: 1, ..nothing });
    assert_eq!(after(TimeDelta::days(29)), nothing);
    // Deliveries are remembered for 30 days, and sessions that were over at 30 days for 30 more.
    assert_eq!(after(TimeDelta::days(31)), Removed { deliveries: 1, ..nothing });
    assert_eq!(after(TimeDelta::days(59)), nothing);
    assert_eq!(after(TimeDelta::days(61)), Removed { sessions: 1, ..nothing });
    assert_eq!(after(TimeDelta::days(63)), nothing);
}

/// Has an event delivered to an endpoint, now.
fn delivered(test: &TestPlatform, scope: &TenantScope) -> (WebhookId, DeliveryId) {
    let head = span(test, scope).1;
    let endpoint = endpoint(test, scope, head);
    let now = test.clock.now();
    let delivery = Delivery {
        // The fakes' ids are not of the fake clock's time.
        id: DeliveryId::earliest_at(now),
        endpoint,
        sequence: head + 1,
        event: sample::id(),
        event_type: "account.closed".parse().unwrap(),
        status: DeliveryStatus::Delivered,
        due: None,
        attempts: 1,
        last: None,
        created_at: now,
    };
    let id = delivery.id;
    write(test, scope, 1);
    let store = test.world.stores().open(scope).unwrap();
    let settled = store.write::<_, StoreError>(|tx| {
        let claimed = tx.webhooks().claim(sample::uuid(), now, now)?.remove(0);
        tx.webhooks().settle(&SettledSlice {
            endpoint,
            lease: claimed.lease,
            new: vec![delivery],
            changed: Vec::new(),
            cursor: head + 1,
            failing_since: None,
            rests_until: None,
            keep_until: None,
        })
    });
    settled.unwrap();
    (endpoint, id)
}

#[test]
fn what_is_gone_is_not_sent_again_and_that_is_said() {
    let policy =
        Policy { event_retention: Some(RETENTION), delivery_retention: RETENTION * 2, ..Policy::default() };
    let test = TestPlatform::with(policy, Arc::new(FakeSchemaCheck::content()));
    let scope = active(&test);
    let begun = test.clock.now();
    write(&test, &scope, 3);
    let (endpoint, delivery) = delivered(&test, &scope);
    let hand = || webhooks::Hand { actor: "key_1".to_owned(), trace: "request-1".to_owned() };
    let again = || webhooks::redeliver(&test.platform, &scope, endpoint, delivery, &hand());
    let recover = || webhooks::recover(&test.platform, &scope, endpoint, begun, &hand()).unwrap().first;
    assert_eq!(recover(), 1);
    let store = test.world.stores().open(&scope).unwrap();
    let head = span(&test, &scope).1;
    store.write(|tx| tx.webhooks().move_to(endpoint, head)).unwrap();
    test.clock.advance(RETENTION + TimeDelta::seconds(1));
    write(&test, &scope, 1);
    assert_eq!(round(&test), usize::try_from(head).unwrap());
    assert!(matches!(again(), Err(WebhookError::Expired { first }) if first == head + 1));
    assert_eq!(recover(), head + 1);
}
