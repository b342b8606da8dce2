use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::tenant::{Direction, Lifecycle, NextStep, Run, StepRecord, StepStatus};
use tenantry_ports::{OpenRun, StoreResult};

use super::registry::{Registry, name};
use super::{Remedy, Symptom, count, few};
use crate::Platform;

/// What a worker needs a moment for has waited too long after this.
const PATIENCE: TimeDelta = TimeDelta::minutes(1);
/// What is tried again and again has failed too long after this.
const FAILING: TimeDelta = TimeDelta::minutes(10);
/// At most so many runs are looked into.
const JOURNALS: usize = 200;

const WORKER: &str = "start a worker (`tenantry serve`, or `tenantry serve --role worker`), or look into the log of the one there is";

/// What workers do not do.
pub(super) fn symptoms(platform: &Platform, registry: &Registry, now: DateTime<Utc>) -> Vec<Symptom> {
    let mut symptoms = waiting(registry, now);
    symptoms.extend(aside(registry));
    symptoms.extend(stranded(registry, now));
    symptoms.extend(failing(platform, registry, now));
    symptoms.extend(needing_attention(registry));
    symptoms.extend(overdue(platform, now).unwrap_or_else(|error| {
        let next = "look again; the control database did not answer";
        Some(Symptom::error("registry_unreadable", "control database", error.to_string(), next))
    }));
    if symptoms.is_empty() {
        let due = registry.open.iter().filter(|run| run.due.is_some()).count();
        symptoms.push(Symptom::ok(
            "queue",
            "provisioning",
            format!("{} queued or under way", count(due, "run")),
        ));
    }
    symptoms
}

/// Runs that are due, or whose worker died, and that nobody takes up.
fn waiting(registry: &Registry, now: DateTime<Utc>) -> Vec<Symptom> {
    let long_ago = now - PATIENCE;
    let stuck = |run: &OpenRun| {
        let (worker, until) = run.lease.as_ref().filter(|(_, until)| *until <= long_ago)?;
        let ago = minutes(now - *until);
        let what = format!("run {} was leased by {worker}, which has been silent for {ago}", run.number);
        Some(Symptom::warning("stuck_lease", registry.name(run.tenant), what, WORKER))
    };
    let mut symptoms: Vec<_> = registry.open.iter().filter_map(stuck).collect();
    let idle = |run: &&OpenRun| run.lease.is_none() && run.due.is_some_and(|due| due <= long_ago);
    let idle: Vec<_> = registry.open.iter().filter(idle).collect();
    if let Some(since) = idle.iter().filter_map(|run| run.due).min() {
        let names = few(idle.iter().map(|run| registry.name(run.tenant)));
        let (runs, ago) = (count(idle.len(), "run"), minutes(now - since));
        let what = format!("nobody has taken up {runs}, the first due for {ago}: {names}");
        symptoms.push(Symptom::warning("idle_queue", "provisioning", what, WORKER));
    }
    symptoms
}

fn aside(registry: &Registry) -> impl Iterator<Item = Symptom> {
    registry.set_aside.iter().map(|(tenant, number, reason)| {
        let what = format!("run {number} was set aside: {reason}");
        let next = "mend what is said there, then queue it again with `tenantry doctor --fix`";
        let remedy = Remedy::Enqueue { tenant: *tenant, number: *number };
        Symptom::error("run_set_aside", registry.name(*tenant), what, next).with(remedy)
    })
}

