use actix_web::http::StatusCode;
use actix_web::http::header;
use tenantry_ports::Scope;
use tenantry_usecases::access::Need;
use tenantry_usecases::settings;

use super::view::{self, SettingsView};
use crate::call::{Answer, Call};
use crate::routes::respond;

/// Read a tenant's settings
///
/// Which configs it allows, how it counts their versions, and what it may have other than as its plan says.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/settings",
    operation_id = "getSettings",
    tag = "settings",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have"),
    ),
    responses(
        (status = 200, description = "The settings", body = SettingsView, headers(("ETag" = String)), example = json!({
            "allowedConfigs": ["25k-eval-v1"],
            "versioningStrategy": "explicit",
            "quotas": { "maxAccounts": 250000 }
        })),
        (status = 304, description = "They are what `If-None-Match` says"),
    )
)]
pub(crate) async fn read(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::SettingsRead)).await?;
    let current = call.on_storage(move |platform| settings::read(platform, &scope)).await?;
    let etag = respond::etag(&current.tag);
    if respond::is_current(call.headers(), &etag) {
        return Ok(respond::private(StatusCode::NOT_MODIFIED).insert_header((header::ETAG, etag)).finish());
    }
    view::answer(current)
}
