use actix_web::http::StatusCode;
use actix_web::web::Data;
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_ports::Scope;
use tenantry_usecases::access::Need;
use tenantry_usecases::webhooks::{self, WebhookError};

use super::deliveries::{AttemptView, RequestView};
use super::webhook_in_path;
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::routes::respond;

/// What came of trying a webhook endpoint out.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WebhookTrial")]
pub(crate) struct TrialView {
    /// Whether it arrived: the endpoint answered with 2xx.
    delivered: bool,
    request: RequestView,
    attempt: AttemptView,
}

/// Try a webhook endpoint out
///
/// Calls it now, enabled or not, with an event `webhook.test` that is in no log, and answers with what came of it. It is called once,
/// whatever comes of it, and nothing about the endpoint changes.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/webhooks/{webhookId}/test",
    operation_id = "testWebhook",
    tag = "webhooks",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("webhookId" = String, Path, description = "The endpoint's id", max_length = 64),
    ),
    responses((status = 200, description = "What came of it", body = TrialView))
)]
pub(crate) async fn test(call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::WebhooksWrite)).await?;
    let (id, hand) = (webhook_in_path(&call)?, super::hand(&call, &caller));
    let trial =
        call.on_storage::<_, WebhookError>(move |platform| webhooks::trial(platform, &scope, id, &hand));
    let (trial, state) = (trial.await?, Data::clone(&call.state));
    let attempt = webhooks::try_out(&state.platform, &trial).await;
    let view = TrialView {
        delivered: attempt.status.is_some_and(|status| (200..300).contains(&status)),
        request: RequestView::of(trial.url.as_str(), trial.event, Some(attempt.at), &trial.body),
        attempt: attempt.into(),
    };
    respond::json(respond::private(StatusCode::OK), &view)
}

documented!(TrialView);
