use chrono::{DateTime, TimeDelta, Utc};
use tenantry_ports::{StoreError, StoreResult, UpkeepRepository, UpkeepRound};

use super::control::ControlState;
use super::snapshot::Transaction;

/// How far the round has come, when somebody has to go on with it, and until when somebody does.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoundRow {
    round: UpkeepRound,
    due: DateTime<Utc>,
    leased_until: Option<DateTime<Utc>>,
}

impl Default for RoundRow {
    fn default() -> Self {
        let begun_at = DateTime::UNIX_EPOCH;
        Self { round: UpkeepRound { begun_at, after: None, fence: 0 }, due: begun_at, leased_until: None }
    }
}

impl UpkeepRepository for Transaction<ControlState> {
    fn claim(&mut self, _: &str, now: DateTime<Utc>, lease: TimeDelta) -> StoreResult<Option<UpkeepRound>> {
        self.change(|state| {
            let row = &mut state.upkeep;
            if row.due > now || row.leased_until.is_some_and(|until| until > now) {
                return Ok(None);
            }
            row.leased_until = Some(now + lease);
            row.round.fence += 1;
            Ok(Some(row.round))
        })
    }

    fn settle(&mut self, round: &UpkeepRound, due: DateTime<Utc>) -> StoreResult<()> {
        self.change(|state| {
            let row = state.upkeep;
            if row.round.fence != round.fence || row.leased_until.is_none() {
                return Err(StoreError::Stale);
            }
            state.upkeep = RoundRow { round: *round, due, leased_until: None };
            Ok(())
        })
    }
}
