//! Facts about notices: the outbox of what is told outside.

use std::collections::BTreeMap;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::{EventId, TenantId};
use tenantry_ports::{
    Attempted, Channel, ClaimedNotice, Constraint, Notice, NoticeFilter, NoticeRecord, NoticeState,
    NoticeStatus, Settlement, StoreError,
};

use crate::contract::{Subject, conflict};
use crate::sample;

const LEASE: TimeDelta = TimeDelta::seconds(10);
const MOMENT: TimeDelta = TimeDelta::microseconds(1);

fn tenant(subject: &dyn Subject, slug: &str) -> TenantId {
    let tenant = sample::tenant(slug);
    subject.control().write(|tx| tx.tenants().insert(&tenant)).expect("the tenant is added");
    tenant.id
}

fn insert(subject: &dyn Subject, notices: &[Notice]) {
    subject.control().write(|tx| tx.notices().insert(notices)).expect("the notices are added");
}

/// A webhook's notice of this tenant, due at that second.
fn due(subject: &dyn Subject, tenant: TenantId, second: i64) -> Notice {
    let notice = Notice { created_at: sample::at(second), ..sample::notice(tenant) };
    insert(subject, std::slice::from_ref(&notice));
    notice
}

fn claim_of(subject: &dyn Subject, channel: Channel, now: DateTime<Utc>, limit: usize) -> Vec<ClaimedNotice> {
    let claimed = subject.control().write(|tx| tx.notices().claim(channel, "notifier-1", now, LEASE, limit));
    claimed.expect("claiming does not fail")
}

fn claim(subject: &dyn Subject, now: DateTime<Utc>) -> Vec<ClaimedNotice> {
    claim_of(subject, Channel::Webhook, now, 100)
}

fn ids(claimed: &[ClaimedNotice]) -> Vec<EventId> {
    claimed.iter().map(|claimed| claimed.notice.id).collect()
}

fn settlement(claimed: &ClaimedNotice, outcome: Attempted) -> Settlement {
    let Notice { id, channel, .. } = claimed.notice;
    Settlement { id, channel, attempt: claimed.attempt, outcome }
}

fn settle(subject: &dyn Subject, settlements: &[Settlement], now: DateTime<Utc>) -> usize {
    subject.control().write(|tx| tx.notices().settle(settlements, now)).expect("settling does not fail")
}

fn again(at: DateTime<Utc>) -> Attempted {
    Attempted::Again { at, error: sample::ODD_TEXT.to_owned() }
}

fn given_up() -> Attempted {
    Attempted::GivenUp { error: "the last straw".to_owned() }
}

fn page(subject: &dyn Subject, filter: NoticeFilter) -> Vec<NoticeRecord> {
    subject.control().read(|tx| tx.notices().page(&filter, None, 1000)).expect("the notices are read")
}

fn all(subject: &dyn Subject) -> Vec<NoticeRecord> {
    page(subject, NoticeFilter::default())
}

/// Every member of a notice comes back as it went in, claimed and listed; one event has one notice per channel.
pub fn a_notice_is_read_back_whole(subject: &dyn Subject) {
    let tenant = tenant(subject, "acme");
    let webhook = Notice { payload: sample::ODD_TEXT.to_owned(), ..sample::notice(tenant) };
    let mail = Notice { channel: Channel::Mail, payload: "{}".to_owned(), ..webhook.clone() };
    insert(subject, &[webhook.clone(), mail.clone()]);
    insert(subject, &[]);
    let waiting = |notice: &Notice| NoticeRecord {
        notice: notice.clone(),
        state: NoticeState::Pending { due: notice.created_at },
        attempts: 0,
        last_error: None,
    };
    assert_eq!(all(subject), [waiting(&webhook), waiting(&mail)]);
    for notice in [webhook, mail] {
        let claimed = claim_of(subject, notice.channel, notice.created_at, 10);
        assert_eq!(claimed, [ClaimedNotice { notice, attempt: 1 }]);
    }
}

