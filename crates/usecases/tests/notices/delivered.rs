//! What becomes of it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tenantry_ports::{Channel, Clock as _, Notice, NoticeFilter, NoticeState, NoticeStatus, WebhookFailure};
use tenantry_testkit::{TestPlatform, sample};
use tenantry_usecases::notices::{Happening, KEPT, list, prune};

use crate::{active, deliver, deliver_all, event, records, tell};

#[tokio::test]
async fn nothing_is_looked_for_where_nobody_is_told() {
    let world = TestPlatform::new();
    assert_eq!(deliver(&world, Channel::Webhook).await + deliver(&world, Channel::Mail).await, 0);
}

#[tokio::test]
async fn what_has_arrived_is_not_told_again() {
    let world = TestPlatform::telling();
    tell(&world, &active(&world, "acme"), Happening::Activated);
    assert_eq!(deliver(&world, Channel::Webhook).await, 1);
    assert_eq!(deliver(&world, Channel::Mail).await, 1);
    world.clock.advance(TimeDelta::days(10));
    deliver_all(&world).await;
    assert_eq!((world.webhooks.calls().len(), world.mailer.mails().len()), (1, 1));
    let statuses = records(&world).iter().map(|record| record.state.status()).collect::<Vec<_>>();
    assert_eq!(statuses, [NoticeStatus::Delivered; 2]);
}

#[tokio::test]
async fn a_tenants_events_arrive_in_order_and_tenants_do_not_wait_for_each_other() {
    let world = TestPlatform::telling();
    let tenants = [active(&world, "acme"), active(&world, "other")];
    let happenings = [Happening::Queued, Happening::Started, Happening::Activated, Happening::Suspended];
    for what in happenings {
        tenants.iter().for_each(|tenant| tell(&world, tenant, what));
    }
    assert_eq!(deliver(&world, Channel::Webhook).await, 2, "one of each tenant");
    deliver_all(&world).await;
    for tenant in &tenants {
        let calls = world.webhooks.calls();
        let told: Vec<_> =
            calls.iter().map(event).filter(|event| event.tenant_id == Some(tenant.id)).collect();
        let types: Vec<_> = told.iter().map(|event| event.event_type.as_str()).collect();
        assert_eq!(
            types,
            [
                "tenant.provisioning.queued",
                "tenant.provisioning.started",
                "tenant.activated",
                "tenant.suspended"
            ]
        );
        assert!(told.windows(2).all(|pair| pair[0].id < pair[1].id));
    }
}

/// Lets time pass until the notice is tried again; how long that was.
async fn next_attempt(world: &TestPlatform, channel: Channel) -> Option<TimeDelta> {
    let record = records(world).into_iter().find(|record| record.notice.channel == channel)?;
    let NoticeState::Pending { due } = record.state else { return None };
    let before = world.clock.now();
    world.clock.set(due - TimeDelta::microseconds(1));
    assert_eq!(deliver(world, channel).await, 0, "not before it is due");
    world.clock.set(due);
    assert_eq!(deliver(world, channel).await, 1);
    Some(due - before)
}

#[tokio::test]
async fn a_webhook_that_is_down_is_called_for_days_with_the_same_id_and_body_and_then_given_up() {
    let world = TestPlatform::telling();
    tell(&world, &active(&world, "acme"), Happening::Suspended);
    for status in [500, 302, 404, 429] {
        world.webhooks.answer(status, None);
    }
    for _ in 0..5 {
        world.webhooks.fail(WebhookFailure::TimedOut);
    }
    world.webhooks.answer(503, None);
    let begin = world.clock.now();
    assert_eq!(deliver(&world, Channel::Webhook).await, 1);
    let mut waits = Vec::new();
    while let Some(wait) = next_attempt(&world, Channel::Webhook).await {
        waits.push(wait);
    }
    let list = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    assert_eq!(waits.len(), list.len());
    for (wait, listed) in waits.iter().zip(list) {
        let (least, most) = (TimeDelta::milliseconds(listed * 800), TimeDelta::milliseconds(listed * 1200));
        assert!((least..=most).contains(wait), "{wait} instead of {listed} s");
    }

    let calls = world.webhooks.calls();
    assert_eq!(calls.len(), 10);
    let mut at = begin;
    for (call, wait) in calls.iter().zip([&TimeDelta::zero()].into_iter().chain(&waits)) {
        at += *wait;
        assert_eq!((&call.id, &call.body, call.at), (&calls[0].id, &calls[0].body, at));
        let signed = |secret: &str| format!("v1,{secret}:{}.{}.{}", call.id, at.timestamp(), call.body.len());
        assert_eq!(
            call.signature,
            format!("{} {}", signed("new"), signed("old")),
            "each attempt is signed anew"
        );
    }
    let record = &records(&world)[0];
    assert_eq!((record.state.status(), record.attempts), (NoticeStatus::GivenUp, 10));
    assert_eq!(record.last_error.as_deref(), Some("status 503 as it was told"));
}

#[tokio::test]
async fn a_receiver_that_is_back_gets_what_it_missed() {
    let world = TestPlatform::telling();
    let tenant = active(&world, "acme");
    world.webhooks.fail(WebhookFailure::Unreachable("connection refused".to_owned()));
    tell(&world, &tenant, Happening::Queued);
    tell(&world, &tenant, Happening::Started);
    deliver_all(&world).await;
    assert_eq!(world.webhooks.calls().len(), 2, "what failed does not hold up what came after it");
    assert!(next_attempt(&world, Channel::Webhook).await.is_some());
    let records = records(&world);
    assert!(records.iter().all(|record| record.state.status() == NoticeStatus::Delivered));
    assert_eq!(records[0].last_error.as_deref(), Some("no answer: connection refused"));
}

