use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tenantry_domain::Finding;
use tenantry_domain::config::{ConfigId, ConfigVersion};
use tenantry_ports::Scope;
use tenantry_usecases::access::Need;
use tenantry_usecases::configs::{self, Upload};

use super::validate::AccountConfigBody;
use crate::call::{Answer, Call};
use crate::openapi::{FindingView, documented};
use crate::routes::respond;

/// A stored version.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ConfigUploaded")]
pub(crate) struct UploadedView {
    config_id: ConfigId,
    /// Which version of the id it is.
    version: ConfigVersion,
    /// `active`: new accounts are made from it.
    status: &'static str,
    /// SHA-256 of the resolved document, in hexadecimal.
    hash: String,
    /// What is doubtful, and no error.
    #[schemars(with = "Vec<FindingView>")]
    warnings: Vec<Finding>,
}

/// Upload an account config
///
/// The document becomes the next version of its id, or the first. If it is the current version already, that is
/// answered with 200 and nothing is stored. Accounts that exist keep the version they were made from.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/configs",
    operation_id = "uploadConfig",
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
            "rules": { "profitTarget": 0.08, "maxDrawdown": 0.08, "dailyLossLimit": 0.03 }
        }],
        "payoutRules": { "stagedPayouts": [{ "milestone": "funded", "payoutPercent": 100 }] }
    })),
    responses(
        (status = 201, description = "A new version", body = UploadedView, example = json!({
            "configId": "25k-eval-v1",
            "version": 1,
            "status": "active",
            "hash": "7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730",
            "warnings": []
        })),
        (status = 200, description = "The current version is this very document", body = UploadedView),
    )
)]
pub(crate) async fn upload(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::ConfigsWrite)).await?;
    let document = call.body::<Value>().await?.value;
    let upload = Upload { document, actor: caller.actor(), trace: call.request_id() };
    let uploaded = call.on_storage(move |platform| configs::upload(platform, &scope, upload)).await?;
    let status = if uploaded.created { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = HttpResponse::build(status);
    response.insert_header((header::LOCATION, format!("{}/{}", call.path(), uploaded.config.id)));
    let view = UploadedView {
        config_id: uploaded.config.id,
        version: uploaded.config.version,
        status: "active",
        hash: uploaded.config.hash,
        warnings: uploaded.warnings,
    };
    respond::json(response, &view)
}

documented!(UploadedView);
