use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{
    AfterFailure, Direction, InvalidTransition, Lifecycle, NextStep, Run, RunKind, StepKind, Tenant,
};
use tenantry_ports::{
    Assignment, Claim, ControlTx, Lease, PendingAdmin, Permit, StoreError, StoreResult, TakenDatabase,
};

use super::effects::{Fault, Site, log_of_success, perform, undo};
use super::heartbeat::holding;
use crate::notices::{self, Happening};
use crate::{Platform, Record, recorded, transfer};

/// What came of looking for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worked {
    /// There was none.
    Idle,
    /// This tenant's run has ended, in `Active` (or, before an import, `Suspended`), `Failed` or `Deleted`.
    Finished(TenantId),
    /// This tenant's run goes on at this moment, after a passing fault.
    Postponed(TenantId, DateTime<Utc>),
    /// Somebody else has taken this tenant's run over.
    Lost(TenantId),
}

/// Claims the run that is longest due, if any, and works on it until it ends or has to wait. Blocks; takes as long
/// as making a database takes.
pub fn work_once(platform: &Platform, worker: &str) -> StoreResult<Worked> {
    let now = platform.clock.now();
    match recorded(platform, None, |tx, record| claim(platform, tx, record, worker, now))? {
        Ok(assignment) => {
            tell(platform, assignment.claim.tenant.id);
            carry_on(platform, assignment)
        }
        Err(instead) => Ok(instead),
    }
}

/// Works on a run that was claimed for this worker until it ends or has to wait. Blocks as long.
pub fn carry_on(platform: &Platform, assignment: Assignment) -> StoreResult<Worked> {
    let mut job = Job::new(platform, assignment);
    let tenant = job.tenant.id;
    match job.run.kind {
        RunKind::Provision { .. } => tracing::info!("Processing provisioning for tenant {tenant}"),
        RunKind::Deprovision => tracing::info!("Processing deprovisioning of tenant {tenant}"),
    }
    match job.work() {
        Err(StoreError::Stale) => {
            tracing::warn!("The run of tenant {tenant} was taken over by another worker");
            Ok(Worked::Lost(tenant))
        }
        other => other,
    }
}

/// Claims the run that is longest due, moves its tenant on, takes a database from the pool, and notes the beginning of the
/// first step. The inner `Err` is what came of it where there is nothing to work on.
///
/// A run whose tenant cannot start is handed back to wait: left as it is, it would stay the one that is longest due,
/// and no other run would ever be claimed.
pub(super) fn claim(
    platform: &Platform,
    tx: &mut dyn ControlTx,
    record: &mut Record,
    worker: &str,
    now: DateTime<Utc>,
) -> StoreResult<Result<Assignment, Worked>> {
    let Some(claim) = tx.runs().claim(worker, now, platform.policy.lease)? else {
        return Ok(Err(Worked::Idle));
    };
    let mut job = Job::new(platform, Assignment { claim, taken: None });
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
        let before = job.tenant.lifecycle.status();
        job.tenant.enter(started, now);
        tx.tenants().update(&job.tenant)?;
        job.announce(tx, record, Happening::between(before, job.tenant.lifecycle.status()), now)?;
    }
    // Later attempts may come upon a database that an earlier one made without the pool.
    let is_first = job.run.journal.iter().all(|record| record.kind != StepKind::CreateDatabase);
    job.taken = match job.run.next() {
        NextStep::Do(StepKind::CreateDatabase) if is_first => {
            let (cluster, schema) = (&job.tenant.home.cluster, platform.databases.schema());
            tx.pool().take(cluster, schema, job.tenant.id)?
        }
        _ => tx.pool().taken_by(job.tenant.id)?,
    };
    job.begin_next(tx, record, now)?;
    Ok(Ok(job.assignment()))
}

/// Something was recorded that people may be waiting for.
pub(super) fn tell(platform: &Platform, tenant: TenantId) {
    platform.nudge.tenant_changed(tenant);
    platform.nudge.notices_are_due();
}

/// A claimed run on its way.
struct Job<'a> {
    platform: &'a Platform,
    tenant: Tenant,
    run: Run,
    lease: Lease,
    admin: Option<PendingAdmin>,
    /// The pooled database that the run has taken.
    taken: Option<TakenDatabase>,
    /// The schema that the database was brought to, if this process saw to it.
    schema: Option<String>,
    /// The steps that have succeeded and were not told of yet.
    untold: Vec<StepKind>,
}

