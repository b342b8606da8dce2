use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::Run;
use tenantry_ports::{
    Claim, Constraint, Lease, OpenRun, PendingAdmin, RunRepository, StoreError, StoreResult,
};

use super::control::ControlState;
use super::snapshot::Transaction;

#[derive(Debug, Clone)]
pub(super) struct RunRow {
    run: Run,
    admin: Option<PendingAdmin>,
    queue: Queue,
    /// Of the latest claim; 0 before the first.
    fence: i64,
    /// False once it was spoilt.
    readable: bool,
}

/// Where a run stands with the workers.
#[derive(Debug, Clone)]
enum Queue {
    /// Nobody may claim it yet.
    Held,
    /// Claimable from then on.
    Due(DateTime<Utc>),
    /// Claimed, and claimable again once the lease is over.
    Leased { by: String, due: DateTime<Utc>, until: DateTime<Utc> },
    /// Not to be claimed until somebody has seen to it, for this reason.
    Aside(String),
    /// Done with.
    Closed,
}

impl RunRow {
    /// Since when the run has been due, if it may be claimed at `now`.
    fn claimable(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self.queue {
            Queue::Due(due) if due <= now => Some(due),
            Queue::Leased { due, until, .. } if until <= now => Some(due),
            _ => None,
        }
    }

    fn read(&self) -> StoreResult<Run> {
        if self.readable {
            Ok(self.run.clone())
        } else {
            Err(StoreError::corrupt("provisioning run", "it was spoilt"))
        }
    }

    fn open(&self) -> Option<OpenRun> {
        let (due, lease) = match &self.queue {
            Queue::Closed => return None,
            Queue::Held | Queue::Aside(_) => (None, None),
            Queue::Due(due) => (Some(*due), None),
            Queue::Leased { by, due, until } => (Some(*due), Some((by.clone(), *until))),
        };
        Some(OpenRun { tenant: self.run.tenant, number: self.run.number, due, lease })
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
            let row = RunRow {
                run: run.clone(),
                admin: admin.cloned(),
                queue: Queue::Held,
                fence: 0,
                readable: true,
            };
            state.runs.insert((run.tenant, run.number), row);
            Ok(())
        })
    }

    fn enqueue(&mut self, tenant: TenantId, number: u32, due: DateTime<Utc>) -> StoreResult<()> {
        self.change(|state| {
            let row = state.runs.get_mut(&(tenant, number)).ok_or(StoreError::Stale)?;
            row.queue = match &row.queue {
                Queue::Held | Queue::Due(_) | Queue::Aside(_) => Queue::Due(due),
                Queue::Leased { by, until, .. } => Queue::Leased { by: by.clone(), due, until: *until },
                Queue::Closed => return Err(StoreError::Stale),
            };
            Ok(())
        })
    }

    fn of_tenant(&mut self, tenant: TenantId) -> StoreResult<Vec<Run>> {
        self.look(|state| {
            let rows = state.runs.range((tenant, 0)..=(tenant, u32::MAX));
            rows.map(|(_, row)| row.read()).collect()
        })
    }

    fn claim(&mut self, worker: &str, now: DateTime<Utc>, lease: TimeDelta) -> StoreResult<Option<Claim>> {
        self.change(|state| {
            loop {
                let due_runs = state.runs.iter().filter_map(|(key, row)| Some((row.claimable(now)?, *key)));
                let Some((due, key)) = due_runs.min() else {
                    return Ok(None);
                };
                match state.lease(key, worker, due, now + lease) {
                    Err(StoreError::Corrupt { what, detail }) => {
                        if let Some(row) = state.runs.get_mut(&key) {
                            row.queue = Queue::Aside(format!("corrupt {what}: {detail}"));
                        }
                    }
                    claim => return claim,
                }
            }
        })
    }

    fn record(&mut self, lease: &Lease, run: &Run, until: DateTime<Utc>) -> StoreResult<()> {
        self.write_leased(lease, run, |row| row.hold(until))
    }

    fn renew(&mut self, lease: &Lease, until: DateTime<Utc>) -> StoreResult<()> {
        self.change(|state| {
            leased(state, lease)?.hold(until);
            Ok(())
        })
    }

    fn holds(&mut self, lease: &Lease) -> StoreResult<()> {
        self.look(|state| match state.runs.get(&(lease.tenant, lease.number)) {
            Some(row) if row.is_held_under(lease) => Ok(()),
            _ => Err(StoreError::Stale),
        })
    }

    fn release(&mut self, lease: &Lease, run: &Run, due: DateTime<Utc>) -> StoreResult<()> {
        self.write_leased(lease, run, |row| row.queue = Queue::Due(due))
    }

    fn close(&mut self, lease: &Lease, run: &Run) -> StoreResult<()> {
        self.write_leased(lease, run, |row| row.queue = Queue::Closed)
    }

    fn cancel(&mut self, tenant: TenantId, number: u32) -> StoreResult<()> {
        self.change(|state| {
            let row = state.runs.get_mut(&(tenant, number)).ok_or(StoreError::Stale)?;
            match row.queue {
                Queue::Held | Queue::Due(_) | Queue::Aside(_) => row.queue = Queue::Closed,
                Queue::Leased { .. } | Queue::Closed => return Err(StoreError::Stale),
            }
            Ok(())
        })
    }

    fn take_admin(&mut self, tenant: TenantId) -> StoreResult<Option<PendingAdmin>> {
        self.change(|state| {
            let mut rows = state.runs.range_mut((tenant, 0)..=(tenant, u32::MAX));
            Ok(rows.find_map(|(_, row)| row.admin.take()))
        })
    }

    fn open(&mut self) -> StoreResult<Vec<OpenRun>> {
        self.look(|state| {
            let mut open: Vec<_> = state.runs.values().filter_map(RunRow::open).collect();
            open.sort_by_key(|run| (run.due.is_none(), run.due));
            Ok(open)
        })
    }

    fn set_aside(&mut self) -> StoreResult<Vec<(TenantId, u32, String)>> {
        self.look(|state| {
            let aside = state.runs.iter().filter_map(|((tenant, number), row)| match &row.queue {
                Queue::Aside(reason) => Some((*tenant, *number, reason.clone())),
                _ => None,
            });
            Ok(aside.collect())
        })
    }
}

