use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::EventId;
use tenantry_ports::{
    Attempted, Channel, ClaimedNotice, Constraint, Notice, NoticeFilter, NoticeRecord, NoticeRepository,
    NoticeState, Settlement, StoreError, StoreResult,
};

use super::control::ControlState;
use super::snapshot::Transaction;

#[derive(Debug, Clone)]
pub(super) struct NoticeRow {
    notice: Notice,
    state: NoticeState,
    leased_until: Option<DateTime<Utc>>,
    attempts: u32,
    last_error: Option<String>,
}

impl NoticeRow {
    /// Since when it has been due, if it is waiting and that is over.
    fn due(&self, now: DateTime<Utc>) -> Option<(DateTime<Utc>, EventId)> {
        match self.state {
            NoticeState::Pending { due } if due <= now => Some((due, self.notice.id)),
            _ => None,
        }
    }

    fn settled_at(&self) -> Option<DateTime<Utc>> {
        match self.state {
            NoticeState::Pending { .. } => None,
            NoticeState::Delivered { at } | NoticeState::GivenUp { at } => Some(at),
        }
    }

    fn settle(&mut self, outcome: &Attempted, now: DateTime<Utc>) {
        self.leased_until = None;
        let error = match outcome {
            Attempted::Delivered => {
                self.state = NoticeState::Delivered { at: now };
                return;
            }
            Attempted::Again { at, error } => {
                self.state = NoticeState::Pending { due: *at };
                error
            }
            Attempted::GivenUp { error } => {
                self.state = NoticeState::GivenUp { at: now };
                error
            }
        };
        self.last_error = Some(error.clone());
    }

    fn record(&self) -> NoticeRecord {
        NoticeRecord {
            notice: self.notice.clone(),
            state: self.state,
            attempts: self.attempts,
            last_error: self.last_error.clone(),
        }
    }
}

impl NoticeRepository for Transaction<ControlState> {
    fn insert(&mut self, notices: &[Notice]) -> StoreResult<()> {
        self.change(|state| {
            for notice in notices {
                if !state.tenants.contains_key(&notice.tenant) {
                    return Err(StoreError::Failed("a notice needs its tenant to be there".into()));
                }
                let row = NoticeRow {
                    notice: notice.clone(),
                    state: NoticeState::Pending { due: notice.created_at },
                    leased_until: None,
                    attempts: 0,
                    last_error: None,
                };
                if state.notices.insert((notice.id, notice.channel), row).is_some() {
                    return Err(StoreError::Conflict(Constraint::Notice));
                }
            }
            Ok(())
        })
    }

    fn claim(
        &mut self,
        channel: Channel,
        _worker: &str,
        now: DateTime<Utc>,
        lease: TimeDelta,
        limit: usize,
    ) -> StoreResult<Vec<ClaimedNotice>> {
        self.change(|state| {
            let due = || {
                let rows = state.notices.values().filter(|row| row.notice.channel == channel);
                rows.filter_map(|row| row.due(now).map(|since| (since, row)))
            };
            let is_first = |since, row: &NoticeRow| {
                !due().any(|(earlier, other)| earlier < since && other.notice.tenant == row.notice.tenant)
            };
            let is_free = |row: &NoticeRow| row.leased_until.is_none_or(|until| until <= now);
            let mut found: Vec<_> = due()
                .filter(|(since, row)| is_free(row) && is_first(*since, row))
                .map(|(since, _)| since)
                .collect();
            found.sort_unstable();
            found.truncate(limit);
            let mut claimed = Vec::new();
            for (_, id) in found {
                if let Some(row) = state.notices.get_mut(&(id, channel)) {
                    row.attempts += 1;
                    row.leased_until = Some(now + lease);
                    claimed.push(ClaimedNotice { notice: row.notice.clone(), attempt: row.attempts });
                }
            }
            Ok(claimed)
        })
    }

    fn settle(&mut self, settlements: &[Settlement], now: DateTime<Utc>) -> StoreResult<usize> {
        self.change(|state| {
            let mut settled = 0;
            for settlement in settlements {
                let row = state.notices.get_mut(&(settlement.id, settlement.channel));
                if let Some(row) =
                    row.filter(|row| row.leased_until.is_some() && row.attempts == settlement.attempt)
                {
                    row.settle(&settlement.outcome, now);
                    settled += 1;
                }
            }
            Ok(settled)
        })
    }

    fn page(
        &mut self,
        filter: &NoticeFilter,
        after: Option<(EventId, Channel)>,
        limit: usize,
    ) -> StoreResult<Vec<NoticeRecord>> {
        self.look(|state| {
            let rows = state.notices.iter().rev();
            let rows = rows
                .filter(|(key, _)| after.is_none_or(|after| **key < after))
                .map(|(_, row)| row)
                .filter(|row| filter.status.is_none_or(|status| row.state.status() == status))
                .filter(|row| filter.tenant.is_none_or(|tenant| row.notice.tenant == tenant));
            Ok(rows.take(limit).map(NoticeRow::record).collect())
        })
    }

    fn resend(&mut self, event: Option<EventId>, now: DateTime<Utc>) -> StoreResult<usize> {
        self.change(|state| {
            let mut resent = 0;
            for row in state.notices.values_mut() {
                if matches!(row.state, NoticeState::GivenUp { .. })
                    && event.is_none_or(|event| row.notice.id == event)
                {
                    row.state = NoticeState::Pending { due: now };
                    resent += 1;
                }
            }
            Ok(resent)
        })
    }

    fn prune(&mut self, settled_before: DateTime<Utc>, limit: usize) -> StoreResult<usize> {
        self.change(|state| {
            let old = |row: &NoticeRow| row.settled_at().is_some_and(|at| at < settled_before);
            let gone: Vec<_> =
                state.notices.iter().filter(|(_, row)| old(row)).map(|(key, _)| *key).take(limit).collect();
            for key in &gone {
                state.notices.remove(key);
            }
            Ok(gone.len())
        })
    }
}
