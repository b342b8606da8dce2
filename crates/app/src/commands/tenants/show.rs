//! `tenants list` and `tenants show`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use tenantry_domain::tenant::{Direction, Run, RunKind, StepRecord, Tenant};
use tenantry_ports::TenantFilter;
use tenantry_usecases::Platform;
use tenantry_usecases::tenants;

use super::{as_json, each, standing, tenant};
use crate::cli::{ListTenants, ShowTenant};
use crate::commands::table::{table, time};
use crate::commands::{print, print_json};
use crate::compose::store_failure;
use crate::failure::Failure;

/// Lists tenants, newest first.
pub(super) fn list(platform: &Platform, wish: &ListTenants) -> Result<(), Failure> {
    let filter = TenantFilter { status: wish.status, plan: wish.plan, text: wish.text.clone() };
    let limit = wish.limit.unwrap_or(usize::MAX);
    let mut listed = Vec::new();
    if limit > 0 {
        let see = |tenant| {
            listed.push(tenant);
            listed.len() < limit
        };
        each(platform, filter, see).map_err(|error| store_failure(&error))?;
    }
    if wish.json {
        let listed: Vec<Value> = listed.into_iter().map(tenantry_http_actix::tenant_summary).collect();
        return print_json(&listed.into());
    }
    if listed.is_empty() {
        eprintln!("There are no such tenants.");
    }
    let heads = ["SLUG", "NAME", "PLAN", "STATUS", "CLUSTER", "CREATED", "ID"];
    print(&table(heads, listed.iter().map(row)))
}

fn row(tenant: &Tenant) -> [String; 7] {
    [
        tenant.slug.to_string(),
        tenant.name.to_string(),
        tenant.plan.to_string(),
        tenant.lifecycle.status().to_string(),
        tenant.home.cluster.to_string(),
        time(tenant.created_at),
        tenant.id.to_string(),
    ]
}

/// Shows a tenant with everything that was done for it.
pub(super) fn show(platform: &Platform, wish: &ShowTenant) -> Result<(), Failure> {
    let tenant = tenant(platform, &wish.tenant)?;
    if wish.json {
        return print_json(&as_json(platform, &tenant)?);
    }
    let progress = tenants::progress(platform, tenant.id).map_err(|error| store_failure(&error))?;
    let runs = progress.map(|progress| progress.runs).unwrap_or_default();
    let history: String = runs.iter().map(run).collect();
    print(&format!("{}{history}", about(&tenant)))
}

fn about(tenant: &Tenant) -> String {
    let contact = tenant.contact_email.as_ref().map_or("nobody", |email| email.as_str());
    let lines = [
        ("tenant", format!("{} ({})", tenant.slug, tenant.name)),
        ("id", tenant.id.to_string()),
        ("status", standing(tenant)),
        ("plan", tenant.plan.to_string()),
        ("contact", contact.to_owned()),
        ("database", format!("{} on {}", tenant.database, tenant.home.cluster)),
        ("created", time(tenant.created_at)),
        ("changed", format!("{}, version {}", time(tenant.updated_at), tenant.version)),
    ];
    lines.map(|(name, value)| format!("{name:10}{value}\n")).concat()
}

fn run(run: &Run) -> String {
    let kind = match run.kind {
        RunKind::Provision { .. } => "provisioning",
        RunKind::Deprovision => "deprovisioning",
    };
    let direction = match run.direction {
        Direction::Forward => "",
        Direction::Unwind => ", undone",
    };
    if run.journal.is_empty() {
        return format!("\nrun {}: {kind}, of which nothing was begun\n", run.number);
    }
    let steps = run.journal.iter().map(step);
    let heads = ["STEP", "ATTEMPT", "STATUS", "BEGUN", "TOOK", "WHAT"];
    format!("\nrun {}: {kind}{direction}\n{}", run.number, table(heads, steps))
}

fn step(record: &StepRecord) -> [String; 6] {
    let what = match (&record.error, &record.log) {
        (Some(error), _) => format!("{error} [{}]", error.code),
        (None, log) => log.clone().unwrap_or_default(),
    };
    [
        record.kind.to_string(),
        record.attempt.to_string(),
        record.status.as_str().to_owned(),
        record.started_at.map_or_else(String::new, time),
        took(record.started_at, record.completed_at),
        what,
    ]
}

fn took(from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> String {
    let Some((from, to)) = from.zip(to) else { return String::new() };
    let milliseconds = (to - from).num_milliseconds();
    format!("{}.{:03} s", milliseconds / 1000, milliseconds % 1000)
}
