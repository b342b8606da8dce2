use actix_web::HttpResponse;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tenantry_domain::Pointer;
use tenantry_domain::config::{Change, ConfigId, ConfigVersion, Difference};
use tenantry_ports::{Scope, StoreError};
use tenantry_usecases::access::Need;
use tenantry_usecases::configs;

use super::read::{config_id, unknown, version};
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::routes::respond;

/// What two versions of a config differ in.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ConfigDiff")]
pub(crate) struct DiffView {
    config_id: ConfigId,
    /// The one version.
    from: ConfigVersion,
    /// The other one.
    to: ConfigVersion,
    /// The steps from the one's resolved document to the other's; none if they are equal.
    differences: Vec<DifferenceView>,
}

/// A step of a JSON Patch (RFC 6902), with both values.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConfigDifference")]
pub(crate) struct DifferenceView {
    /// What happened.
    op: Change,
    /// Where: a JSON Pointer (RFC 6901) into the resolved document as the steps before left it.
    #[schemars(with = "String")]
    pointer: Pointer,
    /// The value before; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("type" = ["object", "array", "string", "number", "boolean", "null"]))]
    from: Option<Value>,
    /// The value after; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("type" = ["object", "array", "string", "number", "boolean", "null"]))]
    to: Option<Value>,
}

impl From<Difference> for DifferenceView {
    fn from(difference: Difference) -> Self {
        let Difference { op, pointer, from, to } = difference;
        Self { op, pointer, from, to }
    }
}

/// Compare two versions of an account config
///
/// Tells the steps from the resolved document of `from` to that of `to`. Stages are known by their `id`: one that only
/// moved up because another came before it has not changed.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/configs/{configId}/diff",
    operation_id = "compareConfigVersions",
    tag = "configs",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("configId" = String, Path, description = "The config's id", max_length = 64),
        ("from" = Option<u32>, Query, description = "The one version; the one before `to` if absent", minimum = 1),
        ("to" = Option<u32>, Query, description = "The other version; the current one if absent", minimum = 1),
    ),
    responses((status = 200, description = "What is different", body = DiffView, example = json!({
        "configId": "25k-eval-v1",
        "from": 1,
        "to": 2,
        "differences": [{
            "op": "replace",
            "pointer": "/challengeDefinitions/0/rules/dailyLossLimit",
            "from": 0.03,
            "to": 0.04
        }]
    })))
)]
pub(crate) async fn compare(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::ConfigsRead)).await?;
    let mut query = call.query();
    let (from, to) = (version(&mut query, "from"), version(&mut query, "to"));
    query.finish()?;
    let config_id = config_id(&call)?;
    let id = config_id.clone();
    let compared = call
        .on_storage::<_, StoreError>(move |platform| configs::compare(platform, &scope, &id, from, to))
        .await?
        .ok_or_else(unknown)?;
    let differences = compared.differences.into_iter().map(DifferenceView::from).collect();
    let view = DiffView { config_id, from: compared.from, to: compared.to, differences };
    respond::json(HttpResponse::Ok(), &view)
}

documented!(DiffView);
