use actix_web::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use tenantry_ports::Scope;
use tenantry_usecases::access::Need;
use tenantry_usecases::webhooks::{self, Change, WebhookError};

use super::view::{self, Pattern, WebhookView};
use super::webhook_in_path;
use crate::body::{Body, present};
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::precondition::IfMatch;
use crate::routes::respond;

/// What is to be different about a webhook endpoint; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ChangeWebhook")]
pub(crate) struct ChangeWebhookBody {
    /// Where events are sent to: `https`, on a public address.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String", length(min = 1, max = 2048))]
    url: Option<String>,
    /// Of which types of events it is told, instead of those before: `account.closed`, `account.*`, `*`. Of all, if there is none.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Vec<Pattern>", length(max = 50))]
    event_types: Option<Vec<Pattern>>,
    /// What it is for, at most 255 characters; `null` to say nothing.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", length(max = 255))]
    description: Option<Option<String>>,
    /// Whether anything is delivered.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "bool")]
    enabled: Option<bool>,
}

impl Body for ChangeWebhookBody {}

/// Change a webhook endpoint
///
/// Whoever enables an endpoint again has it told of what happens from then on, and can have it told of what happened before with
/// `…/recover`. Send the `ETag` as `If-Match` so as to change what you have seen.
#[utoipa::path(
    patch,
    path = "/tenants/{tenantId}/webhooks/{webhookId}",
    operation_id = "changeWebhook",
    tag = "webhooks",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("webhookId" = String, Path, description = "The endpoint's id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the endpoint has to have"),
    ),
    request_body(content = ChangeWebhookBody, example = json!({ "enabled": true, "eventTypes": ["account.*"] })),
    responses((status = 200, description = "The endpoint as it is now", body = WebhookView, headers(("ETag" = String))))
)]
pub(crate) async fn change(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::WebhooksWrite)).await?;
    let id = webhook_in_path(&call)?;
    let ChangeWebhookBody { url, event_types, description, enabled } = call.body().await?.value;
    let event_types =
        event_types.map(|patterns: Vec<Pattern>| patterns.into_iter().map(|pattern| pattern.0).collect());
    let change = Change { url, description, event_types, enabled };
    let (meant, hand) = (IfMatch::of(call.headers()), super::hand(&call, &caller));
    let changed = call.on_storage::<_, WebhookError>(move |platform| {
        webhooks::update(platform, &scope, id, change, &hand, |version| meant.means_version(version))
    });
    view::found(&changed.await?)
}

/// Delete a webhook endpoint
///
/// With the record of what was delivered to it. What is on its way may still arrive.
#[utoipa::path(
    delete,
    path = "/tenants/{tenantId}/webhooks/{webhookId}",
    operation_id = "deleteWebhook",
    tag = "webhooks",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("webhookId" = String, Path, description = "The endpoint's id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the endpoint has to have"),
    ),
    responses((status = 204, description = "It is gone"))
)]
pub(crate) async fn remove(call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::WebhooksWrite)).await?;
    let id = webhook_in_path(&call)?;
    let (meant, hand) = (IfMatch::of(call.headers()), super::hand(&call, &caller));
    let removed = call.on_storage::<_, WebhookError>(move |platform| {
        webhooks::remove(platform, &scope, id, &hand, |version| meant.means_version(version))
    });
    removed.await?;
    Ok(respond::private(StatusCode::NO_CONTENT).finish())
}

documented!(ChangeWebhookBody);
