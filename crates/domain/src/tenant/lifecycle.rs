use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::StepError;

/// How long a confirmation token may be used after init.
pub const CONFIRMATION_WINDOW: TimeDelta = TimeDelta::minutes(15);

/// Where a tenant stands, with the facts of that state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lifecycle {
    /// Announced, and waiting for its confirmation token.
    PendingValidation {
        /// The `jti` of the one token that confirms it.
        token: Uuid,
        /// When that token stops working.
        expires_at: DateTime<Utc>,
    },
    /// Confirmed, and waiting for a worker.
    Queued {
        /// When it was queued.
        since: DateTime<Utc>,
    },
    /// A worker runs its steps, or undoes them.
    Provisioning {
        /// When a worker first claimed the run.
        since: DateTime<Utc>,
    },
    /// In business.
    Active {
        /// When it became active (again).
        since: DateTime<Utc>,
    },
    /// Its database is there, its calls are refused.
    Suspended {
        /// When it was suspended.
        since: DateTime<Utc>,
    },
    /// A step failed for good and what the run had made was undone, unless `needs_attention`.
    Failed {
        /// When the run gave up.
        at: DateTime<Utc>,
        /// What went wrong, fit for strangers.
        reason: StepError,
        /// An undo failed too: something may be left behind, and an operator has to look.
        needs_attention: bool,
    },
    /// The token ran out before anybody confirmed.
    Expired {
        /// When that was noticed.
        at: DateTime<Utc>,
    },
    /// Its database is about to be dropped.
    Deprovisioning {
        /// When it was asked for.
        since: DateTime<Utc>,
    },
    /// Its database is confirmed gone.
    Deleted {
        /// When that was confirmed.
        at: DateTime<Utc>,
    },
}

/// The name of a [`Lifecycle`] state, spelled as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[allow(missing_docs, reason = "the states are described at `Lifecycle`")]
pub enum Status {
    #[serde(rename = "PENDING_VALIDATION")]
    PendingValidation,
    #[serde(rename = "QUEUED")]
    Queued,
    Provisioning,
    Active,
    Suspended,
    Failed,
    Expired,
    Deprovisioning,
    Deleted,
}

impl Status {
    /// Every status, in the order of a long life.
    pub const ALL: [Self; 9] = [
        Self::PendingValidation,
        Self::Queued,
        Self::Provisioning,
        Self::Active,
        Self::Suspended,
        Self::Failed,
        Self::Expired,
        Self::Deprovisioning,
        Self::Deleted,
    ];

    /// The name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PendingValidation => "PENDING_VALIDATION",
            Self::Queued => "QUEUED",
            Self::Provisioning => "Provisioning",
            Self::Active => "Active",
            Self::Suspended => "Suspended",
            Self::Failed => "Failed",
            Self::Expired => "Expired",
            Self::Deprovisioning => "Deprovisioning",
            Self::Deleted => "Deleted",
        }
    }

    /// The status with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What may happen to a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is described at the method of `Lifecycle` of the same name")]
pub enum Transition {
    Confirm,
    Expire,
    Start,
    Activate,
    Fail,
    Suspend,
    Resume,
    Retry,
    Deprovision,
    Delete,
}

/// The tenant's state does not allow this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tenant that is {from} cannot {transition:?}")]
pub struct InvalidTransition {
    /// The state it is in.
    pub from: Status,
    /// What was asked of it.
    pub transition: Transition,
}

type Next = Result<Lifecycle, InvalidTransition>;

impl Lifecycle {
    /// A tenant's first state: waiting until [`CONFIRMATION_WINDOW`] after `now` for `token`.
    pub fn announced(token: Uuid, now: DateTime<Utc>) -> Self {
        Self::PendingValidation { token, expires_at: now + CONFIRMATION_WINDOW }
    }

    /// The name of this state.
    pub const fn status(&self) -> Status {
        match self {
            Self::PendingValidation { .. } => Status::PendingValidation,
            Self::Queued { .. } => Status::Queued,
            Self::Provisioning { .. } => Status::Provisioning,
            Self::Active { .. } => Status::Active,
            Self::Suspended { .. } => Status::Suspended,
            Self::Failed { .. } => Status::Failed,
            Self::Expired { .. } => Status::Expired,
            Self::Deprovisioning { .. } => Status::Deprovisioning,
            Self::Deleted { .. } => Status::Deleted,
        }
    }

    /// Whether nobody else may have this tenant's slug: as long as its database exists or may come to exist.
    pub const fn holds_slug(&self) -> bool {
        match self {
            Self::PendingValidation { .. }
            | Self::Queued { .. }
            | Self::Provisioning { .. }
            | Self::Active { .. }
            | Self::Suspended { .. }
            | Self::Deprovisioning { .. }
            | Self::Failed { needs_attention: true, .. } => true,
            Self::Failed { needs_attention: false, .. } | Self::Expired { .. } | Self::Deleted { .. } => {
                false
            }
        }
    }

    /// The one token came back in time.
    pub fn confirm(self, token: Uuid, now: DateTime<Utc>) -> Next {
        match self {
            Self::PendingValidation { token: expected, expires_at }
                if token == expected && now <= expires_at =>
            {
                Ok(Self::Queued { since: now })
            }
            other => other.refuse(Transition::Confirm),
        }
    }

