use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tenantry_domain::event::EventType;
use tenantry_domain::webhook::{ATTEMPTS, DeliveryStatus, DisabledReason, PATIENCE};
use tenantry_ports::{Clock as _, Delivery, SettledSlice, StoreError};
use tenantry_testkit::{TestPlatform, sample};
use tenantry_usecases::webhooks::{self, Change};

use super::support::active;
use super::{accounts, claim, create, deliver, deliveries, endpoint, hand, happen, log, send, told};

const CLOSED: EventType = EventType::ACCOUNT_CLOSED;

fn now(test: &TestPlatform) -> DateTime<Utc> {
    test.clock.now()
}

#[test]
fn an_endpoint_is_told_once_of_what_it_wants_from_its_creation_on() {
    let test = TestPlatform::new();
    let scope = active(&test);
    happen(&test, &scope, &CLOSED, &accounts(3));
    let created = create(&test, &scope, &["account.*"]);
    assert_eq!(webhooks::outlook(&test.platform, &scope, now(&test)).unwrap().due, None);
    happen(&test, &scope, &CLOSED, &accounts(100));
    happen(&test, &scope, &EventType::USER_CREATED, &[None]);
    assert_eq!(webhooks::outlook(&test.platform, &scope, now(&test)).unwrap().due, Some(now(&test)));
    deliver(&test, &scope);
    let (calls, log) = (test.endpoints.calls(), log(&test, &scope));
    let wanted: Vec<_> =
        log.iter().rev().filter(|entry| entry.event.event_type == CLOSED).take(100).collect();
    let mut sent: Vec<_> = calls.iter().map(|call| call.id.clone()).collect();
    let mut expected: Vec<_> = wanted.iter().map(|entry| entry.event.id.to_string()).collect();
    sent.sort();
    expected.sort();
    assert_eq!(sent, expected);
    assert_eq!(webhooks::outlook(&test.platform, &scope, now(&test)).unwrap().due, None);
    let found = deliveries(&test, &scope, &created);
    assert!(
        found.iter().all(|delivery| (delivery.status, delivery.attempts) == (DeliveryStatus::Delivered, 1))
    );
    let (call, first) = (&calls[0], wanted.last().unwrap());
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(body["type"], "account.closed");
    assert_eq!(body["data"], first.event.data);
    assert_eq!(
        body["meta"]["sequence"].as_i64(),
        log.iter().find(|it| it.event.id.to_string() == call.id).map(|it| it.sequence)
    );
    assert!(body["timestamp"].is_string());
}

#[test]
fn what_fails_is_sent_again_as_the_schedule_says_with_the_same_id_and_body() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let created = create(&test, &scope, &["account.*"]);
    happen(&test, &scope, &CLOSED, &accounts(1));
    let listed = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    for attempt in 1..=ATTEMPTS {
        test.endpoints.answer(500, None);
        deliver(&test, &scope);
        let delivery = deliveries(&test, &scope, &created).remove(0);
        assert_eq!(delivery.attempts, attempt);
        let Some(due) = delivery.due else { break };
        let wait = (due - now(&test)).num_milliseconds() as f64 / 1_000.0;
        let listed = f64::from(listed[attempt as usize - 1]);
        assert!((0.8 * listed - 0.01..=1.2 * listed).contains(&wait), "attempt {attempt}: {wait} s");
        assert_eq!(webhooks::outlook(&test.platform, &scope, now(&test)).unwrap().due, Some(due));
        test.clock.set(due - TimeDelta::milliseconds(1));
        assert!(claim(&test, &scope).is_empty());
        test.clock.set(due);
    }
    let delivery = deliveries(&test, &scope, &created).remove(0);
    assert_eq!((delivery.status, delivery.attempts), (DeliveryStatus::Failed, ATTEMPTS));
    assert_eq!(delivery.last.unwrap().status, Some(500));
    let calls = test.endpoints.calls();
    assert_eq!(calls.len() as u32, ATTEMPTS);
    assert!(calls.iter().all(|call| (&call.id, &call.body) == (&calls[0].id, &calls[0].body)));
    assert!(calls.windows(2).all(|pair| pair[0].at < pair[1].at), "the time is the attempt's");
}

#[test]
fn what_was_given_up_is_delivered_again_if_somebody_wants_it() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let created = create(&test, &scope, &["account.*"]);
    happen(&test, &scope, &CLOSED, &accounts(1));
    deliver(&test, &scope);
    let before = deliveries(&test, &scope, &created).remove(0);
    assert_eq!(before.status, DeliveryStatus::Delivered);
    webhooks::redeliver(&test.platform, &scope, before.endpoint, before.id, &hand()).unwrap();
    deliver(&test, &scope);
    let calls = test.endpoints.calls();
    assert_eq!((calls.len(), &calls[0].id), (2, &calls[1].id));
    assert_eq!(deliveries(&test, &scope, &created).remove(0).status, DeliveryStatus::Delivered);
}

