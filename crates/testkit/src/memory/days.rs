use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::TenantId;
use tenantry_ports::{DayLook, DayRepository, StoreError, StoreResult};

use super::control::ControlState;
use super::snapshot::Transaction;

/// Who looks, and how often somebody has begun to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DayRow {
    leased_until: Option<DateTime<Utc>>,
    fence: i64,
}

impl DayRepository for Transaction<ControlState> {
    fn note(&mut self, tenant: TenantId, at: DateTime<Utc>) -> StoreResult<()> {
        self.change(|state| {
            state.days.entry((at, tenant)).or_default();
            Ok(())
        })
    }

    fn claim(&mut self, _: &str, now: DateTime<Utc>, lease: TimeDelta) -> StoreResult<Option<DayLook>> {
        self.change(|state| {
            let is_free = |row: &DayRow| row.leased_until.is_none_or(|until| until <= now);
            let due = state.days.iter().take_while(|((at, _), _)| *at <= now);
            let Some((at, tenant)) = due.filter(|(_, row)| is_free(row)).map(|(key, _)| *key).next() else {
                return Ok(None);
            };
            let row = state.days.entry((at, tenant)).or_default();
            *row = DayRow { leased_until: Some(now + lease), fence: row.fence + 1 };
            Ok(Some(DayLook { tenant, at, fence: row.fence }))
        })
    }

    fn settle(&mut self, look: &DayLook, next: Option<DateTime<Utc>>) -> StoreResult<()> {
        self.change(|state| {
            let key = (look.at, look.tenant);
            if state.days.get(&key).is_none_or(|row| row.fence != look.fence) {
                return Err(StoreError::Stale);
            }
            state.days.remove(&key);
            if let Some(next) = next {
                state.days.entry((next, look.tenant)).or_default();
            }
            Ok(())
        })
    }
}
