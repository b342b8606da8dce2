use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{
    AfterFailure, Direction, InvalidTransition, Lifecycle, NextStep, Run, StepKind, Tenant,
};
use tenantry_ports::{Claim, ControlTx, Lease, PendingAdmin, StoreError, StoreResult};

use super::effects::{Fault, perform, undo};
use crate::Platform;

/// What came of looking for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worked {
    /// There was none.
    Idle,
    /// This tenant's run has ended, in `Active` or in `Failed`.
    Finished(TenantId),
    /// This tenant's run goes on at this moment, after a passing fault.
    Postponed(TenantId, DateTime<Utc>),
    /// Somebody else has taken this tenant's run over.
    Lost(TenantId),
}

/// Claims the run that is longest due, if any, and works on it until it ends or has to wait. Blocks; takes as long
/// as making a database takes.
pub fn work_once(platform: &Platform, worker: &str) -> StoreResult<Worked> {
    let mut job = match Job::claim(platform, worker)? {
        Ok(job) => job,
        Err(instead) => return Ok(instead),
    };
    let tenant = job.tenant.id;
    tracing::info!("Processing provisioning for tenant {tenant}");
    match job.work() {
        Err(StoreError::Stale) => {
            tracing::warn!("Provisioning of tenant {tenant} was taken over by another worker");
            Ok(Worked::Lost(tenant))
        }
        other => other,
    }
}

/// A claimed run on its way.
struct Job<'a> {
    platform: &'a Platform,
    tenant: Tenant,
    run: Run,
    lease: Lease,
    admin: Option<PendingAdmin>,
}

impl<'a> Job<'a> {
    /// Claims a run, moves its tenant to `Provisioning`, and notes the beginning of the first step: one commit. The
    /// inner `Err` is what came of it where there is nothing to work on.
    ///
    /// A run whose tenant cannot start is handed back to wait: left as it is, it would stay the one that is longest due,
    /// and no other run would ever be claimed.
    fn claim(platform: &'a Platform, worker: &str) -> StoreResult<Result<Self, Worked>> {
        let now = platform.clock.now();
        platform.control.write(|tx| {
            let Some(Claim { lease, run, admin }) = tx.runs().claim(worker, now, platform.policy.lease)?
            else {
                return Ok(Err(Worked::Idle));
            };
            let missing = || StoreError::corrupt("provisioning run", "its tenant is missing");
            let tenant = tx.tenants().get(lease.tenant)?.ok_or_else(missing)?;
            let mut job = Self { platform, tenant, run, lease, admin };
            let started = match job.tenant.lifecycle.clone().start(now) {
                Ok(started) => started,
                Err(error) => {
                    tracing::error!("The run of tenant {} cannot be worked on: {error}", job.tenant.id);
                    let due = now + platform.policy.lease;
                    tx.runs().release(&job.lease, &job.run, due)?;
                    return Ok(Err(Worked::Postponed(job.tenant.id, due)));
                }
            };
            if started != job.tenant.lifecycle {
                job.tenant.enter(started, now);
                tx.tenants().update(&job.tenant)?;
            }
            job.begin_next(tx, now)?;
            Ok(Ok(job))
        })
    }

    fn work(&mut self) -> StoreResult<Worked> {
        loop {
            let worked = match self.run.next() {
                NextStep::Do(kind) => self.forward(kind)?,
                NextStep::Undo(kind) => self.backward(kind)?,
                NextStep::Succeeded => Some(self.activate()?),
                NextStep::Unwound => Some(self.fail(false)?),
            };
            if let Some(worked) = worked {
                return Ok(worked);
            }
        }
    }

    fn forward(&mut self, kind: StepKind) -> StoreResult<Option<Worked>> {
        let outcome = self.holding(|| perform(self.platform, kind, &self.tenant, self.admin.as_ref()));
        let now = self.platform.clock.now();
        match outcome {
            Ok(log) => self.run.succeed(kind, log, now),
            Err(fault) => {
                self.log_fault(&fault);
                let (policy, jitter) = (self.platform.policy.retry, self.platform.entropy.unit());
                let after = self.run.fail(kind, fault.public, fault.passing, &policy, jitter, now);
                if let AfterFailure::Retry(wait) = after {
                    return self.postpone(now, wait).map(Some);
                }
            }
        }
        self.record(now)
    }

