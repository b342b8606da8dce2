//! What is told to people and programs outside, written down with the change it tells of and delivered afterwards.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::event::EventType;
use tenantry_domain::id::{EventId, TenantId};

use crate::StoreResult;

/// Over which way somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// An e-mail to the tenant's contact address.
    Mail,
    /// A signed call of the operator's own endpoint.
    Webhook,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 2] = [Self::Mail, Self::Webhook];

    /// The name in storage and for operators.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
        }
    }

    /// The channel with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == text)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing to be told over one channel. It never changes: what is sent is the same at every attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The event it tells of; the receiver knows a repetition by it. There is one notice of an event per channel.
    pub id: EventId,
    /// Over which channel.
    pub channel: Channel,
    /// The tenant to which it happened.
    pub tenant: TenantId,
    /// What happened.
    pub event: EventType,
    /// JSON: the body of a webhook call, byte for byte, or the facts of a mail.
    pub payload: String,
    /// When it happened; it is due at once.
    pub created_at: DateTime<Utc>,
}

/// A notice that a worker is to deliver now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedNotice {
    /// What to tell.
    pub notice: Notice,
    /// 1 for the first attempt; also the fencing token: a later claim has a higher one, and settles in the place of this.
    pub attempt: u32,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempted {
    /// It arrived.
    Delivered,
    /// It did not, and is tried again.
    Again {
        /// From then on.
        at: DateTime<Utc>,
        /// What went wrong, for operators: one line, no secrets.
        error: String,
    },
    /// It did not, and is not tried again.
    GivenUp {
        /// What went wrong, for operators: one line, no secrets.
        error: String,
    },
}

/// A claimed notice with what came of the attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The notice.
    pub id: EventId,
    /// The notice's channel.
    pub channel: Channel,
    /// As claimed.
    pub attempt: u32,
    /// What came of it.
    pub outcome: Attempted,
}

/// Where a notice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeState {
    /// It waits for its (next) attempt, or is under way.
    Pending {
        /// When it is, or was, due.
        due: DateTime<Utc>,
    },
    /// It arrived.
    Delivered {
        /// When that was recorded.
        at: DateTime<Utc>,
    },
    /// It is not tried again.
    GivenUp {
        /// Since when.
        at: DateTime<Utc>,
    },
}

impl NoticeState {
    /// The name of the state.
    pub const fn status(&self) -> NoticeStatus {
        match self {
            Self::Pending { .. } => NoticeStatus::Pending,
            Self::Delivered { .. } => NoticeStatus::Delivered,
            Self::GivenUp { .. } => NoticeStatus::GivenUp,
        }
    }
}

/// The name of a [`NoticeState`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the states are described at `NoticeState`")]
pub enum NoticeStatus {
    Pending,
    Delivered,
    GivenUp,
}

impl NoticeStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::GivenUp];

    /// The name in storage and for operators.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::GivenUp => "given-up",
        }
    }

    /// The status with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl fmt::Display for NoticeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A notice as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRecord {
    /// What is told.
    pub notice: Notice,
    /// Where it stands.
    pub state: NoticeState,
    /// How many attempts were begun.
    pub attempts: u32,
    /// What went wrong with the last one that went wrong.
    pub last_error: Option<String>,
}

/// Which notices to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoticeFilter {
    /// Only those in this state.
    pub status: Option<NoticeStatus>,
    /// Only this tenant's.
    pub tenant: Option<TenantId>,
}

/// Notices: an outbox in the database in which tenants change, so that whoever commits a change commits its notices.
pub trait NoticeRepository {
    /// Adds notices, due at once. `Conflict(Notice)` if there is one of that event for that channel.
    fn insert(&mut self, notices: &[Notice]) -> StoreResult<()>;

    /// Claims, for `lease` from `now` on, at most `limit` notices of this channel that are due at `now` and not leased,
    /// those longest due first, and of each tenant only the one longest due: as long as that is under way, nobody gets
    /// a later one, so that what goes well arrives in order. Concurrent claimers get different ones or none, without
    /// waiting for each other.
    fn claim(
        &mut self,
        channel: Channel,
        worker: &str,
        now: DateTime<Utc>,
        lease: TimeDelta,
        limit: usize,
    ) -> StoreResult<Vec<ClaimedNotice>>;

    /// Records what came of claimed notices, and gives them back. How many that were: one that somebody else has claimed
    /// since, or settled, stays as it is.
    fn settle(&mut self, settlements: &[Settlement], now: DateTime<Utc>) -> StoreResult<usize>;

    /// At most `limit` notices, newest first, after the one that is `after`.
    fn page(
        &mut self,
        filter: &NoticeFilter,
        after: Option<(EventId, Channel)>,
        limit: usize,
    ) -> StoreResult<Vec<NoticeRecord>>;

    /// Makes notices that were given up due again at `now`: those of this event, over whichever channel, or all of them, if
    /// none is named. How many that were. Their attempts count on, so that a further failure may again be the last.
    fn resend(&mut self, event: Option<EventId>, now: DateTime<Utc>) -> StoreResult<usize>;

    /// Forgets at most `limit` notices that were delivered or given up before this moment; how many that were.
    fn prune(&mut self, settled_before: DateTime<Utc>, limit: usize) -> StoreResult<usize>;
}
