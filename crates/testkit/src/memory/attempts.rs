use chrono::{DateTime, Utc};
use tenantry_domain::people::{Pace, Tally};
use tenantry_ports::{AttemptRepository, StoreResult};

use super::control::ControlState;
use super::snapshot::{Table, Transaction};
use super::tenant::TenantState;

/// Attempts to sign in.
pub(super) type Attempts = Table<[u8; 32], Tally>;

/// Both databases count them.
trait Counts {
    fn attempts(&self) -> &Attempts;
    fn attempts_mut(&mut self) -> &mut Attempts;

    fn count(&mut self, key: &[u8; 32], pace: &Pace, now: DateTime<Utc>) {
        let attempts = self.attempts_mut();
        let tally = attempts.get(key).copied().unwrap_or_default();
        attempts.insert(*key, pace.counted(tally, now));
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
            let tally = state.attempts().get(key).copied().unwrap_or_default();
            let waits = pace.waits(tally, now);
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
            Ok(known.map(|(key, tally)| (*key, *tally)).collect())
        })
    }

    fn forget(&mut self, key: &[u8; 32]) -> StoreResult<()> {
        self.change(|state| {
            state.attempts_mut().remove(key);
            Ok(())
        })
    }
}