impl<'a> Job<'a> {
    fn new(platform: &'a Platform, Assignment { claim, taken }: Assignment) -> Self {
        let Claim { lease, run, tenant, admin } = claim;
        Self { platform, tenant, run, lease, admin, taken, schema: None, untold: Vec::new() }
    }

    fn assignment(self) -> Assignment {
        let Self { tenant, run, lease, admin, taken, .. } = self;
        Assignment { claim: Claim { lease, run, tenant, admin }, taken }
    }

    /// Something was recorded that people may be waiting for.
    fn tell(&self) {
        tell(self.platform, self.tenant.id);
    }

    /// Writes down what has to be told: the steps that have succeeded since the last commit, then `what`.
    fn announce(
        &self,
        tx: &mut dyn ControlTx,
        record: &mut Record,
        what: Option<Happening<'_>>,
        now: DateTime<Utc>,
    ) -> StoreResult<()> {
        let run = &self.run;
        let steps = self.untold.iter().map(|step| Happening::StepCompleted { run, step: *step });
        let happenings: Vec<_> = steps.chain(what).collect();
        notices::announce(self.platform, tx, record, &self.tenant, &happenings, now)
    }

    fn work(&mut self) -> StoreResult<Worked> {
        loop {
            let worked = match self.run.next() {
                NextStep::Do(kind) => self.forward(kind)?,
                NextStep::Undo(kind) => self.backward(kind)?,
                NextStep::Succeeded => Some(self.succeed()?),
                NextStep::Unwound => Some(self.fail(false)?),
            };
            if let Some(worked) = worked {
                return Ok(worked);
            }
        }
    }

