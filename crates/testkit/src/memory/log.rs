use std::ops::Bound;

use tenantry_ports::{
    AccountEvents, Constraint, Counts, LogEntry, LogHead, LogRepository, StoreError, StoreResult,
};

use super::snapshot::Transaction;
use super::tenant::TenantState;

impl TenantState {
    fn log_head(&self) -> LogHead {
        self.log
            .last_key_value()
            .map_or(LogHead::EMPTY, |(sequence, entry)| LogHead { sequence: *sequence, hash: entry.hash })
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

    fn page(&mut self, after: i64, limit: usize) -> StoreResult<Vec<LogEntry>> {
        self.look(|state| {
            let rest = state.log.range((Bound::Excluded(after), Bound::Unbounded));
            Ok(rest.take(limit).map(|(_, entry)| entry.clone()).collect())
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
