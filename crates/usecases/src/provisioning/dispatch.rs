use chrono::{DateTime, Utc};
use tenantry_domain::id::TenantId;
use tenantry_ports::{Assignment, ControlTx, Hired, StoreResult};

use super::runner::{claim, tell};
use crate::{Platform, Record};

/// The way of a run from whoever queues it to a worker. If one of this process is free, the run is claimed for it by the very
/// commit that queues it, which saves that worker a commit of its own; else all workers are woken to look for it.
pub(crate) struct Dispatch<'a> {
    platform: &'a Platform,
    worker: Option<Box<dyn Hired>>,
    assignment: Option<Assignment>,
}

impl<'a> Dispatch<'a> {
    /// Keeps a worker free.
    pub(crate) fn prepare(platform: &'a Platform) -> Self {
        Self { platform, worker: platform.nudge.hire(), assignment: None }
    }

    /// Claims a run, in the transaction that queues one: the same, unless another one has been due for longer.
    pub(crate) fn claim(
        &mut self,
        tx: &mut dyn ControlTx,
        record: &mut Record,
        now: DateTime<Utc>,
    ) -> StoreResult<()> {
        if let Some(worker) = &self.worker {
            self.assignment = claim(self.platform, tx, record, worker.name(), now)?.ok();
        }
        Ok(())
    }

    /// Sees to it that somebody works on the run of this tenant, after the commit.
    pub(crate) fn send(self, queued: TenantId) {
        let mut claimed = None;
        if let (Some(worker), Some(assignment)) = (self.worker, self.assignment) {
            claimed = Some(assignment.claim.tenant.id);
            worker.begin(assignment);
        }
        if claimed != Some(queued) {
            self.platform.nudge.runs_are_due();
        }
        for tenant in claimed.filter(|claimed| *claimed != queued).into_iter().chain([queued]) {
            tell(self.platform, tenant);
        }
    }
}
