use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::Run;
use tenantry_ports::{Claim, Constraint, Lease, PendingAdmin, RunRepository, StoreError, StoreResult};

use super::control::ControlState;
use super::snapshot::Transaction;

#[derive(Debug, Clone)]
pub(super) struct RunRow {
    run: Run,
    admin: Option<PendingAdmin>,
    queue: Queue,
    /// Of the latest claim; 0 before the first.
    fence: i64,
}

/// Where a run stands with the workers.
#[derive(Debug, Clone)]
enum Queue {
    /// Nobody may claim it yet.
    Held,
    /// Claimable from then on.
    Due(DateTime<Utc>),
    /// Claimed, and claimable again once the lease is over.
    Leased { due: DateTime<Utc>, until: DateTime<Utc> },
    /// Done with.
    Closed,
}

impl RunRow {
    /// Since when the run has been due, if it may be claimed at `now`.
    fn claimable(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self.queue {
            Queue::Due(due) if due <= now => Some(due),
            Queue::Leased { due, until } if until <= now => Some(due),
            _ => None,
        }
    }
}

impl RunRepository for Transaction<ControlState> {
    fn insert(&mut self, run: &Run, admin: Option<&PendingAdmin>) -> StoreResult<()> {
        self.change(|state| {
            if !state.tenants.contains_key(&run.tenant) {
                return Err(StoreError::Failed("a run needs its tenant to be there".into()));
            }
            if state.runs.contains_key(&(run.tenant, run.number)) {
                return Err(StoreError::Conflict(Constraint::RunNumber));
            }
            let row = RunRow { run: run.clone(), admin: admin.cloned(), queue: Queue::Held, fence: 0 };
            state.runs.insert((run.tenant, run.number), row);
            Ok(())
        })
    }

    fn enqueue(&mut self, tenant: TenantId, number: u32, due: DateTime<Utc>) -> StoreResult<()> {
        self.change(|state| {
            let row = state.runs.get_mut(&(tenant, number)).ok_or(StoreError::Stale)?;
            row.queue = match row.queue {
                Queue::Held | Queue::Due(_) => Queue::Due(due),
                Queue::Leased { until, .. } => Queue::Leased { due, until },
                Queue::Closed => return Err(StoreError::Stale),
            };
            Ok(())
        })
    }

    fn of_tenant(&mut self, tenant: TenantId) -> StoreResult<Vec<Run>> {
        self.look(|state| {
            let rows = state.runs.range((tenant, 0)..=(tenant, u32::MAX));
            Ok(rows.map(|(_, row)| row.run.clone()).collect())
        })
    }

    fn claim(&mut self, _worker: &str, now: DateTime<Utc>, lease: TimeDelta) -> StoreResult<Option<Claim>> {
        self.change(|state| {
            let longest_due =
                state.runs.iter().filter_map(|(key, row)| row.claimable(now).map(|due| (due, *key))).min();
            let Some((due, key)) = longest_due else {
                return Ok(None);
            };
            let Some(row) = state.runs.get_mut(&key) else {
                return Ok(None);
            };
            row.fence += 1;
            row.queue = Queue::Leased { due, until: now + lease };
            Ok(Some(Claim {
                lease: Lease { tenant: key.0, number: key.1, fence: row.fence },
                run: row.run.clone(),
                admin: row.admin.clone(),
            }))
        })
    }

    fn record(&mut self, lease: &Lease, run: &Run, until: DateTime<Utc>) -> StoreResult<()> {
        self.write_leased(lease, run, |row, due| row.queue = Queue::Leased { due, until })
    }

    fn renew(&mut self, lease: &Lease, until: DateTime<Utc>) -> StoreResult<()> {
        self.change(|state| {
            let (row, due) = leased(state, lease)?;
            row.queue = Queue::Leased { due, until };
            Ok(())
        })
    }

    fn release(&mut self, lease: &Lease, run: &Run, due: DateTime<Utc>) -> StoreResult<()> {
        self.write_leased(lease, run, |row, _| row.queue = Queue::Due(due))
    }

    fn close(&mut self, lease: &Lease, run: &Run) -> StoreResult<()> {
        self.write_leased(lease, run, |row, _| {
            row.queue = Queue::Closed;
            row.admin = None;
        })
    }
}

impl Transaction<ControlState> {
    /// Writes the run, if the lease still holds.
    fn write_leased(
        &mut self,
        lease: &Lease,
        run: &Run,
        settle: impl FnOnce(&mut RunRow, DateTime<Utc>),
    ) -> StoreResult<()> {
        self.change(|state| {
            let (row, due) = leased(state, lease)?;
            row.run.direction = run.direction;
            row.run.journal.clone_from(&run.journal);
            settle(row, due);
            Ok(())
        })
    }
}

/// The run, and since when it was due, if the lease is the latest one and was not given back.
fn leased<'a>(state: &'a mut ControlState, lease: &Lease) -> StoreResult<(&'a mut RunRow, DateTime<Utc>)> {
    let row = state.runs.get_mut(&(lease.tenant, lease.number)).ok_or(StoreError::Stale)?;
    match row.queue {
        Queue::Leased { due, .. } if row.fence == lease.fence => Ok((row, due)),
        _ => Err(StoreError::Stale),
    }
}
