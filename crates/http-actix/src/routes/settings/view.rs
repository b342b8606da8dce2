use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::config::{AllowedConfigs, VersioningStrategy};
use tenantry_domain::tenant::Quotas;
use tenantry_usecases::settings::{Current, Wanted};

use actix_web::HttpResponse;
use actix_web::http::header;

use crate::openapi::documented;
use crate::problem::Problem;
use crate::routes::respond;

/// What a tenant has set, and what was agreed on with it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Settings")]
pub(crate) struct SettingsView {
    /// From which account configs accounts may be provisioned.
    allowed_configs: AllowedConfigs,
    /// What a second upload of a config id does: `explicit` refuses it, with `internal` it becomes the next version.
    versioning_strategy: VersioningStrategy,
    /// What the tenant may have other than as its plan says; of the rest `…/usage` tells.
    quotas: Quotas,
}

impl SettingsView {
    pub(super) fn of(settings: Wanted) -> Self {
        let Wanted { allowed_configs, versioning_strategy, quotas } = settings;
        Self { allowed_configs, versioning_strategy, quotas }
    }
}

/// The settings, with their entity tag.
pub(super) fn answer(current: Current) -> Result<HttpResponse, Problem> {
    let mut response = respond::private(actix_web::http::StatusCode::OK);
    response.insert_header((header::ETAG, respond::etag(&current.tag)));
    respond::json(response, &SettingsView::of(current.settings))
}

documented!(SettingsView);