/// Tenants on their way for whom no run is queued.
fn stranded(registry: &Registry, now: DateTime<Utc>) -> Vec<Symptom> {
    let under_way = registry.tenants.values().filter(|tenant| {
        let moving = matches!(
            tenant.lifecycle,
            Lifecycle::Queued { .. } | Lifecycle::Provisioning { .. } | Lifecycle::Deprovisioning { .. }
        );
        moving && tenant.updated_at <= now - PATIENCE
    });
    let queued: BTreeSet<_> =
        registry.open.iter().filter(|run| run.due.is_some()).map(|run| run.tenant).collect();
    let aside: BTreeSet<_> = registry.set_aside.iter().map(|(tenant, ..)| *tenant).collect();
    let lost = under_way.filter(|tenant| !queued.contains(&tenant.id) && !aside.contains(&tenant.id));
    lost.map(|tenant| {
        let status = tenant.lifecycle.status();
        let what = format!("it is {status}, and no run is queued for it");
        let held = registry.open.iter().rfind(|run| run.tenant == tenant.id);
        match held {
            Some(run) => {
                let next = "`tenantry doctor --fix` queues its run";
                let remedy = Remedy::Enqueue { tenant: tenant.id, number: run.number };
                Symptom::error("stranded_tenant", name(tenant), what, next).with(remedy)
            }
            None => {
                let next =
                    "somebody changed the control database: restore it, or ask for help with what is in it";
                Symptom::error("stranded_tenant", name(tenant), what, next)
            }
        }
    })
    .collect()
}

/// Runs that are tried again and again.
fn failing(platform: &Platform, registry: &Registry, now: DateTime<Utc>) -> Vec<Symptom> {
    let due = registry.open.iter().filter(|run| run.due.is_some()).take(JOURNALS);
    let runs = due.filter_map(|open| {
        // One that cannot be read is going to be set aside.
        let runs: StoreResult<_> = platform.control.read(|tx| tx.runs().of_tenant(open.tenant));
        runs.ok()?.into_iter().find(|run| run.number == open.number)
    });
    runs.filter_map(|run| {
        let since = failing_since(&run).filter(|since| *since <= now - FAILING)?;
        let reason = run.failure().map_or("unknown", |error| &*error.message);
        let what = match run.direction {
            Direction::Forward => format!("a step has failed for {}: {reason}", minutes(now - since)),
            Direction::Unwind => {
                format!(
                    "what was made cannot be undone, for {}; it failed with: {reason}",
                    minutes(now - since)
                )
            }
        };
        let next = "it is tried again by itself; the worker's log says what keeps it";
        Some(Symptom::warning("failing_run", registry.name(run.tenant), what, next))
    })
    .collect()
}

/// Since when the run has not got on, if an error keeps it.
fn failing_since(run: &Run) -> Option<DateTime<Utc>> {
    match run.next() {
        NextStep::Do(kind) => {
            let failed = |record: &&StepRecord| record.kind == kind && record.status == StepStatus::Failed;
            run.journal.iter().find(failed)?.completed_at
        }
        NextStep::Undo(_) => run.journal.iter().rev().find_map(|record| record.completed_at),
        NextStep::Succeeded | NextStep::Unwound => None,
    }
}

fn needing_attention(registry: &Registry) -> impl Iterator<Item = Symptom> {
    registry.tenants.values().filter_map(|tenant| {
        let Lifecycle::Failed { at, reason, needs_attention: true } = &tenant.lifecycle else { return None };
        let what = format!("it failed at {}, and something may be left of it: {reason}", at.format("%FT%TZ"));
        let next = format!(
            "see to the cause; then `tenantry tenants retry {0}`, or `tenantry tenants delete {0}`",
            tenant.slug
        );
        Some(Symptom::error("needs_attention", name(tenant), what, next))
    })
}

/// Tenants that nobody confirmed and nobody lets go of.
fn overdue(platform: &Platform, now: DateTime<Utc>) -> StoreResult<Option<Symptom>> {
    const ENOUGH: usize = 100;
    let overdue = platform.control.read(|tx| tx.tenants().overdue(now - PATIENCE * 5, ENOUGH))?;
    let names = few(overdue.iter().map(|tenant| tenant.slug.to_string()));
    let many = if overdue.len() == ENOUGH { "at least " } else { "" };
    let tenants = count(overdue.len(), "tenant");
    let what = format!("{many}{tenants}, confirmed by nobody, with their slugs still held: {names}");
    let symptom =
        Symptom::warning("overdue_tenants", "unconfirmed tenants", what, WORKER).with(Remedy::Expire);
    Ok((!overdue.is_empty()).then_some(symptom))
}

pub(super) fn minutes(time: TimeDelta) -> String {
    match (time.num_days(), time.num_hours(), time.num_minutes()) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, _) => format!("{hours} h"),
        (days, ..) => format!("{days} d"),
    }
}
