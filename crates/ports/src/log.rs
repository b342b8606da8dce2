//! Event logs: outbox, feed and audit trail at once.

use chrono::{DateTime, Utc};
use tenantry_domain::event::EventTypePattern;
use tenantry_domain::id::{AccountId, EventId};

use crate::{Counts, EventFilter, LogEntry, LogHead, RawEntry, StoreResult};

/// Which of the events of an account to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountEvents {
    /// The account.
    pub account: AccountId,
    /// Only those that happened at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Only those that happened before this time.
    pub until: Option<DateTime<Utc>>,
    /// Only those of these types.
    pub types: Option<EventTypePattern>,
}

/// An event log.
pub trait LogRepository {
    /// The head of the log. Until the transaction ends no other transaction appends, so whoever means to append
    /// calls this first.
    fn lock(&mut self) -> StoreResult<LogHead>;

    /// Adds entries that continue the locked head; the last one is the new head.
    fn append(&mut self, entries: &[LogEntry]) -> StoreResult<()>;

    /// The head of the log, without standing in line: it may be another the next moment.
    fn head(&mut self) -> StoreResult<LogHead>;

    /// At most `limit` entries in order, after sequence number `after`.
    fn page(&mut self, after: i64, limit: usize) -> StoreResult<Vec<LogEntry>>;

    /// At most `limit` entries that the filter wants in order, after sequence number `after`, up to and with `through`.
    fn select(
        &mut self,
        filter: &EventFilter,
        after: i64,
        through: i64,
        limit: usize,
    ) -> StoreResult<Vec<LogEntry>>;

    /// The entry of this event.
    fn find(&mut self, id: EventId) -> StoreResult<Option<LogEntry>>;

    /// As [`page`](Self::page), unread: also of rows that are no entries.
    fn raw(&mut self, after: i64, limit: usize) -> StoreResult<Vec<RawEntry>>;
}

/// A tenant's event log. Locking it puts the writers of the tenant's database in line, and what they read after it stays true.
pub trait TenantLogRepository: LogRepository {
    /// Locks the log, and says in the same look-up how many there are of what is limited. Nobody adds any until the
    /// transaction ends; what this one has added by now is in it.
    fn lock_and_count(&mut self) -> StoreResult<(LogHead, Counts)>;

    /// How many there are of what is limited, without standing in line: it may be different the next moment.
    fn counts(&mut self) -> StoreResult<Counts>;

    /// At most `limit` of what happened to an account, newest first, before sequence number `before`.
    fn of_account(
        &mut self,
        filter: &AccountEvents,
        before: Option<i64>,
        limit: usize,
    ) -> StoreResult<Vec<LogEntry>>;
}
