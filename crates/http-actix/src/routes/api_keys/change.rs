use actix_web::HttpResponse;
use actix_web::http::header;
use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Deserialize;
use tenantry_domain::id::{ApiKeyId, TenantId};
use tenantry_usecases::Platform;
use tenantry_usecases::access::Need;
use tenantry_usecases::api_keys::{self, ChangeKeyError, KeyAnswers, LONGEST_OVERLAP, Made, Rotation};
use tenantry_usecases::idempotency::Once;

use super::view::{NewKeyView, body, made};
use super::{id, unknown};
use crate::body::Body;
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::precondition::IfMatch;
use crate::problem::Problem;

/// How a key is replaced.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(rename = "RotateApiKey")]
pub(crate) struct RotateBody {
    /// For how many seconds the old key still works: a day if absent, not at all if 0, at most 30 days.
    #[schemars(range(min = 0, max = 2_592_000))]
    overlap_seconds: u32,
}

impl Default for RotateBody {
    fn default() -> Self {
        Self { overlap_seconds: 24 * 60 * 60 }
    }
}

impl Body for RotateBody {}

/// Replace an API key
///
/// By a new one of the same name and scopes, which is in this answer and nowhere else, ever, and lives as long as the old one
/// was made for. The old one works for a while beside it, so that it can be exchanged without a gap; a body is needed only to
/// say for how long. With `overlapSeconds` 0 it stops working everywhere within a second.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/api-keys/{keyId}/rotate",
    operation_id = "rotateApiKey",
    tag = "api-keys",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("keyId" = String, Path, description = "The key's id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the key has to have"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters", max_length = 512),
        ("requestId" = Option<String>, Header, description = "Another name for `Idempotency-Key`", max_length = 512),
    ),
    request_body(content = RotateBody, example = json!({ "overlapSeconds": 3600 })),
    responses((status = 201, description = "The new key, this once", body = NewKeyView, headers(
        ("Location" = String, description = "The new key's record"),
        ("ETag" = String, description = "The new key's version"),
        ("Idempotent-Replayed" = String, description = "`true` on a repeated answer, else absent"),
    )))
)]
pub(crate) async fn rotate(mut call: Call) -> Answer {
    let (caller, tenant) = call.tenant(Need::Admin).await?;
    let (owner, key, meant) = (tenant.id, id(&call)?, IfMatch::of(call.headers()));
    let received = call.body_or_default::<RotateBody>().await?;
    let request = call.idempotency(&caller, owner, &format!("rotateApiKey {key}"), &received.bytes)?;
    let overlap = TimeDelta::seconds(received.value.overlap_seconds.into());
    if overlap > LONGEST_OVERLAP {
        return Err(super::overlap_too_long());
    }
    let (created_by, refusals) = (caller.actor(), call.refusals());
    let outcome = call.on_storage::<_, Problem>(move |platform| {
        // A repeated request is answered as the first one was, whatever version the key has by now.
        let version = if request.is_none() { version(platform, owner, key, &meant)? } else { None };
        let rotation = Rotation { owner: Some(owner), key, version, overlap, created_by };
        Ok(match request {
            Some(request) => {
                let refused = |error: &ChangeKeyError| refusals.kept(&error.into());
                let answers = KeyAnswers { request, made: &body, refused: &refused };
                api_keys::rotate_once(platform, &rotation, &answers)?
            }
            None => {
                let (key, text) = api_keys::rotate(platform, &rotation)?;
                Once::Done(Made::New(key, text))
            }
        })
    });
    let outcome = outcome.await?;
    if overlap.is_zero() {
        call.state.gate.forget(key);
    }
    let collection = call.path().trim_end_matches("/rotate").rsplit_once('/').map_or("", |(path, _)| path);
    made(outcome, collection)
}

/// Revoke an API key
///
/// It stops working everywhere within a second, and so do the access tokens that were got with it. Revoking it again changes
/// nothing.
#[utoipa::path(
    delete,
    path = "/tenants/{tenantId}/api-keys/{keyId}",
    operation_id = "revokeApiKey",
    tag = "api-keys",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("keyId" = String, Path, description = "The key's id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the key has to have"),
    ),
    responses((status = 204, description = "Revoked"))
)]
pub(crate) async fn revoke(call: Call) -> Answer {
    let (caller, tenant) = call.tenant(Need::Admin).await?;
    let (owner, key, meant) = (tenant.id, id(&call)?, IfMatch::of(call.headers()));
    let by = caller.actor();
    let revoked = call.on_storage::<_, Problem>(move |platform| {
        let version = version(platform, owner, key, &meant)?;
        Ok(api_keys::revoke_version(platform, Some(owner), key, version, &by)?)
    });
    revoked.await?;
    call.state.gate.forget(key);
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// The version to insist on; a problem if the key has none of those that the caller means.
fn version(
    platform: &Platform,
    owner: TenantId,
    key: ApiKeyId,
    meant: &IfMatch,
) -> Result<Option<i64>, Problem> {
    match meant {
        IfMatch::Any => Ok(None),
        IfMatch::Tags(_) => {
            let found = api_keys::find(platform, Some(owner), key)?.ok_or_else(unknown)?;
            meant.check(found.version)
        }
    }
}

documented!(RotateBody);
