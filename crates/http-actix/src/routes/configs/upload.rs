use actix_web::http::header;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenantry_domain::Finding;
use tenantry_domain::config::{ConfigId, ConfigVersion};
use tenantry_ports::Scope;
use tenantry_usecases::access::Need;
use tenantry_usecases::configs::{self, Upload, Uploaded};
use tenantry_usecases::idempotency::{self as kept, Once};

use super::validate::AccountConfigBody;
use crate::call::{Answer, Call};
use crate::idempotency;
use crate::openapi::{FindingView, documented};
use crate::problem::{Code, Problem};

/// A stored version.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ConfigUploaded")]
pub(crate) struct UploadedView {
    config_id: ConfigId,
    /// Which version of the id it is.
    version: ConfigVersion,
    /// `active`: new accounts are made from it. `superseded`: there is a later version; new accounts are made from this one
    /// only where `configVersion` says so.
    #[schemars(schema_with = "statuses")]
    status: &'static str,
    /// SHA-256 of the resolved document, in hexadecimal.
    hash: String,
    /// What is doubtful, and no error.
    #[schemars(with = "Vec<FindingView>")]
    warnings: Vec<Finding>,
}

fn statuses(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["active", "superseded"] })
}

/// The body of the answer.
fn view(uploaded: &Uploaded) -> Vec<u8> {
    let Uploaded { config, warnings, is_current, .. } = uploaded;
    let view = UploadedView {
        config_id: config.id.clone(),
        version: config.version,
        status: if *is_current { "active" } else { "superseded" },
        hash: config.hash.clone(),
        warnings: warnings.clone(),
    };
    // Texts and numbers always serialise.
    serde_json::to_vec(&view).unwrap_or_default()
}

fn status(uploaded: &Uploaded) -> u16 {
    if uploaded.created { 201 } else { 200 }
}

/// Upload an account config
///
/// The document becomes the next version of its id, or the first. If it is one of the id's versions already, that one is
/// answered with 200 and nothing is stored. Accounts that exist keep the version they were made from.
///
/// Under the tenant's `versioningStrategy` `explicit`, another document of an id that is taken is refused with 409; the
/// next free id is in `suggestedId`. Send an `Idempotency-Key` (or `requestId`): a repeated request then gets the first
/// answer, with `Idempotent-Replayed: true`.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/configs",
    operation_id = "uploadConfig",
    tag = "configs",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters", max_length = 512),
        ("requestId" = Option<String>, Header, description = "Another name for `Idempotency-Key`", max_length = 512),
    ),
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
        (status = 201, description = "A new version", body = UploadedView, headers(
            ("Location" = String, description = "The config"),
            ("Idempotent-Replayed" = String, description = "`true` on a repeated answer, else absent"),
        ), example = json!({
            "configId": "25k-eval-v1",
            "version": 1,
            "status": "active",
            "hash": "7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730",
            "warnings": []
        })),
        (status = 200, description = "There is a version that is this very document", body = UploadedView),
    )
)]
pub(crate) async fn upload(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::ConfigsWrite)).await?;
    let received = call.body::<Value>().await?;
    let request = call.idempotency(&caller, scope.tenant(), "uploadConfig", &received.bytes)?;
    let wish = Upload { document: received.value, actor: caller.actor(), trace: call.request_id() };
    let refusals = call.refusals();
    let upload = call.on_storage(move |platform| {
        configs::upload_once(platform, &scope, wish, request.as_ref(), |outcome| match outcome {
            Ok(uploaded) => Some(kept::Answer { status: status(uploaded), body: view(uploaded) }),
            Err(error) => refusals.kept(&error.into()),
        })
    });
    let (answer, replayed) = match upload.await? {
        Once::Done(uploaded) => (kept::Answer { status: status(&uploaded), body: view(&uploaded) }, false),
        Once::Refused(answer) => (answer, false),
        Once::Before(answer) => (answer, true),
        Once::KeyReused => return Err(Problem::plain(Code::IdempotencyKeyReused)),
    };
    let mut response = idempotency::respond(&answer, replayed);
    if let Some(id) = config_in(&answer.body) {
        response.insert_header((header::LOCATION, format!("{}/{id}", call.path())));
    }
    Ok(response.body(answer.body))
}

/// The config that an answer is about.
fn config_in(body: &[u8]) -> Option<ConfigId> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Uploaded {
        config_id: ConfigId,
    }
    serde_json::from_slice::<Uploaded>(body).ok().map(|uploaded| uploaded.config_id)
}

documented!(UploadedView);
