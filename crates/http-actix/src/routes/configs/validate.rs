use std::borrow::Cow;

use actix_web::HttpResponse;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::Value;
use tenantry_domain::{Finding, config};
use tenantry_ports::{Scope, StoreError};
use tenantry_usecases::access::Need;
use tenantry_usecases::configs::{self, ConfigVerdict};

use crate::call::{Answer, Call};
use crate::openapi::{FindingView, documented};
use crate::routes::respond;

/// What a config upload takes: the account config's own schema, in the OpenAPI document.
pub(crate) struct AccountConfigBody;

impl JsonSchema for AccountConfigBody {
    fn schema_name() -> Cow<'static, str> {
        "AccountConfig".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = config::schema();
        if let Some(members) = schema.as_object_mut() {
            members.remove("$schema");
        }
        Schema::try_from(schema).unwrap_or_default()
    }
}

/// What there is to say about a config.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ConfigVerdict")]
pub(crate) struct VerdictView {
    /// `OK` if the config may be uploaded.
    #[schemars(schema_with = "verdicts")]
    status: &'static str,
    /// Everything that is wrong.
    #[schemars(with = "Vec<FindingView>")]
    errors: Vec<Finding>,
    /// What is doubtful, and no error.
    #[schemars(with = "Vec<FindingView>")]
    warnings: Vec<Finding>,
}

fn verdicts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["OK", "INVALID"] })
}

/// Validate an account config
///
/// Answers with everything that an upload would refuse, and stores nothing.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/configs/validate",
    operation_id = "validateConfig",
    tag = "configs",
    params(("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64)),
    request_body(content = AccountConfigBody, example = json!({
        "id": "25k-eval-v1",
        "displayName": "25K Evaluation",
        "baseCapital": 25000,
        "variant": "evaluation",
        "challengeDefinitions": [{
            "id": "phase-1",
            "name": "Phase 1",
            "rules": { "profitTarget": 0.08, "maxDrawdown": 0.03, "dailyLossLimit": 0.05 }
        }],
        "payoutRules": { "stagedPayouts": [{ "milestone": "funded", "payoutPercent": 100 }] }
    })),
    responses((status = 200, description = "The verdict, also on an invalid config", body = VerdictView, example = json!({
        "status": "INVALID",
        "errors": [{
            "pointer": "/challengeDefinitions/0/rules/dailyLossLimit",
            "code": "daily_loss_exceeds_max_drawdown",
            "message": "The daily loss limit (0.05) must not exceed the maximum drawdown (0.03)"
        }],
        "warnings": []
    })))
)]
pub(crate) async fn validate(mut call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::ConfigsRead)).await?;
    let document = call.body::<Value>().await?.value;
    let verdict = call
        .on_storage::<_, StoreError>(move |platform| configs::validate(platform, &scope, &document))
        .await?;
    let ConfigVerdict { errors, warnings } = verdict;
    let status = if errors.is_empty() { "OK" } else { "INVALID" };
    respond::json(HttpResponse::Ok(), &VerdictView { status, errors, warnings })
}

documented!(AccountConfigBody, VerdictView);