/// Nothing is told twice because it was written down twice.
pub fn an_event_is_noted_once_per_channel(subject: &dyn Subject) {
    let tenant = tenant(subject, "acme");
    let notice = due(subject, tenant, 0);
    let twice = Notice { payload: "another".to_owned(), ..notice.clone() };
    let outcome = subject.control().write(|tx| tx.notices().insert(std::slice::from_ref(&twice)));
    assert!(conflict(&outcome, Constraint::Notice), "{outcome:?}");
    let other = sample::notice(tenant);
    let outcome = subject.control().write(|tx| tx.notices().insert(&[other.clone(), other.clone()]));
    assert!(conflict(&outcome, Constraint::Notice), "{outcome:?}");
    assert_eq!(all(subject).into_iter().map(|record| record.notice).collect::<Vec<_>>(), [notice]);
}

/// What is rolled back is not told.
pub fn a_notice_that_is_rolled_back_was_never_written(subject: &dyn Subject) {
    let tenant = tenant(subject, "acme");
    let outcome: Result<(), StoreError> = subject.control().write(|tx| {
        tx.notices().insert(&[sample::notice(tenant)])?;
        Err(StoreError::Stale)
    });
    assert!(outcome.is_err());
    assert_eq!(all(subject), []);
}

/// A notice is about a tenant that is there.
pub fn a_notice_of_nobody_is_refused(subject: &dyn Subject) {
    let outcome = subject.control().write(|tx| tx.notices().insert(&[sample::notice(sample::id())]));
    assert!(matches!(outcome, Err(StoreError::Failed(_))), "{outcome:?}");
}

/// The channels do not see each other's notices.
pub fn channels_are_claimed_apart(subject: &dyn Subject) {
    let tenant = tenant(subject, "acme");
    let webhook = sample::notice(tenant);
    let mail = Notice { channel: Channel::Mail, ..sample::notice(tenant) };
    insert(subject, &[webhook.clone(), mail.clone()]);
    assert_eq!(ids(&claim_of(subject, Channel::Mail, sample::at(1), 10)), [mail.id]);
    assert_eq!(ids(&claim_of(subject, Channel::Webhook, sample::at(1), 10)), [webhook.id]);
}

/// A notice is not claimed before it is due, and the one longest due comes first; no more than were asked for.
pub fn what_is_longest_due_is_claimed_first(subject: &dyn Subject) {
    let tenants: Vec<_> = (0..4).map(|number| tenant(subject, &format!("acme-{number}"))).collect();
    let last = due(subject, tenants[0], 30);
    let first = due(subject, tenants[1], 10);
    let middle = due(subject, tenants[2], 20);
    due(subject, tenants[3], 60);
    assert_eq!(claim(subject, sample::at(10) - MOMENT), []);
    let claimed = claim_of(subject, Channel::Webhook, sample::at(59), 2);
    assert_eq!(ids(&claimed), [first.id, middle.id]);
    assert_eq!(ids(&claim(subject, sample::at(59))), [last.id]);
    assert_eq!(claim(subject, sample::at(59)), []);
}

/// As long as one of a tenant's notices is under way, no later one of it is claimed: what goes well arrives in order. One
/// that failed and waits holds up nobody.
pub fn a_tenants_notices_go_one_after_the_other(subject: &dyn Subject) {
    let (acme, other) = (tenant(subject, "acme"), tenant(subject, "other"));
    // Written down together, so that the ids decide.
    let notices: Vec<_> = (0..3).map(|_| sample::notice(acme)).collect();
    insert(subject, &[notices[2].clone(), notices[0].clone(), notices[1].clone()]);
    let others = due(subject, other, 5);
    let first = claim(subject, sample::at(5));
    assert_eq!(ids(&first), [notices[0].id, others.id]);
    assert_eq!(claim(subject, sample::at(6)), []);
    settle(subject, &[settlement(&first[0], Attempted::Delivered)], sample::at(6));
    let second = claim(subject, sample::at(6));
    assert_eq!(ids(&second), [notices[1].id]);
    settle(subject, &[settlement(&second[0], again(sample::at(60)))], sample::at(7));
    assert_eq!(ids(&claim(subject, sample::at(7))), [notices[2].id]);
}