#[test]
fn an_endpoint_is_left_alone_for_as_long_as_it_asks() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let created = create(&test, &scope, &["account.*"]);
    happen(&test, &scope, &CLOSED, &accounts(40));
    test.endpoints.answer(429, Some(Duration::from_secs(120)));
    deliver(&test, &scope);
    assert_eq!(test.endpoints.calls().len(), 1, "the others are not even tried");
    happen(&test, &scope, &CLOSED, &accounts(1));
    let rests_until = now(&test) + TimeDelta::seconds(120);
    assert_eq!(webhooks::outlook(&test.platform, &scope, now(&test)).unwrap().due, Some(rests_until));
    test.clock.set(rests_until - TimeDelta::milliseconds(1));
    assert!(claim(&test, &scope).is_empty());
    test.clock.set(rests_until);
    deliver(&test, &scope);
    assert_eq!(test.endpoints.calls().len(), 42);
    let found = deliveries(&test, &scope, &created);
    assert!(found.iter().all(|delivery| delivery.status == DeliveryStatus::Delivered));
}

#[test]
fn an_endpoint_that_wants_no_more_gets_no_more() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let created = create(&test, &scope, &["account.*"]);
    happen(&test, &scope, &CLOSED, &accounts(1));
    test.endpoints.answer(410, None);
    deliver(&test, &scope);
    let found = endpoint(&test, &scope, &created);
    assert_eq!(found.disabled, Some((DisabledReason::Gone, now(&test))));
    let told = told(&test, &scope, &EventType::WEBHOOK_ENDPOINT_DISABLED);
    assert_eq!((told.len(), &told[0]["reason"]), (1, &"gone".into()));
    happen(&test, &scope, &CLOSED, &accounts(1));
    test.clock.advance(TimeDelta::days(1));
    assert_eq!(webhooks::outlook(&test.platform, &scope, now(&test)).unwrap().due, None);
    assert!(claim(&test, &scope).is_empty());
    // Who enables it again goes on with what happens from then on, and with what was to be tried again.
    let change = Change { enabled: Some(true), ..Change::default() };
    webhooks::update(&test.platform, &scope, created.endpoint.id, change, &hand(), |_| true).unwrap();
    happen(&test, &scope, &CLOSED, &accounts(1));
    deliver(&test, &scope);
    assert_eq!(test.endpoints.calls().len(), 3);
}

#[test]
fn after_five_days_without_a_success_an_endpoint_is_disabled_and_not_before() {
    for relief in [false, true] {
        let test = TestPlatform::new();
        let scope = active(&test);
        let created = create(&test, &scope, &["account.*"]);
        let begun = now(&test);
        for day in 0..=5 {
            test.clock.set(begun + TimeDelta::days(day));
            happen(&test, &scope, &CLOSED, &accounts(1));
            if relief && day == 3 {
                deliver(&test, &scope);
                assert_eq!(endpoint(&test, &scope, &created).failing_since, None);
                continue;
            }
            test.endpoints.always_fail(true);
            deliver(&test, &scope);
            test.endpoints.always_fail(false);
            let found = endpoint(&test, &scope, &created);
            assert_eq!(found.disabled.is_some(), !relief && day == 5, "day {day}");
        }
        let found = endpoint(&test, &scope, &created);
        let disabled = (!relief).then_some((DisabledReason::Failing, begun + PATIENCE));
        assert_eq!(found.disabled, disabled);
        let told = told(&test, &scope, &EventType::WEBHOOK_ENDPOINT_DISABLED);
        assert_eq!(told.len(), usize::from(!relief));
    }
}

#[test]
fn events_of_one_account_are_sent_one_after_the_other_and_wait_for_one_that_failed() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let created = create(&test, &scope, &["account.*"]);
    let (ann, ben) = (Some(sample::id()), Some(sample::id()));
    happen(&test, &scope, &CLOSED, &[ann, ben, ann, ben, ann]);
    // Ids sort by time, and accounts are begun in their order.
    test.endpoints.answer(500, None);
    deliver(&test, &scope);
    assert_eq!(test.endpoints.calls().len(), 3, "one failed, and two of the other account arrived");
    let found = deliveries(&test, &scope, &created);
    let waiting: Vec<_> = found.iter().filter(|delivery| delivery.due.is_some()).collect();
    assert_eq!(waiting.iter().map(|delivery| delivery.attempts).collect::<Vec<_>>(), [1, 0, 0]);
    assert!(waiting.iter().all(|delivery| delivery.due == waiting[0].due));
    test.clock.set(waiting[0].due.unwrap());
    deliver(&test, &scope);
    let sent: Vec<_> = test.endpoints.calls().into_iter().skip(3).map(|call| call.id).collect();
    assert_eq!(sent, waiting.iter().map(|delivery| delivery.event.to_string()).collect::<Vec<_>>());
}

