use actix_web::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use tenantry_ports::Scope;
use tenantry_usecases::access::Need;
use tenantry_usecases::webhooks::{self, NewEndpoint, WebhookError};

use super::view::{self, NewWebhookView, Pattern, WebhookView};
use crate::body::Body;
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::problem::Problem;

/// A webhook endpoint to create.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "CreateWebhook")]
pub(crate) struct NewWebhookBody {
    /// Where events are sent to: `https`, on a public address.
    #[schemars(length(min = 1, max = 2048))]
    url: String,
    /// Of which types of events it is told: `account.closed`, `account.*`, `*`. Of all, if there is none.
    #[serde(default)]
    #[schemars(length(max = 50))]
    event_types: Vec<Pattern>,
    /// What it is for, at most 255 characters.
    #[serde(default)]
    #[schemars(length(max = 255))]
    description: Option<String>,
}

impl Body for NewWebhookBody {}

/// Create a webhook endpoint
///
/// It is told of what happens from now on. Calls are signed as Standard Webhooks says, with the secret that is in this answer
/// alone. Send an `Idempotency-Key` (or `requestId`), and a repeated request creates no second endpoint: it gets the first answer,
/// with the same secret, for as long as answers are kept (sealed, until then).
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/webhooks",
    operation_id = "createWebhook",
    tag = "webhooks",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters", max_length = 512),
        ("requestId" = Option<String>, Header, description = "Another name for `Idempotency-Key`", max_length = 512),
    ),
    request_body(content = NewWebhookBody, example = json!({
        "url": "https://hooks.example.com/tenantry",
        "eventTypes": ["account.*", "payout.eligible"],
        "description": "The website's back end"
    })),
    responses((status = 201, description = "The endpoint, with its secret this once", body = NewWebhookView, headers(
        ("Location" = String, description = "Where it is"),
        ("ETag" = String, description = "Its version"),
        ("Idempotent-Replayed" = String, description = "`true` on a repeated answer, else absent"),
    ), example = json!({
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "id": "hook_0195c0de00007000800000000000000a",
        "url": "https://hooks.example.com/tenantry",
        "description": "The website's back end",
        "eventTypes": ["account.*", "payout.eligible"],
        "enabled": true,
        "disabledReason": null,
        "disabledAt": null,
        "failingSince": null,
        "previousSecretUntil": null,
        "createdAt": "2025-01-10T10:00:00.000Z",
        "updatedAt": "2025-01-10T10:00:00.000Z"
    })))
)]
pub(crate) async fn create(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::WebhooksWrite)).await?;
    let received = call.body::<NewWebhookBody>().await?;
    let request = call.idempotency(&caller, scope.tenant(), "createWebhook", &received.bytes)?;
    let NewWebhookBody { url, event_types, description } = received.value;
    let event_types = event_types.into_iter().map(|pattern| pattern.0).collect();
    let wish = NewEndpoint { url, description, event_types };
    let (hand, refusals) = (super::hand(&call, &caller), call.refusals());
    let created = call.on_storage::<_, WebhookError>(move |platform| {
        webhooks::create(platform, &scope, wish, hand, request.as_ref(), |outcome| match outcome {
            Ok(created) => Some(view::shown(created, StatusCode::CREATED)),
            Err(error) => refusals.kept(&Problem::from(error)),
        })
    });
    view::secret_shown(created.await?, StatusCode::CREATED, |id| Some(format!("{}/{id}", call.path())))
}

documented!(NewWebhookBody, NewWebhookView<'static>, WebhookView);