    fn backward(&mut self, kind: StepKind) -> StoreResult<Option<Worked>> {
        let outcome = self.holding(|| undo(self.platform, kind, &self.tenant));
        let now = self.platform.clock.now();
        match outcome {
            Ok(()) => self.run.undone(kind, now),
            Err(fault) => {
                self.log_fault(&fault);
                if fault.passing {
                    let wait = self.platform.policy.retry.wait(u32::MAX, self.platform.entropy.unit());
                    return self.postpone(now, wait).map(Some);
                }
                return self.fail(true).map(Some);
            }
        }
        self.record(now)
    }

    /// Does something that may take long, and keeps the lease alive meanwhile. A lease that is lost all the same (the
    /// process slept, the control database was away) is found out when the outcome is recorded.
    fn holding<T>(&self, act: impl FnOnce() -> T) -> T {
        let lease = self.platform.policy.lease;
        let beat = (lease / 3).to_std().unwrap_or_default();
        let (done, wait) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                while wait.recv_timeout(beat) == Err(RecvTimeoutError::Timeout) {
                    let until = self.platform.clock.now() + lease;
                    let renewed = self.platform.control.write(|tx| tx.runs().renew(&self.lease, until));
                    if let Err(error) = renewed {
                        tracing::warn!("The lease on tenant {} was not renewed: {error}", self.tenant.id);
                    }
                }
            });
            // Also a panic hangs up, and so ends the thread.
            let _done = done;
            act()
        })
    }

    /// Notes what happened and, in the same commit, the beginning of what comes next. At the end of the run there is
    /// nothing to note here: closing it does.
    fn record(&mut self, now: DateTime<Utc>) -> StoreResult<Option<Worked>> {
        if matches!(self.run.next(), NextStep::Do(_) | NextStep::Undo(_)) {
            self.platform.control.write(|tx| self.begin_next(tx, now))?;
        }
        Ok(None)
    }

    fn begin_next(&mut self, tx: &mut dyn ControlTx, now: DateTime<Utc>) -> StoreResult<()> {
        if let NextStep::Do(kind) = self.run.next() {
            self.run.begin(kind, now);
        }
        tx.runs().record(&self.lease, &self.run, now + self.platform.policy.lease)
    }

    fn postpone(&self, now: DateTime<Utc>, wait: Duration) -> StoreResult<Worked> {
        let due = now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::zero());
        self.platform.control.write(|tx| tx.runs().release(&self.lease, &self.run, due))?;
        Ok(Worked::Postponed(self.tenant.id, due))
    }

    fn activate(&mut self) -> StoreResult<Worked> {
        let now = self.platform.clock.now();
        let active = self.tenant.lifecycle.clone().activate(now).map_err(impossible)?;
        self.close(active, now)?;
        tracing::info!("Provisioning completed successfully for tenant {}", self.tenant.id);
        Ok(Worked::Finished(self.tenant.id))
    }

    fn fail(&mut self, needs_attention: bool) -> StoreResult<Worked> {
        debug_assert_eq!(self.run.direction, Direction::Unwind);
        let now = self.platform.clock.now();
        let unknown =
            || StoreError::corrupt("provisioning run", "it unwinds without an error in its journal");
        let reason = self.run.failure().cloned().ok_or_else(unknown)?;
        let failed = self.tenant.lifecycle.clone().fail(reason, needs_attention, now).map_err(impossible)?;
        self.close(failed, now)?;
        if needs_attention {
            tracing::error!(
                "Tenant {} needs attention: an undo failed, something may be left",
                self.tenant.id
            );
        }
        Ok(Worked::Finished(self.tenant.id))
    }

    fn close(&mut self, lifecycle: Lifecycle, now: DateTime<Utc>) -> StoreResult<()> {
        self.tenant.enter(lifecycle, now);
        self.platform.control.write(|tx| {
            tx.runs().close(&self.lease, &self.run)?;
            tx.tenants().update(&self.tenant)
        })
    }

    fn log_fault(&self, fault: &Fault) {
        let Tenant { id, slug, .. } = &self.tenant;
        tracing::error!(passing = fault.passing, "Error provisioning tenant {id} ({slug}): {}", fault.detail);
    }
}

/// The store says what the state machine forbids.
fn impossible(error: InvalidTransition) -> StoreError {
    StoreError::corrupt("tenant", error)
}
