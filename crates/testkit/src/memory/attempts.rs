use chrono::{DateTime, Utc};
use tenantry_domain::people::{Pace, Tally};
use tenantry_ports::{AttemptRepository, StoreResult};

use super::control::ControlState;
use super::snapshot::{Table, Transaction};
use super::tenant::TenantState;

/// Attempts to sign in, and when they are forgotten.
pub(super) type Attempts = Table<[u8; 32], (Tally, DateTime<Utc>)>;

/// Both databases count them.
trait Counts {
    fn attempts(&self) -> &Attempts;
    fn attempts_mut(&mut self) -> &mut Attempts;

    fn tally(&self, key: &[u8; 32]) -> Tally {
        self.attempts().get(key).map(|(tally, _)| *tally).unwrap_or_default()
    }

    fn count(&mut self, key: &[u8; 32], pace: &Pace, now: DateTime<Utc>) {
        let tally = pace.counted(self.tally(key), now);
        self.attempts_mut().insert(*key, (tally, tally.last + pace.memory));
    }
}

impl Counts for TenantState {
    fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    fn attempts_mut(&mut self) -> &mut Attempts {
        &mut self.attempts
    }
}

impl Counts for ControlState {
    fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    fn attempts_mut(&mut self) -> &mut Attempts {
        &mut self.attempts
    }
}

impl<S: Counts> AttemptRepository for Transaction<S> {
    fn take(
        &mut self,
        key: &[u8; 32],
        pace: &Pace,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<DateTime<Utc>>> {
        self.change(|state| {
            let waits = pace.waits(state.tally(key), now);
            if waits.is_none() {
                state.count(key, pace, now);
            }
            Ok(waits)
        })
    }

    fn count(&mut self, key: &[u8; 32], pace: &Pace, now: DateTime<Utc>) -> StoreResult<()> {
        self.change(|state| {
            state.count(key, pace, now);
            Ok(())
        })
    }

    fn find(&mut self, keys: &[[u8; 32]]) -> StoreResult<Vec<([u8; 32], Tally)>> {
        self.look(|state| {
            let known = state.attempts().iter().filter(|(key, _)| keys.contains(key));
            Ok(known.map(|(key, (tally, _))| (*key, *tally)).collect())
        })
    }

    fn forget(&mut self, key: &[u8; 32]) -> StoreResult<()> {
        self.change(|state| {
            state.attempts_mut().remove(key);
            Ok(())
        })
    }

    fn any_over(&mut self, now: DateTime<Utc>) -> StoreResult<bool> {
        self.look(|state| Ok(state.attempts().values().any(|(_, until)| *until <= now)))
    }

    fn remove_over(&mut self, now: DateTime<Utc>, limit: usize) -> StoreResult<usize> {
        self.change(|state| {
            let over = state.attempts().iter().filter(|(_, (_, until))| *until <= now);
            let mut over: Vec<_> = over.map(|(key, (_, until))| (*until, *key)).collect();
            over.sort_unstable();
            over.truncate(limit);
            over.iter().for_each(|(_, key)| _ = state.attempts_mut().remove(key));
            Ok(over.len())
        })
    }
}
