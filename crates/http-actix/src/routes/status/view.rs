use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use tenantry_domain::tenant::{DatabaseName, Run, RunKind, Status, StepKind, StepRecord, StepStatus};
use tenantry_domain::timestamp;
use tenantry_usecases::tenants::Progress;

/// How far a provisioning is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ProvisioningStatus")]
pub(crate) struct StatusView {
    /// Where the tenant stands.
    #[schemars(schema_with = "statuses")]
    status: Status,
    /// The tenant's slug, once it is Active.
    tenant_slug: Option<String>,
    /// The name of its database, once it is Active.
    db_name: Option<String>,
    /// Every attempt at every step of the latest run, oldest first.
    steps: Vec<StepView>,
}

/// One attempt at one step.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ProvisioningStep")]
pub(crate) struct StepView {
    /// Which step.
    #[schemars(schema_with = "step_kinds")]
    step: StepKind,
    /// How it stands.
    #[schemars(schema_with = "step_statuses")]
    status: StepStatus,
    /// When it was begun.
    #[serde(with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    started_at: Option<DateTime<Utc>>,
    /// When it ended, well or not.
    #[serde(with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    completed_at: Option<DateTime<Utc>>,
    /// What was done.
    log: Option<String>,
    /// What went wrong.
    error_message: Option<String>,
    /// The same, for programs.
    error_code: Option<String>,
    /// 1 for the first attempt at the step.
    attempt: u32,
}

pub(crate) fn statuses(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": Status::ALL.map(Status::as_str) })
}

fn step_kinds(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": StepKind::ALL.map(StepKind::as_str) })
}

fn step_statuses(_: &mut SchemaGenerator) -> Schema {
    use StepStatus::{Failed, InProgress, Pending, RolledBack, Success};
    let all = [Pending, InProgress, Success, Failed, RolledBack];
    json_schema!({ "type": "string", "enum": all.map(StepStatus::as_str) })
}

impl StatusView {
    /// What strangers may see of it.
    pub(crate) fn of(progress: Progress) -> Self {
        let Progress { tenant, runs } = progress;
        let status = tenant.lifecycle.status();
        let shown = status == Status::Active;
        let step = |record| match shown {
            true => StepView::of(record),
            false => StepView::of(without(record, &tenant.database)),
        };
        Self {
            status,
            tenant_slug: shown.then(|| tenant.slug.to_string()),
            db_name: shown.then(|| tenant.database.to_string()),
            steps: telling(status, runs).into_iter().flat_map(|run| run.journal).map(step).collect(),
        }
    }
}

/// The run that made the tenant what it is: one that was to end it and was called off did not.
fn telling(status: Status, runs: Vec<Run>) -> Option<Run> {
    let ending = matches!(status, Status::Deprovisioning | Status::Deleted);
    runs.into_iter().rev().find(|run| ending || run.kind != RunKind::Deprovision)
}

/// The same attempt, without the name of the database, which is not for strangers until the tenant is in service.
fn without(mut record: StepRecord, database: &DatabaseName) -> StepRecord {
    let name = format!(" {database}");
    record.log = record.log.map(|log| log.replace(&name, ""));
    record
}

impl StepView {
    /// Everything there is to see of it.
    pub(crate) fn of(record: StepRecord) -> Self {
        let (error_code, error_message) = record.error.map(|error| (error.code, error.message)).unzip();
        Self {
            step: record.kind,
            status: record.status,
            started_at: record.started_at,
            completed_at: record.completed_at,
            log: record.log,
            error_message,
            error_code,
            attempt: record.attempt,
        }
    }
}

#[cfg(test)]
mod tests {
    use tenantry_testkit::sample;

    use super::*;

    #[test]
    fn no_state_but_active_shows_the_tenants_names() {
        let mut tenant = sample::tenant("acme");
        let mut run = sample::run(&tenant);
        for kind in [StepKind::CreateDatabase, StepKind::ApplyMigrations] {
            run.begin(kind, sample::now());
            run.succeed(kind, format!("{kind}: database {} is done", tenant.database), sample::now());
        }
        let mut end = Run::deprovisioning(tenant.id, 2);
        end.begin(StepKind::DropDatabase, sample::now());
        end.succeed(StepKind::DropDatabase, format!("Database {} dropped", tenant.database), sample::now());
        for lifecycle in sample::lifecycles() {
            tenant.lifecycle = lifecycle;
            let runs = vec![run.clone(), end.clone()];
            let view = StatusView::of(Progress { tenant: tenant.clone(), runs });
            let text = serde_json::to_string(&view).unwrap();
            let shown = tenant.lifecycle.status() == Status::Active;
            assert_eq!(text.contains("acme"), shown, "{text}");
        }
    }

    #[test]
    fn a_tenant_that_was_to_go_and_stayed_shows_how_it_came_about() {
        let mut tenant = sample::tenant("acme");
        let runs = vec![sample::run(&tenant), Run::deprovisioning(tenant.id, 2)];
        for (lifecycle, steps) in sample::lifecycles().into_iter().map(|lifecycle| {
            let steps = usize::from(!matches!(lifecycle.status(), Status::Deprovisioning | Status::Deleted));
            (lifecycle, steps)
        }) {
            tenant.lifecycle = lifecycle;
            let view = StatusView::of(Progress { tenant: tenant.clone(), runs: runs.clone() });
            assert_eq!(view.steps.len(), steps, "{}", tenant.lifecycle.status());
        }
    }
}