/// A leased notice is nobody else's until the lease is over; each claim counts as an attempt.
pub fn a_lease_excludes_others_until_it_is_over(subject: &dyn Subject) {
    let notice = due(subject, tenant(subject, "acme"), 0);
    let now = sample::at(0);
    assert_eq!(claim(subject, now)[0].attempt, 1);
    assert_eq!(claim(subject, now + LEASE - MOMENT), []);
    let later = claim(subject, now + LEASE);
    assert_eq!(later, [ClaimedNotice { notice, attempt: 2 }]);
}

/// Delivered is delivered: nobody claims it again, and the record says when it was.
pub fn a_delivered_notice_is_done_with(subject: &dyn Subject) {
    let notice = due(subject, tenant(subject, "acme"), 0);
    let claimed = claim(subject, sample::at(0));
    assert_eq!(settle(subject, &[settlement(&claimed[0], Attempted::Delivered)], sample::at(1)), 1);
    assert_eq!(claim(subject, sample::at(1_000_000)), []);
    let state = NoticeState::Delivered { at: sample::at(1) };
    assert_eq!(all(subject), [NoticeRecord { notice, state, attempts: 1, last_error: None }]);
}

/// A notice that failed is claimed again when it is due, and keeps what went wrong, also once it has arrived.
pub fn a_failed_notice_is_claimed_again_when_due(subject: &dyn Subject) {
    let notice = due(subject, tenant(subject, "acme"), 0);
    let claimed = claim(subject, sample::at(0));
    settle(subject, &[settlement(&claimed[0], again(sample::at(60)))], sample::at(1));
    let last_error = Some(sample::ODD_TEXT.to_owned());
    let record = |state, attempts| NoticeRecord {
        notice: notice.clone(),
        state,
        attempts,
        last_error: last_error.clone(),
    };
    assert_eq!(all(subject), [record(NoticeState::Pending { due: sample::at(60) }, 1)]);
    assert_eq!(claim(subject, sample::at(60) - MOMENT), []);
    let claimed = claim(subject, sample::at(60));
    assert_eq!(claimed[0].attempt, 2);
    settle(subject, &[settlement(&claimed[0], Attempted::Delivered)], sample::at(61));
    assert_eq!(all(subject), [record(NoticeState::Delivered { at: sample::at(61) }, 2)]);
}

/// A notice that was given up is not claimed again, and says why.
pub fn a_notice_that_was_given_up_is_kept_with_its_error(subject: &dyn Subject) {
    let notice = due(subject, tenant(subject, "acme"), 0);
    let claimed = claim(subject, sample::at(0));
    settle(subject, &[settlement(&claimed[0], given_up())], sample::at(1));
    assert_eq!(claim(subject, sample::at(1_000_000)), []);
    let state = NoticeState::GivenUp { at: sample::at(1) };
    let last_error = Some("the last straw".to_owned());
    assert_eq!(all(subject), [NoticeRecord { notice, state, attempts: 1, last_error }]);
}