#[tokio::test]
async fn a_receiver_that_asks_for_patience_gets_it() {
    for (asked, least, most) in [(3_600, 3_600, 3_600), (1, 4, 6), (u64::MAX, 86_400, 86_400)] {
        let world = TestPlatform::telling();
        tell(&world, &active(&world, "acme"), Happening::Suspended);
        world.webhooks.answer(429, Some(Duration::from_secs(asked)));
        assert_eq!(deliver(&world, Channel::Webhook).await, 1);
        let wait = next_attempt(&world, Channel::Webhook).await.unwrap();
        assert!((TimeDelta::seconds(least)..=TimeDelta::seconds(most)).contains(&wait), "{asked}: {wait}");
    }
}

#[tokio::test]
async fn a_receiver_that_is_gone_for_good_is_not_called_again() {
    let world = TestPlatform::telling();
    tell(&world, &active(&world, "acme"), Happening::Suspended);
    world.webhooks.answer(410, None);
    assert_eq!(deliver(&world, Channel::Webhook).await, 1);
    assert_eq!(records(&world)[0].state.status(), NoticeStatus::GivenUp);
}

#[tokio::test]
async fn a_mail_is_tried_for_two_days_unless_it_is_refused_for_good() {
    let world = TestPlatform::telling();
    tell(&world, &active(&world, "acme"), Happening::Activated);
    for _ in 0..7 {
        world.mailer.fail(false);
    }
    assert_eq!(deliver(&world, Channel::Mail).await, 1);
    let mut total = TimeDelta::zero();
    while let Some(wait) = next_attempt(&world, Channel::Mail).await {
        total += wait;
    }
    assert_eq!(world.mailer.mails().len(), 7);
    assert!(world.mailer.mails().windows(2).all(|pair| pair[0] == pair[1]), "every attempt is the same mail");
    assert!((24..48).contains(&total.num_hours()), "{total}");

    let world = TestPlatform::telling();
    tell(&world, &active(&world, "acme"), Happening::Activated);
    world.mailer.fail(true);
    assert_eq!(deliver(&world, Channel::Mail).await, 1);
    let record = records(&world).into_iter().find(|record| record.notice.channel == Channel::Mail).unwrap();
    assert_eq!((record.state.status(), record.attempts), (NoticeStatus::GivenUp, 1));
    assert_eq!(record.last_error.as_deref(), Some("554 5.7.1 not today"));
}

#[tokio::test]
async fn what_a_dead_worker_had_claimed_is_delivered_by_another() {
    let world = TestPlatform::telling();
    tell(&world, &active(&world, "acme"), Happening::Suspended);
    let now: DateTime<Utc> = world.clock.now();
    let lease = TimeDelta::seconds(20);
    let claim =
        world.platform.control.write(|tx| tx.notices().claim(Channel::Webhook, "dead", now, lease, 10));
    assert_eq!(claim.unwrap().len(), 1);
    assert_eq!(deliver(&world, Channel::Webhook).await, 0);
    world.clock.advance(lease);
    assert_eq!(deliver(&world, Channel::Webhook).await, 1);
    assert_eq!(records(&world)[0].state.status(), NoticeStatus::Delivered);
}

#[tokio::test]
async fn errors_are_kept_short_and_in_one_line() {
    let world = TestPlatform::telling();
    tell(&world, &active(&world, "acme"), Happening::Suspended);
    world.webhooks.fail(WebhookFailure::Unreachable(format!("a\r\nb\0{}", "é".repeat(1000))));
    deliver(&world, Channel::Webhook).await;
    let error = records(&world)[0].last_error.clone().unwrap();
    assert!(error.starts_with("no answer: a  b é") && error.chars().count() == 500, "{error}");
}

#[tokio::test]
async fn a_payload_that_cannot_be_read_harms_no_other() {
    let world = TestPlatform::telling();
    let (acme, other) = (active(&world, "acme"), active(&world, "other"));
    let spoilt = Notice { channel: Channel::Mail, payload: "{}".to_owned(), ..sample::notice(acme.id) };
    world.platform.control.write(|tx| tx.notices().insert(&[spoilt])).unwrap();
    tell(&world, &other, Happening::Activated);
    assert_eq!(deliver(&world, Channel::Mail).await, 2);
    assert_eq!(world.mailer.mails().len(), 1);
    let given_up = NoticeFilter { status: Some(NoticeStatus::GivenUp), tenant: Some(acme.id) };
    assert_eq!(list(&world.platform, &given_up, None, 10).unwrap().len(), 1);
}

#[tokio::test]
async fn settled_notices_are_forgotten_after_a_while() {
    let world = TestPlatform::telling();
    let tenant = active(&world, "acme");
    tell(&world, &tenant, Happening::Activated);
    deliver_all(&world).await;
    world.clock.advance(KEPT - TimeDelta::seconds(1));
    tell(&world, &tenant, Happening::Suspended);
    assert_eq!(prune(&world.platform).unwrap(), 0);
    world.clock.advance(TimeDelta::seconds(2));
    assert_eq!(prune(&world.platform).unwrap(), 2);
    let left: Vec<Value> =
        records(&world).iter().map(|record| serde_json::from_str(&record.notice.payload).unwrap()).collect();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["eventType"], "tenant.suspended", "what waits is kept");
}
