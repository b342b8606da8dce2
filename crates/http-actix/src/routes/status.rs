//! How far a provisioning is: for everybody who knows its id.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Status, StepKind, StepRecord, StepStatus};
use tenantry_domain::timestamp;
use tenantry_usecases::tenants::{self, Progress};
use uuid::Uuid;

use super::respond;
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::problem::{Code, Problem};

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

fn statuses(_: &mut SchemaGenerator) -> Schema {
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
    fn of(progress: Progress) -> Self {
        let Progress { tenant, mut runs } = progress;
        let status = tenant.lifecycle.status();
        let shown = status == Status::Active;
        Self {
            status,
            tenant_slug: shown.then(|| tenant.slug.to_string()),
            db_name: shown.then(|| tenant.database.to_string()),
            steps: runs.pop().into_iter().flat_map(|run| run.journal).map(StepView::of).collect(),
        }
    }
}

impl StepView {
    fn of(record: StepRecord) -> Self {
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

/// Where to follow the provisioning of this tenant.
pub(super) fn endpoint(tenant: TenantId) -> String {
    format!("/provision/tenants/{}/status", tenant.uuid())
}

/// See how far a provisioning is
///
/// Poll it until `status` is `Active` or `Failed`. Slug and database name are shown only once the tenant is Active.
#[utoipa::path(
    get,
    path = "/provision/tenants/{provisioningId}/status",
    operation_id = "getProvisioningStatus",
    tag = "provisioning",
    params(("provisioningId" = String, Path, description = "The id that init answered with, a UUID", max_length = 64)),
    responses((status = 200, description = "How far it is", body = StatusView, example = json!({
        "status": "Provisioning",
        "tenantSlug": null,
        "dbName": null,
        "steps": [{
            "step": "Init",
            "status": "Success",
            "startedAt": "2025-01-10T10:00:00.000Z",
            "completedAt": "2025-01-10T10:00:01.000Z",
            "log": "Provisioning initialized, waiting for confirmation",
            "errorMessage": null,
            "errorCode": null,
            "attempt": 1
        }]
    })))
)]
pub(crate) async fn status(call: Call) -> Answer {
    let unknown = || Problem::new(Code::ProvisioningNotFound, "No provisioning has this id");
    let id = hyphenated(call.segment("provisioningId")).map(TenantId::new).ok_or_else(unknown)?;
    call.note(|trace| trace.tenant = Some(id));
    let progress =
        call.on_storage(move |platform| tenants::progress(platform, id)).await?.ok_or_else(unknown)?;
    let view = StatusView::of(progress);
    let mut response = respond::private(StatusCode::OK);
    if matches!(view.status, Status::PendingValidation | Status::Queued | Status::Provisioning) {
        response.insert_header((header::RETRY_AFTER, HeaderValue::from_static("1")));
    }
    respond::json(response, &view)
}

fn hyphenated(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok())?
}

documented!(StatusView);
