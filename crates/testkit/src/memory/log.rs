use std::ops::Bound;

use tenantry_domain::id::EventId;
use tenantry_ports::{
    AccountEvents, Constraint, Counts, EventFilter, LogEntry, LogHead, LogRepository, RawEntry, StoreError,
    StoreResult,
};

use super::snapshot::Transaction;
use super::tenant::TenantState;

impl TenantState {
    pub(super) fn log_head(&self) -> LogHead {
        let begin = self.floor.map_or(LogHead::EMPTY, |floor| floor.head);
        self.log
            .last_key_value()
            .map_or(begin, |(sequence, entry)| LogHead { sequence: *sequence, hash: entry.hash })
    }
}

impl LogRepository for Transaction<TenantState> {
    fn lock_and_count(&mut self) -> StoreResult<(LogHead, Counts)> {
        // There is one writer at a time: a transaction that may change something has the log to itself already.
        self.change(|state| Ok((state.log_head(), state.counts())))
    }

    fn counts(&mut self) -> StoreResult<Counts> {
        self.look(|state| Ok(state.counts()))
    }

    fn append(&mut self, entries: &[LogEntry]) -> StoreResult<()> {
        self.change(|state| {
            for entry in entries {
                let head = state.log_head();
                if entry.sequence != head.sequence + 1 || entry.previous != head.hash {
                    return Err(StoreError::Conflict(Constraint::LogSequence));
                }
                state.log.insert(entry.sequence, entry.clone());
            }
            Ok(())
        })
    }

    fn head(&mut self) -> StoreResult<LogHead> {
        self.look(|state| Ok(state.tampered.as_ref().map_or_else(|| state.log_head(), |log| log.head)))
    }

    fn page(&mut self, after: i64, limit: usize) -> StoreResult<Vec<LogEntry>> {
        self.look(|state| {
            let rest = state.log.range((Bound::Excluded(after), Bound::Unbounded));
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
            let rest = state.log.range((Bound::Excluded(after), Bound::Unbounded)).map(|(_, entry)| entry);
            let rest = rest.take_while(|entry| entry.sequence <= through);
            Ok(rest.filter(|entry| filter.matches(&entry.event)).take(limit).cloned().collect())
        })
    }

    fn find(&mut self, id: EventId) -> StoreResult<Option<LogEntry>> {
        self.look(|state| Ok(state.log.values().find(|entry| entry.event.id == id).cloned()))
    }

    fn raw(&mut self, after: i64, limit: usize) -> StoreResult<Vec<RawEntry>> {
        self.look(|state| match &state.tampered {
            Some(log) => {
                let rest = log.rows.range((Bound::Excluded(after), Bound::Unbounded));
                Ok(rest
                    .take(limit)
                    .map(|(place, row)| RawEntry { sequence: *place, ..row.clone() })
                    .collect())
            }
            None => {
                let rest = state.log.range((Bound::Excluded(after), Bound::Unbounded));
                rest.take(limit).map(|(_, entry)| raw(entry)).collect()
            }
        })
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
            let older = state.log.range(..before.unwrap_or(i64::MAX)).rev().map(|(_, entry)| entry);
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
