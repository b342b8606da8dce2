use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::basis::{BasisConfig, BusinessVariant, Label, ProcessConfig, Step};
use tenantry_domain::id::{ProcessConfigId, TenantConfigId, TenantId};
use tenantry_domain::{Verbatim, timestamp};
use tenantry_usecases::basis::Entry;

use crate::openapi::documented;
use crate::problem::Problem;
use crate::routes::respond::{self, Page};

/// A tenant's basis configuration.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TenantConfig")]
pub(crate) struct TenantConfigView {
    id: TenantConfigId,
    tenant_id: TenantId,
    /// What the tenant says of its organisation, as it was sent.
    org_structure: Verbatim,
    /// The variants of its business.
    business_variants: Vec<BusinessVariant>,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    created_at: DateTime<Utc>,
    /// When it last changed; what says the same is no change.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    updated_at: DateTime<Utc>,
}

impl TenantConfigView {
    pub(super) fn of(basis: BasisConfig, tenant_id: TenantId) -> Self {
        Self {
            id: basis.id,
            tenant_id,
            org_structure: basis.content.org_structure,
            business_variants: basis.content.business_variants,
            created_at: basis.created_at,
            updated_at: basis.updated_at,
        }
    }
}

/// A process of a tenant.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ProcessConfig")]
pub(crate) struct ProcessView {
    id: ProcessConfigId,
    tenant_id: TenantId,
    name: Label,
    process_type: Label,
    /// Its steps, in order.
    steps: Vec<Step>,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    created_at: DateTime<Utc>,
    /// When it last changed; what says the same is no change.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    updated_at: DateTime<Utc>,
}

pub(crate) type ProcessPage = Page<ProcessView>;

impl ProcessView {
    pub(super) fn of(process: ProcessConfig, tenant_id: TenantId) -> Self {
        Self {
            id: process.id,
            tenant_id,
            name: process.content.name,
            process_type: process.content.process_type,
            steps: process.content.steps,
            created_at: process.created_at,
            updated_at: process.updated_at,
        }
    }
}

/// What is configured by now, of what was sent.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "UpsertedConfig")]
pub(crate) struct UpsertedView {
    /// The basis, if it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tenant_config: Option<TenantConfigView>,
    /// The process, if one was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) process_config: Option<ProcessView>,
}

/// The basis.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Basis")]
pub(crate) struct BasisView {
    tenant_config: TenantConfigView,
}

/// A change of the basis or of a process.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ConfigurationChange")]
pub(crate) struct ChangeView {
    /// The version that it made; what can be restored.
    version: i64,
    /// When.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    changed_at: DateTime<Utc>,
    /// Who made it: the id of a user or a key, or `operator`.
    changed_by: String,
    /// What was said before; null where there was nothing.
    before: Option<Verbatim>,
    /// What has been said since; null where it was removed.
    after: Option<Verbatim>,
}

pub(crate) type ChangePage = Page<ChangeView>;

impl From<Entry> for ChangeView {
    fn from(Entry { record, before }: Entry) -> Self {
        Self {
            version: record.version,
            changed_at: record.changed_at,
            changed_by: record.changed_by,
            before,
            after: record.document,
        }
    }
}

/// The basis, with its entity tag.
pub(super) fn basis(basis: BasisConfig, tenant: TenantId) -> Result<HttpResponse, Problem> {
    let version = basis.version;
    tagged(version, &BasisView { tenant_config: TenantConfigView::of(basis, tenant) })
}

/// A process, with its entity tag.
pub(super) fn process(process: ProcessConfig, tenant: TenantId) -> Result<HttpResponse, Problem> {
    let version = process.version;
    tagged(version, &ProcessView::of(process, tenant))
}

fn tagged(version: i64, view: &impl Serialize) -> Result<HttpResponse, Problem> {
    let mut response = respond::private(StatusCode::OK);
    response.insert_header((header::ETAG, respond::etag(version)));
    respond::json(response, view)
}

documented!(TenantConfigView, ProcessView, ProcessPage, UpsertedView, BasisView, ChangeView, ChangePage);
