use actix_web::http::StatusCode;
use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Deserialize;
use tenantry_domain::{Finding, Pointer};
use tenantry_ports::Scope;
use tenantry_usecases::access::Need;
use tenantry_usecases::webhooks::{self, LONGEST_OVERLAP, Rotation, WebhookError};

use super::view::{self, NewWebhookView, WebhookView};
use super::webhook_in_path;
use crate::body::Body;
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::precondition::IfMatch;
use crate::problem::Problem;

/// How the secret of a webhook endpoint is replaced.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(rename = "RotateWebhookSecret")]
pub(crate) struct RotateSecretBody {
    /// For how many seconds calls are signed with the old secret, too: a day if absent, not at all if 0, at most 30 days.
    #[schemars(range(min = 0, max = 2_592_000))]
    overlap_seconds: u32,
    /// Whether to replace it even while calls are signed with the secret before it, too, which then ends at once.
    force: bool,
}

impl Default for RotateSecretBody {
    fn default() -> Self {
        Self { overlap_seconds: 24 * 60 * 60, force: false }
    }
}

impl Body for RotateSecretBody {}

/// Replace the secret of a webhook endpoint
///
/// By a new one, which is in this answer and nowhere else, ever. For a while calls are signed with both, so that the receiver can
/// be changed over without a gap; a body is needed only to say for how long. Meanwhile it is not replaced again unless `force` is
/// `true`. Send an `Idempotency-Key` (or `requestId`), and a repeated request gets the first answer, with the same secret.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/webhooks/{webhookId}/rotate-secret",
    operation_id = "rotateWebhookSecret",
    tag = "webhooks",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("webhookId" = String, Path, description = "The endpoint's id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the endpoint has to have"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters", max_length = 512),
        ("requestId" = Option<String>, Header, description = "Another name for `Idempotency-Key`", max_length = 512),
    ),
    request_body(content = RotateSecretBody, example = json!({ "overlapSeconds": 3600 })),
    responses((status = 200, description = "The endpoint, with its new secret this once", body = NewWebhookView, headers(
        ("Idempotent-Replayed" = String, description = "`true` on a repeated answer, else absent"),
    )))
)]
pub(crate) async fn rotate(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::WebhooksWrite)).await?;
    let webhook = webhook_in_path(&call)?;
    let received = call.body_or_default::<RotateSecretBody>().await?;
    let operation = format!("rotateWebhookSecret {webhook}");
    let request = call.idempotency(&caller, scope.tenant(), &operation, &received.bytes)?;
    let RotateSecretBody { overlap_seconds, force } = received.value;
    let overlap = TimeDelta::seconds(overlap_seconds.into());
    if overlap > LONGEST_OVERLAP {
        return Err(overlap_too_long());
    }
    let rotation = Rotation { webhook, overlap, force };
    let (meant, hand) = (IfMatch::of(call.headers()), super::hand(&call, &caller));
    let refusals = call.refusals();
    let rotated = call.on_storage::<_, WebhookError>(move |platform| {
        let is_meant = |version| meant.means_version(version);
        let answer = |outcome: &Result<_, _>| match outcome {
            Ok(rotated) => Some(view::shown(rotated, StatusCode::OK)),
            Err(error) => refusals.kept(&Problem::from(error)),
        };
        webhooks::rotate(platform, &scope, rotation, &hand, is_meant, request.as_ref(), answer)
    });
    view::secret_shown(rotated.await?, StatusCode::OK, |_| None)
}

fn overlap_too_long() -> Problem {
    let pointer = Pointer::root().member("overlapSeconds");
    let message = "Calls are signed with an old secret for 2592000 more seconds (30 days) at most";
    Problem::invalid(vec![Finding::new(pointer, "too_large", message)])
}

/// End the old secret of a webhook endpoint
///
/// From now on calls are signed with the present one alone, before the time that was said when it was replaced. Where they are
/// already nothing changes.
#[utoipa::path(
    delete,
    path = "/tenants/{tenantId}/webhooks/{webhookId}/previous-secret",
    operation_id = "endPreviousWebhookSecret",
    tag = "webhooks",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("webhookId" = String, Path, description = "The endpoint's id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the endpoint has to have"),
    ),
    responses((status = 200, description = "The endpoint as it is now", body = WebhookView, headers(("ETag" = String))))
)]
pub(crate) async fn end_previous(call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::WebhooksWrite)).await?;
    let id = webhook_in_path(&call)?;
    let (meant, hand) = (IfMatch::of(call.headers()), super::hand(&call, &caller));
    let ended = call.on_storage::<_, WebhookError>(move |platform| {
        webhooks::end_previous(platform, &scope, id, &hand, |version| meant.means_version(version))
    });
    view::found(&ended.await?)
}

documented!(RotateSecretBody);
