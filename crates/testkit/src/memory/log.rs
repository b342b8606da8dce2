use std::ops::Bound;
use std::sync::Arc;

use tenantry_domain::id::EventId;
use tenantry_ports::{
    AccountEvents, Constraint, Counts, EventFilter, LogEntry, LogFloor, LogHead, LogRepository, RawEntry,
    StoreError, StoreResult, TenantLogRepository,
};

use super::log_rows::LogRows;
use super::snapshot::{Table, Transaction};
use super::tenant::TenantState;

/// An event log.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    pub(super) entries: Table<i64, LogEntry>,
    /// Where it begins, if not at its beginning.
    pub(super) floor: Option<LogFloor>,
    /// What somebody who looks at the log finds, if that is not what was written.
    pub(super) tampered: Option<Arc<LogRows>>,
}

impl Log {
    /// Has whoever doubts the log find what this makes of it.
    pub(super) fn tamper(&mut self, with: impl FnOnce(&mut LogRows)) -> StoreResult<()> {
        let mut rows = LogRows::of(self)?;
        with(&mut rows);
        self.tampered = Some(Arc::new(rows));
        Ok(())
    }

    /// How far what was written has come.
    pub(super) fn written(&self) -> LogHead {
        let begin = self.floor.map_or(LogHead::EMPTY, |floor| floor.head);
        self.entries
            .last_key_value()
            .map_or(begin, |(sequence, entry)| LogHead { sequence: *sequence, hash: entry.hash })
    }
}

/// A database that has a log.
pub(super) trait Logged: Clone {
    fn log(&self) -> &Log;

    fn log_mut(&mut self) -> &mut Log;
}

impl Logged for TenantState {
    fn log(&self) -> &Log {
        &self.log
    }

    fn log_mut(&mut self) -> &mut Log {
        &mut self.log
    }
}

impl<S: Logged> LogRepository for Transaction<S> {
    fn lock(&mut self) -> StoreResult<LogHead> {
        // There is one writer at a time: a transaction that may change something has the log to itself already.
        self.change(|state| Ok(state.log().written()))
    }

    fn append(&mut self, entries: &[LogEntry]) -> StoreResult<()> {
        self.change(|state| {
            let log = state.log_mut();
            for entry in entries {
                let head = log.written();
                if entry.sequence != head.sequence + 1 || entry.previous != head.hash {
                    return Err(StoreError::Conflict(Constraint::LogSequence));
                }
                log.entries.insert(entry.sequence, entry.clone());
            }
            Ok(())
        })
    }

    fn head(&mut self) -> StoreResult<LogHead> {
        self.look(|state| {
            let log = state.log();
            Ok(log.tampered.as_ref().map_or_else(|| log.written(), |rows| rows.head))
        })
    }

    fn page(&mut self, after: i64, limit: usize) -> StoreResult<Vec<LogEntry>> {
        self.look(|state| {
            let rest = state.log().entries.range((Bound::Excluded(after), Bound::Unbounded));
            Ok(rest.take(limit).map(|(_, entry)| entry.clone()).collect())
        })
    }

    fn select(
        &mut self,
        filter: &EventFilter,
        after: i64,
        through: i64,
        limit: usize,
    ) -> StoreResult<Vec<LogEntry>> {
        self.look(|state| {
            let rest =
                state.log().entries.range((Bound::Excluded(after), Bound::Unbounded)).map(|(_, entry)| entry);
            let rest = rest.take_while(|entry| entry.sequence <= through);
            Ok(rest.filter(|entry| filter.matches(&entry.event)).take(limit).cloned().collect())
        })
    }

    fn find(&mut self, id: EventId) -> StoreResult<Option<LogEntry>> {
        self.look(|state| Ok(state.log().entries.values().find(|entry| entry.event.id == id).cloned()))
    }

    fn raw(&mut self, after: i64, limit: usize) -> StoreResult<Vec<RawEntry>> {
        self.look(|state| match &state.log().tampered {
            Some(tampered) => {
                let rest = tampered.rows.range((Bound::Excluded(after), Bound::Unbounded));
                Ok(rest
                    .take(limit)
                    .map(|(place, row)| RawEntry { sequence: *place, ..row.clone() })
                    .collect())
            }
            None => {
                let rest = state.log().entries.range((Bound::Excluded(after), Bound::Unbounded));
                rest.take(limit).map(|(_, entry)| raw(entry)).collect()
            }
        })
    }
}

impl TenantLogRepository for Transaction<TenantState> {
    fn lock_and_count(&mut self) -> StoreResult<(LogHead, Counts)> {
        self.change(|state| Ok((state.log.written(), state.counts())))
    }

    fn counts(&mut self) -> StoreResult<Counts> {
        self.look(|state| Ok(state.counts()))
    }

    fn of_account(
        &mut self,
        filter: &AccountEvents,
        before: Option<i64>,
        limit: usize,
    ) -> StoreResult<Vec<LogEntry>> {
        let passes = |entry: &&LogEntry| {
            let event = &entry.event;
            event.account_id == Some(filter.account)
                && filter.from.is_none_or(|from| event.timestamp >= from)
                && filter.until.is_none_or(|until| event.timestamp < until)
                && filter.types.as_ref().is_none_or(|types| types.matches(&event.event_type))
        };
        self.look(|state| {
            let older = state.log.entries.range(..before.unwrap_or(i64::MAX)).rev().map(|(_, entry)| entry);
            Ok(older.filter(passes).take(limit).cloned().collect())
        })
    }
}

pub(super) fn raw(entry: &LogEntry) -> StoreResult<RawEntry> {
    Ok(RawEntry {
        sequence: entry.sequence,
        id: entry.event.id.to_string(),
        event_type: entry.event.event_type.to_string(),
        account_id: entry.event.account_id.map(|id| id.to_string()),
        envelope: serde_json::to_string(&entry.event).map_err(|error| StoreError::corrupt("event", error))?,
        previous: entry.previous.to_vec(),
        hash: entry.hash.to_vec(),
    })
}
