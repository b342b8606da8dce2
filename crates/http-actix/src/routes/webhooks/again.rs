use actix_web::http::StatusCode;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_domain::timestamp;
use tenantry_ports::Scope;
use tenantry_usecases::access::Need;
use tenantry_usecases::webhooks::{self, WebhookError};

use super::deliveries::DeliveryView;
use super::{delivery_in_path, webhook_in_path};
use crate::body::Body;
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::routes::respond;

/// From when on a webhook endpoint is to be told again.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RecoverWebhook")]
pub(crate) struct RecoverBody {
    /// Of what has happened since then: RFC 3339.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    since: DateTime<Utc>,
}

impl Body for RecoverBody {}

/// What is looked at again.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WebhookRecovery")]
pub(crate) struct RecoveryView {
    /// The first entry of the tenant's log that is looked at again. What is older than that is not sent: it is kept no longer, or
    /// was before.
    first_sequence: i64,
    /// The last entry that there is.
    last_sequence: i64,
}

/// Send what a webhook endpoint has missed
///
/// Of all that has happened since then, what did not arrive is sent: what was given up, and what the endpoint was not told of
/// while it was disabled or wanted other types of events. What arrived is not sent again.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/webhooks/{webhookId}/recover",
    operation_id = "recoverWebhook",
    tag = "webhooks",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("webhookId" = String, Path, description = "The endpoint's id", max_length = 64),
    ),
    request_body(content = RecoverBody, example = json!({ "since": "2025-01-10T10:00:00Z" })),
    responses((status = 202, description = "It is being sent", body = RecoveryView, example = json!({
        "firstSequence": 42, "lastSequence": 97
    })))
)]
pub(crate) async fn recover(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::WebhooksWrite)).await?;
    let id = webhook_in_path(&call)?;
    let RecoverBody { since } = call.body().await?.value;
    let hand = super::hand(&call, &caller);
    let recovery = call
        .on_storage::<_, WebhookError>(move |platform| webhooks::recover(platform, &scope, id, since, &hand));
    let recovery = recovery.await?;
    let view = RecoveryView { first_sequence: recovery.first, last_sequence: recovery.last };
    respond::json(respond::private(StatusCode::ACCEPTED), &view)
}

/// Make a delivery anew
///
/// Whatever became of it, with the same `webhook-id`, and if need be as often as at first.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver",
    operation_id = "redeliverWebhookDelivery",
    tag = "webhooks",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("webhookId" = String, Path, description = "The endpoint's id", max_length = 64),
        ("deliveryId" = String, Path, description = "The delivery's id", max_length = 64),
    ),
    responses((status = 202, description = "It is being made", body = DeliveryView))
)]
pub(crate) async fn redeliver(call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::WebhooksWrite)).await?;
    let (webhook, id) = (webhook_in_path(&call)?, delivery_in_path(&call)?);
    let hand = super::hand(&call, &caller);
    let delivery = call.on_storage::<_, WebhookError>(move |platform| {
        webhooks::redeliver(platform, &scope, webhook, id, &hand)
    });
    respond::json(respond::private(StatusCode::ACCEPTED), &DeliveryView::from(delivery.await?))
}

documented!(RecoverBody, RecoveryView);
