use schemars::JsonSchema;
use serde::Deserialize;
use tenantry_domain::config::{AllowedConfigs, VersioningStrategy};
use tenantry_domain::tenant::Quotas;
use tenantry_ports::Scope;
use tenantry_usecases::access::Need;
use tenantry_usecases::settings::{self, Replacement, Wanted};

use super::view::{self, SettingsView};
use crate::body::Body;
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::precondition::IfMatch;
use crate::problem::Problem;

/// What a tenant's settings are to be; what is left out goes back to its default.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ReplaceSettings")]
pub(crate) struct ReplaceSettingsBody {
    /// From which account configs accounts may be provisioned: `"*"`, or ids of configs that exist.
    #[serde(default)]
    allowed_configs: AllowedConfigs,
    /// What a second upload of a config id does: `explicit` refuses it, with `internal` it becomes the next version.
    #[serde(default)]
    versioning_strategy: VersioningStrategy,
    /// What the tenant may have other than as its plan says. Only the operator grants more than there is now.
    #[serde(default)]
    quotas: Quotas,
}

impl Body for ReplaceSettingsBody {}

/// Replace a tenant's settings
///
/// All of them: read them first, and send their `ETag` as `If-Match` so as to change what you have seen and nothing newer. A
/// tenant may lower its quotas; raising or lifting them is the operator's. The change is in the tenant's event log
/// (`settings.updated`), with who made it and what was before. It counts for the next transaction; another rate of requests
/// counts everywhere within seconds.
#[utoipa::path(
    put,
    path = "/tenants/{tenantId}/settings",
    operation_id = "replaceSettings",
    tag = "settings",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the settings have to have"),
    ),
    request_body(content = ReplaceSettingsBody, example = json!({
        "allowedConfigs": "*",
        "versioningStrategy": "internal",
        "quotas": { "maxAccounts": 5000 }
    })),
    responses((status = 200, description = "The settings as they are now", body = SettingsView, headers(("ETag" = String)),
        example = json!({
            "allowedConfigs": "*",
            "versioningStrategy": "internal",
            "quotas": { "maxAccounts": 5000 }
        })
    ))
)]
pub(crate) async fn replace(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::SettingsWrite)).await?;
    let body = call.body::<ReplaceSettingsBody>().await?.value;
    let ReplaceSettingsBody { allowed_configs, versioning_strategy, quotas } = body;
    let (meant, trace, tenant) = (IfMatch::of(call.headers()), call.request_id(), scope.tenant());
    let replaced = call.on_storage::<_, Problem>(move |platform| {
        let settings = Wanted { allowed_configs, versioning_strategy, quotas };
        let wish = Replacement { settings, caller: &caller, trace };
        Ok(settings::replace(platform, &scope, wish, |tag| meant.means(tag))?)
    });
    let current = replaced.await?;
    call.state.tenant_rates.forget(tenant);
    view::answer(current)
}

documented!(ReplaceSettingsBody);
