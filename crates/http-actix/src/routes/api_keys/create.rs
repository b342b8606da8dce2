use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use tenantry_domain::timestamp;
use tenantry_usecases::access::Need;
use tenantry_usecases::api_keys::{self, ChangeKeyError, KeyAnswers, Made, NewKey};
use tenantry_usecases::idempotency::Once;

use super::view::{NewKeyView, ScopeName, body, made};
use crate::body::Body;
use crate::call::{Answer, Call};
use crate::openapi::documented;

/// A key to make.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "CreateApiKey")]
pub(crate) struct NewKeyBody {
    /// What it is for, 1 to 100 characters.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// What it may do; at least one.
    #[schemars(length(min = 1, max = 10))]
    scopes: BTreeSet<ScopeName>,
    /// When it stops working; never if absent.
    #[serde(default, with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    expires_at: Option<DateTime<Utc>>,
}

impl Body for NewKeyBody {}

/// Make an API key
///
/// The key is in this answer alone. Send an `Idempotency-Key` (or `requestId`), and a repeated request makes no second key: it
/// gets the first answer, with the same key, for as long as answers are kept (sealed, until then).
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/api-keys",
    operation_id = "createApiKey",
    tag = "api-keys",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters", max_length = 512),
        ("requestId" = Option<String>, Header, description = "Another name for `Idempotency-Key`", max_length = 512),
    ),
    request_body(
        content = NewKeyBody,
        example = json!({ "name": "Website back end", "scopes": ["accounts:read", "accounts:write"] })
    ),
    responses((status = 201, description = "The key, this once", body = NewKeyView, headers(
        ("Location" = String, description = "The key's record"),
        ("ETag" = String, description = "The key's version"),
        ("Idempotent-Replayed" = String, description = "`true` on a repeated answer, else absent"),
    ), example = json!({
        "key": "tnt_live_4fQ9...",
        "id": "key_0195c0de00007000800000000000000a",
        "name": "Website back end",
        "prefix": "tnt_live_4fQ9",
        "last4": "x7Qa",
        "scopes": ["accounts:read", "accounts:write"],
        "createdBy": "operator",
        "createdAt": "2025-01-10T10:00:00.000Z",
        "expiresAt": null,
        "revokedAt": null,
        "lastUsedAt": null
    })))
)]
pub(crate) async fn create(mut call: Call) -> Answer {
    let (caller, tenant) = call.tenant(Need::Admin).await?;
    let received = call.body::<NewKeyBody>().await?;
    // All tenants' keys are in one database, so the operation says whose.
    let operation = format!("createApiKey {}", tenant.id);
    let request = call.idempotency(&caller, tenant.id, &operation, &received.bytes)?;
    let NewKeyBody { name, scopes, expires_at } = received.value;
    let wish = NewKey {
        owner: Some(tenant.id),
        name,
        scopes: scopes.into_iter().map(|scope| scope.0).collect(),
        expires_at,
        created_by: caller.actor(),
    };
    let refusals = call.refusals();
    let outcome = call.on_storage::<_, ChangeKeyError>(move |platform| match request {
        Some(request) => {
            let refused = |error: &ChangeKeyError| refusals.kept(&error.into());
            api_keys::create_once(platform, wish, &KeyAnswers { request, made: &body, refused: &refused })
        }
        None => {
            let (key, text) = api_keys::create(platform, wish)?;
            Ok(Once::Done(Made::New(key, text)))
        }
    });
    made(outcome.await?, call.path())
}

documented!(NewKeyBody, NewKeyView<'static>);