#[test]
fn what_comes_later_waits_for_what_failed_about_the_same_account_until_that_fails_often() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let created = create(&test, &scope, &["account.*"]);
    let (ann, ben) = (Some(sample::id()), Some(sample::id()));
    let mut calls = 0;
    // The answers of this many failing, everything that is due is delivered.
    let mut sends = |failing: usize, expected: usize| {
        (0..failing).for_each(|_| test.endpoints.answer(500, None));
        deliver(&test, &scope);
        calls += expected;
        assert_eq!(test.endpoints.calls().len(), calls);
    };
    let first_due = || {
        let pending = deliveries(&test, &scope, &created).into_iter().filter_map(|delivery| delivery.due);
        pending.min().unwrap()
    };
    happen(&test, &scope, &CLOSED, &[ann]);
    sends(1, 1);
    happen(&test, &scope, &CLOSED, &[ann, ben]);
    sends(0, 1);
    let second = first_due();
    assert!(deliveries(&test, &scope, &created).iter().all(|it| it.due.is_none_or(|due| due == second)));
    test.clock.set(second);
    sends(1, 1);
    happen(&test, &scope, &CLOSED, &[ann]);
    sends(0, 0);
    test.clock.set(first_due());
    // The third attempt fails, too: now the other two go first.
    sends(1, 3);
    happen(&test, &scope, &CLOSED, &[ann]);
    sends(0, 1);
    test.clock.set(first_due());
    sends(0, 1);
    let found = deliveries(&test, &scope, &created);
    assert_eq!(found.iter().map(|delivery| delivery.attempts).collect::<Vec<_>>(), [4, 1, 1, 1, 1]);
    assert!(found.iter().all(|delivery| delivery.status == DeliveryStatus::Delivered));
}

#[test]
fn what_the_log_has_forgotten_is_given_up_and_holds_up_nothing() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let created = create(&test, &scope, &["account.*"]);
    happen(&test, &scope, &CLOSED, &accounts(1));
    deliver(&test, &scope);
    let delivered = deliveries(&test, &scope, &created).remove(0);
    let due = Some(now(&test));
    let forgotten = Delivery {
        id: sample::id(),
        sequence: 999,
        status: DeliveryStatus::Pending,
        due,
        last: None,
        ..delivered.clone()
    };
    let store = test.platform.stores.open(&scope).unwrap();
    happen(&test, &scope, &CLOSED, &accounts(1));
    let settled = store.write::<_, StoreError>(|tx| {
        let claimed = tx.webhooks().claim(sample::uuid(), now(&test), now(&test))?.remove(0);
        tx.webhooks().settle(&SettledSlice {
            endpoint: claimed.endpoint.id,
            lease: claimed.lease,
            new: vec![forgotten.clone()],
            changed: Vec::new(),
            cursor: claimed.cursor,
            failing_since: None,
            rests_until: None,
            keep_until: None,
        })
    });
    settled.unwrap();
    deliver(&test, &scope);
    assert_eq!(test.endpoints.calls().len(), 2);
    let found = deliveries(&test, &scope, &created).into_iter().find(|it| it.id == forgotten.id).unwrap();
    assert_eq!((found.status, found.attempts), (DeliveryStatus::Failed, 1));
    assert_eq!(found.last.unwrap().failure.as_deref(), Some("event_removed"));
    assert_eq!(webhooks::outlook(&test.platform, &scope, now(&test)).unwrap().due, None);
}

#[test]
fn who_died_between_sending_and_recording_has_sent_it_for_nothing_but_lost_nothing() {
    let test = TestPlatform::new();
    let scope = active(&test);
    create(&test, &scope, &["account.*"]);
    happen(&test, &scope, &CLOSED, &accounts(10));
    let dead = claim(&test, &scope).remove(0);
    send(&test, &dead);
    assert!(claim(&test, &scope).is_empty(), "it is leased");
    let until = webhooks::outlook(&test.platform, &scope, now(&test)).unwrap().due.unwrap();
    assert!(until > now(&test));
    test.clock.set(until);
    deliver(&test, &scope);
    let calls = test.endpoints.calls();
    let ids = |calls: &[tenantry_testkit::ReceivedEndpointCall]| {
        let mut ids: Vec<_> = calls.iter().map(|call| call.id.clone()).collect();
        ids.sort();
        ids
    };
    assert_eq!((calls.len(), ids(&calls[..10])), (20, ids(&calls[10..])));
}

#[test]
fn who_slept_until_somebody_else_took_over_records_nothing() {
    let test = TestPlatform::new();
    let scope = active(&test);
    let created = create(&test, &scope, &["account.*"]);
    happen(&test, &scope, &CLOSED, &accounts(1));
    let slept = claim(&test, &scope).remove(0);
    test.endpoints.answer(500, None);
    let outcomes = send(&test, &slept);
    test.clock.set(webhooks::outlook(&test.platform, &scope, now(&test)).unwrap().due.unwrap());
    deliver(&test, &scope);
    assert!(webhooks::settle(&test.platform, &scope, &slept, &outcomes, true).unwrap().is_none());
    let found = deliveries(&test, &scope, &created);
    assert_eq!((found.len(), found[0].status, found[0].attempts), (1, DeliveryStatus::Delivered, 1));
}