/// What was given up is due again when told, of one event or all, and nothing else is; it is then as if it had never been
/// given up, but for its attempts.
pub fn what_was_given_up_is_sent_again_when_told(subject: &dyn Subject) {
    let [one, other, done, waiting] = ["one", "other", "done", "waiting"].map(|slug| tenant(subject, slug));
    let [one, other, done] = [one, other, done].map(|tenant| due(subject, tenant, 1));
    let claimed = claim(subject, sample::at(1));
    assert_eq!(claimed.len(), 3);
    let outcome = |id| if id == done.id { Attempted::Delivered } else { given_up() };
    let settlements: Vec<_> =
        claimed.iter().map(|claimed| settlement(claimed, outcome(claimed.notice.id))).collect();
    assert_eq!(settle(subject, &settlements, sample::at(2)), 3);
    let waiting = due(subject, waiting, 9);

    let resend = |event, second| {
        let resent = subject.control().write(|tx| tx.notices().resend(event, sample::at(second)));
        resent.expect("resending does not fail")
    };
    for nothing in [done.id, waiting.id] {
        assert_eq!(resend(Some(nothing), 3), 0);
    }
    assert_eq!(resend(Some(one.id), 3), 1);
    assert!(claim(subject, sample::at(3) - MOMENT).is_empty());
    let again = claim(subject, sample::at(3));
    assert_eq!((ids(&again), again[0].attempt), (vec![one.id], 2));
    assert_eq!(settle(subject, &settlements[..], sample::at(3)), 0, "whoever gave it up is too late");
    assert_eq!(settle(subject, &[settlement(&again[0], Attempted::Delivered)], sample::at(4)), 1);

    assert_eq!((resend(None, 5), resend(None, 5)), (1, 0));
    let found = all(subject).into_iter().find(|record| record.notice.id == other.id).expect("it is kept");
    assert_eq!((found.state, found.attempts), (NoticeState::Pending { due: sample::at(5) }, 1));
    assert_eq!(found.last_error.as_deref(), Some("the last straw"));
    assert_eq!(ids(&claim(subject, sample::at(5))), [other.id]);
}

/// Who slept through the end of a lease settles nothing: neither while somebody else is at it, nor afterwards; and the
/// neighbours in the slice are settled all the same.
pub fn a_zombie_settles_nothing(subject: &dyn Subject) {
    let (acme, other) = (tenant(subject, "acme"), tenant(subject, "other"));
    due(subject, acme, 0);
    due(subject, other, 1);
    let zombie = claim_of(subject, Channel::Webhook, sample::at(1), 1);
    let taken_over = claim(subject, sample::at(1) + LEASE);
    assert_eq!((ids(&zombie), taken_over.len()), (ids(&taken_over[..1]), 2));
    let late = settlement(&zombie[0], given_up());
    let good = settlement(&taken_over[1], Attempted::Delivered);
    assert_eq!(settle(subject, &[late.clone(), good], sample::at(20)), 1);
    let done = settlement(&taken_over[0], Attempted::Delivered);
    assert_eq!(settle(subject, std::slice::from_ref(&done), sample::at(21)), 1);
    assert_eq!(settle(subject, &[late, done], sample::at(22)), 0);
    let states: Vec<_> = all(subject).into_iter().map(|record| record.state).collect();
    assert_eq!(states, [20, 21].map(|second| NoticeState::Delivered { at: sample::at(second) }));
}

/// A lease that is over but that nobody has taken over still settles: it did arrive.
pub fn a_lease_that_is_over_but_not_taken_over_still_settles(subject: &dyn Subject) {
    due(subject, tenant(subject, "acme"), 0);
    let claimed = claim(subject, sample::at(0));
    let delivered = settlement(&claimed[0], Attempted::Delivered);
    assert_eq!(settle(subject, &[delivered], sample::at(0) + LEASE * 2), 1);
}

