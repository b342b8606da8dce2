//! What an outcome means for a delivery, and a slice of them for the endpoint.

use chrono::{DateTime, Utc};
use tenantry_domain::id::AccountId;
use tenantry_domain::timestamp;
use tenantry_domain::webhook::{DeliveryStatus, DisabledReason, HOLDS_UP, PATIENCE, rest, wait};
use tenantry_ports::{Delivery, DeliveryAttempt, EndpointResponse};

use super::send::Outcome;
use super::slice::{Call, Slice};
use crate::Platform;

/// What became of a slice.
pub(super) struct Verdict {
    pub(super) new: Vec<Delivery>,
    pub(super) changed: Vec<Delivery>,
    pub(super) failing_since: Option<DateTime<Utc>>,
    pub(super) rests_until: Option<DateTime<Utc>>,
    pub(super) disable: Option<DisabledReason>,
}

/// What these outcomes, in the order of the slice's calls, come to.
pub(super) fn judge(platform: &Platform, slice: &Slice, outcomes: &[Outcome], now: DateTime<Utc>) -> Verdict {
    let mut verdict = Verdict {
        new: Vec::new(),
        changed: Vec::new(),
        failing_since: slice.claimed.endpoint.failing_since,
        rests_until: slice.secrets.is_empty().then(|| now + chrono::TimeDelta::minutes(1)),
        disable: None,
    };
    let (mut succeeded, mut failed) = (false, false);
    for outcome in outcomes {
        match outcome {
            Outcome::Answered(answer) if answer.is_success() => succeeded = true,
            Outcome::Answered(answer) => {
                failed = true;
                verdict.rests_until = verdict.rests_until.max(rest(answer.status, answer.retry_after, now));
                if answer.status == 410 {
                    verdict.disable = Some(DisabledReason::Gone);
                }
            }
            Outcome::Failed(_) => failed = true,
            Outcome::Deferred => {}
        }
    }
    match (succeeded, failed) {
        (true, _) => verdict.failing_since = None,
        (false, true) => verdict.failing_since = verdict.failing_since.or(Some(now)),
        (false, false) => {}
    }
    if !succeeded && failed && verdict.failing_since.is_some_and(|since| now - since >= PATIENCE) {
        verdict.disable = verdict.disable.or(Some(DisabledReason::Failing));
    }
    // What was not sent because something about the same account failed comes with that.
    let mut behind: Vec<(AccountId, DateTime<Utc>)> = Vec::new();
    for (call, outcome) in slice.calls.iter().zip(outcomes) {
        let delivery = after(platform, call, outcome, now, &behind, verdict.rests_until);
        if let (Some(account), Some(due), false) =
            (call.account, delivery.due, matches!(outcome, Outcome::Deferred))
            && delivery.attempts <= HOLDS_UP
        {
            behind.push((account, due));
        }
        if call.is_new { verdict.new.push(delivery) } else { verdict.changed.push(delivery) }
    }
    verdict.changed.extend(slice.lost.iter().map(|delivery| lost(delivery, now)));
    verdict
}

fn after(
    platform: &Platform,
    call: &Call,
    outcome: &Outcome,
    now: DateTime<Utc>,
    behind: &[(AccountId, DateTime<Utc>)],
    rests_until: Option<DateTime<Utc>>,
) -> Delivery {
    let before = call.delivery.clone();
    let (last, asked, arrived) = match outcome {
        Outcome::Answered(answer) => (answered(answer, now), answer.retry_after, answer.is_success()),
        Outcome::Failed(failure) => (unanswered(failure.class.as_str(), now), None, false),
        Outcome::Deferred => {
            let first =
                behind.iter().find(|(account, _)| call.account == Some(*account)).map(|(_, due)| *due);
            let due = first.or(call.waits).unwrap_or(now).max(rests_until.unwrap_or(now));
            return Delivery { status: DeliveryStatus::Pending, due: Some(due), ..before };
        }
    };
    let attempts = before.attempts + 1;
    let again = wait(attempts, platform.entropy.unit(), asked).map(|wait| now + wait);
    let (status, due) = match (arrived, again) {
        (true, _) => (DeliveryStatus::Delivered, None),
        (false, Some(due)) => (DeliveryStatus::Pending, Some(due)),
        (false, None) => (DeliveryStatus::Failed, None),
    };
    Delivery { status, due, attempts, last: Some(last), ..before }
}

/// It can never be made: its event is not in the log any more.
fn lost(delivery: &Delivery, now: DateTime<Utc>) -> Delivery {
    let last = Some(unanswered("event_removed", now));
    Delivery { status: DeliveryStatus::Failed, due: None, last, ..delivery.clone() }
}

/// The attempt that was answered like this.
pub(super) fn answered(answer: &EndpointResponse, at: DateTime<Utc>) -> DeliveryAttempt {
    DeliveryAttempt {
        at: timestamp::whole_millis(at),
        status: Some(answer.status),
        excerpt: answer.excerpt.clone(),
        failure: None,
        took: u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX),
    }
}

/// The attempt that was not answered, for this reason.
pub(super) fn unanswered(failure: &str, at: DateTime<Utc>) -> DeliveryAttempt {
    DeliveryAttempt {
        at: timestamp::whole_millis(at),
        status: None,
        excerpt: String::new(),
        failure: Some(failure.to_owned()),
        took: 0,
    }
}
