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
    /// Its database is going to be dropped.
    Deprovisioning {
        /// When it was asked for.
        since: DateTime<Utc>,
        /// When the grace period ends.
        drop_at: DateTime<Utc>,
        /// A worker has begun to drop: there is no way back.
        begun: bool,
        /// What the tenant was, and is again if this is taken back.
        former: Former,
    },
    /// Its database is confirmed gone.
    Deleted {
        /// When that was confirmed.
        at: DateTime<Utc>,
    },
}

/// What a tenant was before it was told to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Former {
    /// In business.
    Active,
    /// Suspended.
    Suspended,
    /// Failed.
    Failed {
        /// What had gone wrong.
        reason: StepError,
        /// Whether something may be left behind.
        needs_attention: bool,
    },
}

impl Former {
    /// The name of the state.
    pub const fn status(&self) -> Status {
        match self {
            Self::Active => Status::Active,
            Self::Suspended => Status::Suspended,
            Self::Failed { .. } => Status::Failed,
        }
    }

    /// The state, entered again.
    fn again(self, now: DateTime<Utc>) -> Lifecycle {
        match self {
            Self::Active => Lifecycle::Active { since: now },
            Self::Suspended => Lifecycle::Suspended { since: now },
            Self::Failed { reason, needs_attention } => {
                Lifecycle::Failed { at: now, reason, needs_attention }
            }
        }
    }
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
    Withhold,
    Fail,
    Suspend,
    Resume,
    Retry,
    Deprovision,
    Restore,
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
            | Self::Failed { needs_attention: true, .. } => true,
            Self::Deprovisioning { former, .. } => {
                !matches!(former, Former::Failed { needs_attention: false, .. })
            }
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

    /// A worker claimed the run: it provisions, or drops once the grace period is over. Claiming it again (after a crash)
    /// changes nothing.
    pub fn start(self, now: DateTime<Utc>) -> Next {
        match self {
            Self::Queued { .. } => Ok(Self::Provisioning { since: now }),
            Self::Provisioning { since } => Ok(Self::Provisioning { since }),
            Self::Deprovisioning { since, drop_at, begun, former } if begun || drop_at <= now => {
                Ok(Self::Deprovisioning { since, drop_at, begun: true, former })
            }
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

    /// Every step succeeded, and somebody has still to fill the tenant with what it had elsewhere: it is resumed once that is
    /// done.
    pub fn withhold(self, now: DateTime<Utc>) -> Next {
        match self {
            Self::Provisioning { .. } => Ok(Self::Suspended { since: now }),
            other => other.refuse(Transition::Withhold),
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

    /// The tenant is to go, once `grace` is over.
    pub fn deprovision(self, grace: TimeDelta, now: DateTime<Utc>) -> Next {
        let former = match self {
            Self::Active { .. } => Former::Active,
            Self::Suspended { .. } => Former::Suspended,
            Self::Failed { reason, needs_attention, .. } => Former::Failed { reason, needs_attention },
            other => return other.refuse(Transition::Deprovision),
        };
        let drop_at = now.checked_add_signed(grace).unwrap_or(DateTime::<Utc>::MAX_UTC);
        Ok(Self::Deprovisioning { since: now, drop_at, begun: false, former })
    }

    /// The tenant is to stay after all: as long as nobody has begun to drop its database.
    pub fn restore(self, now: DateTime<Utc>) -> Next {
        match self {
            Self::Deprovisioning { begun: false, former, .. } => Ok(former.again(now)),
            other => other.refuse(Transition::Restore),
        }
    }

    /// Its database is confirmed gone.
    pub fn delete(self, now: DateTime<Utc>) -> Next {
        match self {
            Self::Deprovisioning { begun: true, .. } => Ok(Self::Deleted { at: now }),
            other => other.refuse(Transition::Delete),
        }
    }

    const fn refuse(&self, transition: Transition) -> Next {
        Err(InvalidTransition { from: self.status(), transition })
    }
}

#[cfg(test)]
mod tests;