/// Pages are newest first and complete, and filtered by state and tenant.
pub fn notices_are_listed_newest_first_and_filtered(subject: &dyn Subject) {
    let (acme, other) = (tenant(subject, "acme"), tenant(subject, "other"));
    let mut notices = Vec::new();
    for second in 0..6 {
        let owner = if second % 2 == 0 { acme } else { other };
        let webhook = due(subject, owner, second);
        let mail = Notice { channel: Channel::Mail, ..webhook.clone() };
        insert(subject, std::slice::from_ref(&mail));
        notices.extend([mail, webhook]);
    }
    notices.reverse();
    let delivered = claim_of(subject, Channel::Mail, sample::at(9), 1);
    let lost = claim_of(subject, Channel::Webhook, sample::at(9), 1);
    let outcomes = [settlement(&delivered[0], Attempted::Delivered), settlement(&lost[0], given_up())];
    assert_eq!(settle(subject, &outcomes, sample::at(9)), 2);

    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = subject.control().read(|tx| tx.notices().page(&NoticeFilter::default(), after, 5));
        let page = page.expect("a page");
        let Some(last) = page.last() else { break };
        after = Some((last.notice.id, last.notice.channel));
        assert!(page.len() <= 5);
        found.extend(page.into_iter().map(|record| record.notice));
    }
    assert_eq!(found, notices);

    let count = |status, tenant| page(subject, NoticeFilter { status, tenant }).len();
    assert_eq!(count(None, Some(acme)), 6);
    assert_eq!(count(None, Some(sample::id())), 0);
    for (status, expected) in
        [(NoticeStatus::Pending, 10), (NoticeStatus::Delivered, 1), (NoticeStatus::GivenUp, 1)]
    {
        assert_eq!(count(Some(status), None), expected, "{status}");
        let found = page(subject, NoticeFilter { status: Some(status), tenant: None });
        assert!(found.iter().all(|record| record.state.status() == status));
    }
    assert_eq!(count(Some(NoticeStatus::Delivered), Some(other)), 0);
}

/// What was settled long ago is forgotten, a slice at a time; what waits is not, however old it is.
pub fn only_settled_notices_are_pruned(subject: &dyn Subject) {
    let owners: Vec<_> = (0..4).map(|number| tenant(subject, &format!("acme-{number}"))).collect();
    let notices: Vec<_> = owners.iter().map(|owner| due(subject, *owner, 0)).collect();
    let claimed = claim(subject, sample::at(0));
    settle(subject, &[settlement(&claimed[0], Attempted::Delivered)], sample::at(1));
    settle(subject, &[settlement(&claimed[1], given_up())], sample::at(2));
    settle(subject, &[settlement(&claimed[2], Attempted::Delivered)], sample::at(3));
    let prune = |second, limit| {
        let pruned = subject.control().write(|tx| tx.notices().prune(sample::at(second), limit));
        pruned.expect("pruning does not fail")
    };
    assert_eq!(prune(1, 10), 0);
    assert_eq!(prune(3, 1), 1);
    assert_eq!(prune(3, 10), 1);
    let left: Vec<_> = all(subject).into_iter().map(|record| record.notice.id).collect();
    assert_eq!(left, [notices[3].id, notices[2].id]);
    assert_eq!(prune(1_000_000, 10), 1);
    assert_eq!(all(subject).len(), 1);
}

/// However many look for work at once, every notice is claimed by one of them.
pub fn concurrent_claimers_get_each_notice_exactly_once(subject: &dyn Subject) {
    let owners: Vec<_> = (0..6).map(|number| tenant(subject, &format!("acme-{number}"))).collect();
    for second in 0..30 {
        due(subject, owners[second % owners.len()], i64::try_from(second).expect("a small number"));
    }
    let claims = Mutex::new(BTreeMap::<EventId, u32>::new());
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                // What others are at is not to be had, so that a look may find nothing although there is something left.
                while claims.lock().expect("no panic").len() < 30 {
                    let claimed = claim_of(subject, Channel::Webhook, sample::at(100), 4);
                    let mut settled = Vec::new();
                    for claimed in &claimed {
                        *claims.lock().expect("no panic").entry(claimed.notice.id).or_default() += 1;
                        settled.push(settlement(claimed, Attempted::Delivered));
                    }
                    assert_eq!(settle(subject, &settled, sample::at(101)), settled.len());
                }
            });
        }
    });
    let claims = claims.into_inner().expect("no panic");
    assert_eq!((claims.len(), claims.values().all(|count| *count == 1)), (30, true), "{claims:?}");
}