impl RunRow {
    /// Whether the lease is the latest one and was not given back.
    const fn is_held_under(&self, lease: &Lease) -> bool {
        matches!(self.queue, Queue::Leased { .. }) && self.fence == lease.fence
    }

    /// Holds the lease there is until then.
    fn hold(&mut self, end: DateTime<Utc>) {
        if let Queue::Leased { until, .. } = &mut self.queue {
            *until = end;
        }
    }
}

impl ControlState {
    /// Leases the run, which has been due since then; `Corrupt` if it or its tenant cannot be read.
    fn lease(
        &mut self,
        key: (TenantId, u32),
        worker: &str,
        due: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> StoreResult<Option<Claim>> {
        let Some(row) = self.runs.get_mut(&key) else {
            return Ok(None);
        };
        let missing = || StoreError::corrupt("provisioning run", "its tenant is missing");
        let tenant = self.tenants.get(&key.0).ok_or_else(missing)?.read()?;
        let run = row.read()?;
        row.fence += 1;
        row.queue = Queue::Leased { by: worker.to_owned(), due, until };
        let lease = Lease { tenant: key.0, number: key.1, fence: row.fence };
        Ok(Some(Claim { lease, run, tenant, admin: row.admin.clone() }))
    }

    pub(super) fn set_readable(&mut self, tenant: TenantId, number: u32, readable: bool) {
        if let Some(row) = self.runs.get_mut(&(tenant, number)) {
            row.readable = readable;
        }
    }
}

impl Transaction<ControlState> {
    /// Writes the run, if the lease still holds.
    fn write_leased(
        &mut self,
        lease: &Lease,
        run: &Run,
        settle: impl FnOnce(&mut RunRow),
    ) -> StoreResult<()> {
        self.change(|state| {
            let row = leased(state, lease)?;
            row.run.direction = run.direction;
            row.run.journal.clone_from(&run.journal);
            settle(row);
            Ok(())
        })
    }
}

/// The run, as long as the lease holds.
fn leased<'a>(state: &'a mut ControlState, lease: &Lease) -> StoreResult<&'a mut RunRow> {
    let row = state.runs.get_mut(&(lease.tenant, lease.number));
    row.filter(|row| row.is_held_under(lease)).ok_or(StoreError::Stale)
}