    fn forward(&mut self, kind: StepKind) -> StoreResult<Option<Worked>> {
        let outcome = self.holding(|site| perform(site, kind));
        let now = self.platform.clock.now();
        match outcome {
            Ok(done) => {
                self.succeeded(kind, done.log, now);
                if kind == StepKind::ApplyMigrations {
                    self.schema = Some(self.platform.databases.schema().to_owned());
                }
                if let Some(taken) = self.taken.as_ref().filter(|_| done.from_pool) {
                    let login = Some(taken.database.id);
                    self.schema = Some(taken.schema.clone());
                    self.note_what_the_pool_did(now);
                    if self.tenant.home.login != login {
                        self.tenant.home.login = login;
                        return self.record_moved(now);
                    }
                }
            }
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
        let outcome = self.holding(|site| undo(site, kind));
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

    /// A database from the pool is up to date and seeded. There is nothing left to do, and so nothing that a crash could
    /// interrupt: these steps begin and end at once.
    fn note_what_the_pool_did(&mut self, now: DateTime<Utc>) {
        for kind in [StepKind::ApplyMigrations, StepKind::SeedData] {
            self.run.begin(kind, now);
            self.succeeded(kind, log_of_success(kind), now);
        }
    }

    fn succeeded(&mut self, kind: StepKind, log: impl Into<String>, now: DateTime<Utc>) {
        self.run.succeed(kind, log, now);
        // A deprovisioning has one step, and its success is told as the end it is.
        if let RunKind::Provision { .. } = self.run.kind {
            self.untold.push(kind);
        }
    }

    /// Does something that may take long, and keeps the lease alive meanwhile.
    fn holding<T>(&self, act: impl FnOnce(&Site<'_>) -> T) -> T {
        let control = &self.platform.control;
        let permit: Permit<'_> = &|| control.read(|tx| tx.runs().holds(&self.lease));
        let site = Site {
            platform: self.platform,
            tenant: &self.tenant,
            taken: self.taken.as_ref().map(|taken| &taken.database),
            admin: self.admin.as_ref(),
            permit,
        };
        let renew = |until| control.write(|tx| tx.runs().renew(&self.lease, until));
        holding(self.platform, &format!("tenant {}", self.tenant.id), renew, || act(&site))
    }

    /// Notes what happened and, in the same commit, the beginning of what comes next. At the end of the run there is
    /// nothing to note here: closing it does.
    fn record(&mut self, now: DateTime<Utc>) -> StoreResult<Option<Worked>> {
        if matches!(self.run.next(), NextStep::Do(_) | NextStep::Undo(_)) {
            recorded(self.platform, None, |tx, record| self.begin_next(tx, record, now))?;
            self.untold.clear();
            self.tell();
        }
        Ok(None)
    }

    /// The same, where the tenant's database came with a login of its own, which later steps need to know.
    fn record_moved(&mut self, now: DateTime<Utc>) -> StoreResult<Option<Worked>> {
        if let NextStep::Do(_) = self.run.next() {
            self.tenant.enter(self.tenant.lifecycle.clone(), now);
            recorded(self.platform, None, |tx, record| {
                tx.tenants().update(&self.tenant)?;
                self.begin_next(tx, record, now)
            })?;
            self.untold.clear();
            self.tell();
        }
        Ok(None)
    }

    fn begin_next(
        &mut self,
        tx: &mut dyn ControlTx,
        record: &mut Record,
        now: DateTime<Utc>,
    ) -> StoreResult<()> {
        if let NextStep::Do(kind) = self.run.next() {
            self.run.begin(kind, now);
        }
        tx.runs().record(&self.lease, &self.run, now + self.platform.policy.lease)?;
        self.announce(tx, record, None, now)
    }

    fn postpone(&self, now: DateTime<Utc>, wait: Duration) -> StoreResult<Worked> {
        let due = now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::zero());
        self.platform.control.write(|tx| tx.runs().release(&self.lease, &self.run, due))?;
        self.tell();
        Ok(Worked::Postponed(self.tenant.id, due))
    }

    fn succeed(&mut self) -> StoreResult<Worked> {
        let now = self.platform.clock.now();
        let id = self.tenant.id;
        let lifecycle = self.tenant.lifecycle.clone();
        match self.run.kind {
            RunKind::Provision { with_admin } => {
                self.ascertain_schema();
                // One that an archive is still to be loaded into serves nobody before that; its people come with the archive.
                let provisioned = match !with_admin && transfer::waits(&self.tenant) {
                    true => lifecycle.withhold(now),
                    false => lifecycle.activate(now),
                };
                self.close(provisioned.map_err(impossible)?, now)?;
                tracing::info!("Provisioning completed successfully for tenant {id}");
            }
            RunKind::Deprovision => {
                self.close(lifecycle.delete(now).map_err(impossible)?, now)?;
                tracing::info!("Tenant {id} is deleted");
            }
        }
        Ok(Worked::Finished(id))
    }

    /// Whoever carries on after a crash does not know which schema the database got, and an upgrade may have followed: it
    /// gets this process's, which as a rule is the one it has. Where that fails the schema stays unknown, and is no reason
    /// to keep the tenant waiting.
    fn ascertain_schema(&mut self) {
        if self.schema.is_none() && self.holding(|site| perform(site, StepKind::ApplyMigrations)).is_ok() {
            self.schema = Some(self.platform.databases.schema().to_owned());
        }
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

    /// Ends the run, and with it what it needed on the way. After a failure its admin waits for the next one; what an undo
    /// could not remove stays known.
    fn close(&mut self, lifecycle: Lifecycle, now: DateTime<Utc>) -> StoreResult<()> {
        let left_behind = matches!(lifecycle, Lifecycle::Failed { needs_attention: true, .. });
        let failed = matches!(lifecycle, Lifecycle::Failed { .. });
        let provisioned = matches!(lifecycle, Lifecycle::Active { .. } | Lifecycle::Suspended { .. });
        if failed {
            self.tenant.home.login = None;
        }
        let before = self.tenant.lifecycle.status();
        self.tenant.enter(lifecycle, now);
        let what = Happening::between(before, self.tenant.lifecycle.status());
        recorded::<_, StoreError>(self.platform, None, |tx, record| {
            tx.runs().close(&self.lease, &self.run)?;
            tx.tenants().update(&self.tenant)?;
            if let Some(schema) = self.schema.as_ref().filter(|_| provisioned) {
                tx.tenants().note_schema(self.tenant.id, schema)?;
            }
            if self.taken.is_some() && !left_behind {
                tx.pool().forget_taken(self.tenant.id)?;
            }
            if !failed && (self.admin.is_some() || !provisioned) {
                tx.runs().take_admin(self.tenant.id)?;
            }
            self.announce(tx, record, what, now)
        })?;
        self.tell();
        Ok(())
    }

    fn log_fault(&self, fault: &Fault) {
        let Tenant { id, slug, .. } = &self.tenant;
        let what = match self.run.kind {
            RunKind::Provision { .. } => "provisioning",
            RunKind::Deprovision => "deprovisioning",
        };
        tracing::error!(passing = fault.passing, "Error {what} tenant {id} ({slug}): {}", fault.detail);
    }
}

/// The store says what the state machine forbids.
fn impossible(error: InvalidTransition) -> StoreError {
    StoreError::corrupt("tenant", error)
}