    /// Nobody confirmed in time.
    pub fn expire(self, now: DateTime<Utc>) -> Next {
        match self {
            Self::PendingValidation { expires_at, .. } if now > expires_at => Ok(Self::Expired { at: now }),
            other => other.refuse(Transition::Expire),
        }
    }

    /// A worker claimed the run. Claiming it again (after a crash) changes nothing.
    pub fn start(self, now: DateTime<Utc>) -> Next {
        match self {
            Self::Queued { .. } => Ok(Self::Provisioning { since: now }),
            Self::Provisioning { since } => Ok(Self::Provisioning { since }),
            other => other.refuse(Transition::Start),
        }
    }

    /// Every step succeeded.
    pub fn activate(self, now: DateTime<Utc>) -> Next {
        match self {
            Self::Provisioning { .. } => Ok(Self::Active { since: now }),
            other => other.refuse(Transition::Activate),
        }
    }

    /// A step failed for good, and the run has been unwound as far as it goes.
    pub fn fail(self, reason: StepError, needs_attention: bool, now: DateTime<Utc>) -> Next {
        match self {
            Self::Provisioning { .. } => Ok(Self::Failed { at: now, reason, needs_attention }),
            other => other.refuse(Transition::Fail),
        }
    }

    /// An operator stops its calls.
    pub fn suspend(self, now: DateTime<Utc>) -> Next {
        match self {
            Self::Active { .. } => Ok(Self::Suspended { since: now }),
            other => other.refuse(Transition::Suspend),
        }
    }

    /// An operator lets it work again.
    pub fn resume(self, now: DateTime<Utc>) -> Next {
        match self {
            Self::Suspended { .. } => Ok(Self::Active { since: now }),
            other => other.refuse(Transition::Resume),
        }
    }

    /// An operator has a failed run tried again.
    pub fn retry(self, now: DateTime<Utc>) -> Next {
        match self {
            Self::Failed { .. } => Ok(Self::Queued { since: now }),
            other => other.refuse(Transition::Retry),
        }
    }

    /// The tenant is to go.
    pub fn deprovision(self, now: DateTime<Utc>) -> Next {
        match self {
            Self::Active { .. } | Self::Suspended { .. } | Self::Failed { .. } => {
                Ok(Self::Deprovisioning { since: now })
            }
            other => other.refuse(Transition::Deprovision),
        }
    }

    /// Its database is confirmed gone.
    pub fn delete(self, now: DateTime<Utc>) -> Next {
        match self {
            Self::Deprovisioning { .. } => Ok(Self::Deleted { at: now }),
            other => other.refuse(Transition::Delete),
        }
    }

    const fn refuse(&self, transition: Transition) -> Next {
        Err(InvalidTransition { from: self.status(), transition })
    }
}

#[cfg(test)]
mod tests {
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
            Status::Deprovisioning => Lifecycle::Deprovisioning { since: at(1) },
            Status::Deleted => Lifecycle::Deleted { at: at(1) },
        }
    }

    fn reason() -> StepError {
        StepError {
            code: "database_unavailable".into(),
            message: "Failed to connect to database server".into(),
        }
    }

    fn attempt(state: Lifecycle, transition: Transition) -> Next {
        match transition {
            Transition::Confirm => state.confirm(TOKEN, at(15)),
            Transition::Expire => state.expire(at(16)),
            Transition::Start => state.start(at(2)),
            Transition::Activate => state.activate(at(2)),
            Transition::Fail => state.fail(reason(), false, at(2)),
            Transition::Suspend => state.suspend(at(2)),
            Transition::Resume => state.resume(at(2)),
            Transition::Retry => state.retry(at(2)),
            Transition::Deprovision => state.deprovision(at(2)),
            Transition::Delete => state.delete(at(2)),
        }
    }

    const TRANSITIONS: [Transition; 10] = [
        Transition::Confirm,
        Transition::Expire,
        Transition::Start,
        Transition::Activate,
        Transition::Fail,
        Transition::Suspend,
        Transition::Resume,
        Transition::Retry,
        Transition::Deprovision,
        Transition::Delete,
    ];

    /// Every legal move; any other pair must be refused.
    const LEGAL: [(Status, Transition, Status); 13] = [
        (Status::PendingValidation, Transition::Confirm, Status::Queued),
        (Status::PendingValidation, Transition::Expire, Status::Expired),
        (Status::Queued, Transition::Start, Status::Provisioning),
        (Status::Provisioning, Transition::Start, Status::Provisioning),
        (Status::Provisioning, Transition::Activate, Status::Active),
        (Status::Provisioning, Transition::Fail, Status::Failed),
        (Status::Active, Transition::Suspend, Status::Suspended),
        (Status::Suspended, Transition::Resume, Status::Active),
        (Status::Failed, Transition::Retry, Status::Queued),
        (Status::Active, Transition::Deprovision, Status::Deprovisioning),
        (Status::Suspended, Transition::Deprovision, Status::Deprovisioning),
        (Status::Failed, Transition::Deprovision, Status::Deprovisioning),
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
    }

    #[test]
    fn names_are_read_back() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert_eq!(Status::parse("active"), None);
    }
}
