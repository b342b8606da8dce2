use std::ops::Bound;

use tenantry_ports::{Constraint, Counts, LogEntry, LogHead, LogRepository, StoreError, StoreResult};

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
}
