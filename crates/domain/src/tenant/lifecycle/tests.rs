use super::*;

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
}

const TOKEN: Uuid = Uuid::from_u128(7);

fn sample(status: Status) -> Lifecycle {
    match status {
        Status::PendingValidation => Lifecycle::announced(TOKEN, at(0)),
        Status::Queued => Lifecycle::Queued { since: at(1) },
        Status::Provisioning => Lifecycle::Provisioning { since: at(1) },
        Status::Active => Lifecycle::Active { since: at(1) },
        Status::Suspended => Lifecycle::Suspended { since: at(1) },
        Status::Failed => Lifecycle::Failed { at: at(1), reason: reason(), needs_attention: false },
        Status::Expired => Lifecycle::Expired { at: at(1) },
        Status::Deprovisioning => going(true, Former::Active),
        Status::Deleted => Lifecycle::Deleted { at: at(1) },
    }
}

fn going(begun: bool, former: Former) -> Lifecycle {
    Lifecycle::Deprovisioning { since: at(1), drop_at: at(60), begun, former }
}

fn reason() -> StepError {
    StepError { code: "database_unavailable".into(), message: "Failed to connect to database server".into() }
}

fn attempt(state: Lifecycle, transition: Transition) -> Next {
    match transition {
        Transition::Confirm => state.confirm(TOKEN, at(15)),
        Transition::Expire => state.expire(at(16)),
        Transition::Start => state.start(at(2)),
        Transition::Activate => state.activate(at(2)),
        Transition::Withhold => state.withhold(at(2)),
        Transition::Fail => state.fail(reason(), false, at(2)),
        Transition::Suspend => state.suspend(at(2)),
        Transition::Resume => state.resume(at(2)),
        Transition::Retry => state.retry(at(2)),
        Transition::Deprovision => state.deprovision(TimeDelta::hours(1), at(2)),
        Transition::Restore => state.restore(at(2)),
        Transition::Delete => state.delete(at(2)),
    }
}

const TRANSITIONS: [Transition; 12] = [
    Transition::Confirm,
    Transition::Expire,
    Transition::Start,
    Transition::Activate,
    Transition::Withhold,
    Transition::Fail,
    Transition::Suspend,
    Transition::Resume,
    Transition::Retry,
    Transition::Deprovision,
    Transition::Restore,
    Transition::Delete,
];

/// Every legal move; any other pair must be refused.
const LEGAL: [(Status, Transition, Status); 15] = [
    (Status::PendingValidation, Transition::Confirm, Status::Queued),
    (Status::PendingValidation, Transition::Expire, Status::Expired),
    (Status::Queued, Transition::Start, Status::Provisioning),
    (Status::Provisioning, Transition::Start, Status::Provisioning),
    (Status::Provisioning, Transition::Activate, Status::Active),
    (Status::Provisioning, Transition::Withhold, Status::Suspended),
    (Status::Provisioning, Transition::Fail, Status::Failed),
    (Status::Active, Transition::Suspend, Status::Suspended),
    (Status::Suspended, Transition::Resume, Status::Active),
    (Status::Failed, Transition::Retry, Status::Queued),
    (Status::Active, Transition::Deprovision, Status::Deprovisioning),
    (Status::Suspended, Transition::Deprovision, Status::Deprovisioning),
    (Status::Failed, Transition::Deprovision, Status::Deprovisioning),
    (Status::Deprovisioning, Transition::Start, Status::Deprovisioning),
    (Status::Deprovisioning, Transition::Delete, Status::Deleted),
];

#[test]
fn the_full_transition_matrix() {
    for from in Status::ALL {
        for transition in TRANSITIONS {
            let expected = LEGAL
                .iter()
                .find(|(state, by, _)| (*state, *by) == (from, transition))
                .map(|(_, _, to)| *to)
                .ok_or(InvalidTransition { from, transition });
            let actual = attempt(sample(from), transition).map(|next| next.status());
            assert_eq!(actual, expected, "{from} {transition:?}");
        }
    }
}

#[test]
fn confirming_takes_the_right_token_in_time() {
    let announced = sample(Status::PendingValidation);
    assert!(announced.clone().confirm(TOKEN, at(15)).is_ok());
    assert!(announced.clone().confirm(TOKEN, at(15) + TimeDelta::microseconds(1)).is_err());
    assert!(announced.clone().confirm(Uuid::from_u128(8), at(1)).is_err());
    assert!(announced.expire(at(15)).is_err(), "not before it can no longer be confirmed");
}

#[test]
fn a_slug_is_free_only_where_no_database_can_exist() {
    let free: Vec<_> = Status::ALL.into_iter().filter(|status| !sample(*status).holds_slug()).collect();
    assert_eq!(free, [Status::Failed, Status::Expired, Status::Deleted]);
    let left_behind = Lifecycle::Failed { at: at(1), reason: reason(), needs_attention: true };
    assert!(left_behind.holds_slug());
    let nothing_left = Former::Failed { reason: reason(), needs_attention: false };
    assert!(!going(false, nothing_left).holds_slug());
}

#[test]
fn going_can_be_taken_back_until_somebody_begins_to_drop() {
    let failed = |needs_attention| Former::Failed { reason: reason(), needs_attention };
    for former in [Former::Active, Former::Suspended, failed(false), failed(true)] {
        let waiting = going(false, former.clone());
        let back = waiting.clone().restore(at(5)).unwrap();
        assert_eq!(back.status(), former.status());
        assert_eq!(back.holds_slug(), waiting.holds_slug(), "its slug is neither lost nor gained on the way");
        assert!(waiting.clone().delete(at(61)).is_err(), "nobody has dropped anything");
        assert!(waiting.clone().start(at(59)).is_err(), "not before the grace period is over");
        let begun = waiting.start(at(60)).unwrap();
        assert_eq!(begun, going(true, former));
        assert!(begun.clone().restore(at(61)).is_err());
        assert!(begun.clone().start(at(2)).is_ok(), "whoever takes over goes on, whatever the clock says");
        assert!(begun.delete(at(61)).is_ok());
    }
}

#[test]
fn a_grace_period_beyond_all_times_is_one_without_end() {
    let gone = sample(Status::Active).deprovision(TimeDelta::MAX, at(1)).unwrap();
    assert!(gone.start(DateTime::<Utc>::MAX_UTC - TimeDelta::days(1)).is_err());
}

#[test]
fn names_are_read_back() {
    for status in Status::ALL {
        assert_eq!(Status::parse(status.as_str()), Some(status));
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    assert_eq!(Status::parse("active"), None);
}
