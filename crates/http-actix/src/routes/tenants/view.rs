use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value};
use tenantry_domain::id::TenantId;
use tenantry_domain::people::Email;
use tenantry_domain::tenant::{
    ClusterName, DatabaseName, Direction, Former, Lifecycle, Plan, Run, RunKind, Slug, Status, StepError,
    Tenant, TenantName,
};
use tenantry_domain::timestamp;
use tenantry_usecases::tenants::Progress;

use crate::openapi::documented;
use crate::routes::status::{StepView, statuses};

/// A tenant, as lists show it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TenantSummary")]
pub(crate) struct SummaryView {
    id: TenantId,
    /// The same as a UUID: the id of its provisioning.
    provisioning_id: String,
    /// Its name in URLs.
    slug: Slug,
    name: TenantName,
    plan: Plan,
    /// Where it stands.
    #[schemars(schema_with = "statuses")]
    status: Status,
    /// Whom to tell things.
    contact_email: Option<Email>,
    /// On which server its database is.
    cluster: ClusterName,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    created_at: DateTime<Utc>,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    updated_at: DateTime<Utc>,
    /// Counts its changes; also the `ETag`.
    version: i64,
}

/// A tenant, with how it came to be what it is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Tenant")]
pub(crate) struct TenantView {
    #[serde(flatten)]
    summary: SummaryView,
    /// What the platform wanted to remember with it.
    config: Option<Map<String, Value>>,
    /// The name of its database, whether or not that exists.
    db_name: DatabaseName,
    /// The facts of its status.
    state: StateView,
    /// Every run of its provisioning and deprovisioning, oldest first.
    runs: Vec<RunView>,
}

/// The facts of a tenant's status; those that it does not have are left out.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TenantState")]
pub(crate) struct StateView {
    /// Since when it has the status.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    since: DateTime<Utc>,
    /// `PENDING_VALIDATION`: until when it can be confirmed.
    #[serde(with = "timestamp::option", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "timestamp::schema")]
    expires_at: Option<DateTime<Utc>>,
    /// `Deprovisioning`: when its database is dropped; until then it can be restored.
    #[serde(with = "timestamp::option", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "timestamp::schema")]
    drop_at: Option<DateTime<Utc>>,
    /// `Deprovisioning`: whether that was begun, so that there is no way back.
    #[serde(skip_serializing_if = "Option::is_none")]
    begun: Option<bool>,
    /// `Deprovisioning`: what it was before, and is again if it is restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "statuses")]
    former: Option<Status>,
    /// `Failed`, now or before it was to go: what went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<ReasonView>,
    /// `Failed`: something may be left behind, and an operator has to look.
    #[serde(skip_serializing_if = "Option::is_none")]
    needs_attention: Option<bool>,
}

/// What went wrong.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TenantFailure")]
pub(crate) struct ReasonView {
    /// For programs.
    code: String,
    /// One sentence.
    message: String,
}

/// One run of a tenant's provisioning or deprovisioning.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ProvisioningRun")]
pub(crate) struct RunView {
    /// 1 for the first.
    number: u32,
    /// What it is for.
    #[schemars(schema_with = "kinds")]
    kind: &'static str,
    /// `Unwind` where a step failed for good, and what was done is undone.
    #[schemars(schema_with = "directions")]
    direction: &'static str,
    /// Every attempt at every step, oldest first.
    steps: Vec<StepView>,
}

fn kinds(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["Provision", "Deprovision"] })
}

fn directions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["Forward", "Unwind"] })
}

impl SummaryView {
    /// What lists show of it.
    pub(crate) fn of(tenant: Tenant) -> Self {
        Self {
            id: tenant.id,
            provisioning_id: tenant.id.uuid().to_string(),
            slug: tenant.slug,
            name: tenant.name,
            plan: tenant.plan,
            status: tenant.lifecycle.status(),
            contact_email: tenant.contact_email,
            cluster: tenant.home.cluster,
            created_at: tenant.created_at,
            updated_at: tenant.updated_at,
            version: tenant.version,
        }
    }
}

impl TenantView {
    /// All there is to see of it.
    pub(crate) fn of(progress: Progress) -> Self {
        let Progress { mut tenant, runs } = progress;
        Self {
            config: tenant.config.take(),
            db_name: tenant.database.clone(),
            state: StateView::of(&tenant),
            runs: runs.into_iter().map(RunView::of).collect(),
            summary: SummaryView::of(tenant),
        }
    }
}

impl StateView {
    fn of(tenant: &Tenant) -> Self {
        let plain = |since| Self {
            since,
            expires_at: None,
            drop_at: None,
            begun: None,
            former: None,
            reason: None,
            needs_attention: None,
        };
        match &tenant.lifecycle {
            Lifecycle::PendingValidation { expires_at, .. } => {
                Self { expires_at: Some(*expires_at), ..plain(tenant.created_at) }
            }
            Lifecycle::Queued { since }
            | Lifecycle::Provisioning { since }
            | Lifecycle::Active { since }
            | Lifecycle::Suspended { since }
            | Lifecycle::Expired { at: since }
            | Lifecycle::Deleted { at: since } => plain(*since),
            Lifecycle::Failed { at, reason, needs_attention } => plain(*at).with(reason, *needs_attention),
            Lifecycle::Deprovisioning { since, drop_at, begun, former } => {
                let going = Self {
                    drop_at: Some(*drop_at),
                    begun: Some(*begun),
                    former: Some(former.status()),
                    ..plain(*since)
                };
                match former {
                    Former::Failed { reason, needs_attention } => going.with(reason, *needs_attention),
                    Former::Active | Former::Suspended => going,
                }
            }
        }
    }

    fn with(self, reason: &StepError, needs_attention: bool) -> Self {
        let StepError { code, message } = reason.clone();
        Self { reason: Some(ReasonView { code, message }), needs_attention: Some(needs_attention), ..self }
    }
}

impl RunView {
    fn of(run: Run) -> Self {
        Self {
            number: run.number,
            kind: match run.kind {
                RunKind::Provision { .. } => "Provision",
                RunKind::Deprovision => "Deprovision",
            },
            direction: match run.direction {
                Direction::Forward => "Forward",
                Direction::Unwind => "Unwind",
            },
            steps: run.journal.into_iter().map(StepView::of).collect(),
        }
    }
}

documented!(TenantView);
