//! What is in `data` of what happens to webhook endpoints.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::id::{DeliveryId, EventId, WebhookId};
use tenantry_domain::timestamp;

/// `webhook.endpoint.created`, `webhook.endpoint.updated`, `webhook.endpoint.deleted`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndpointChanged<'a> {
    pub(crate) webhook_id: WebhookId,
    /// Rises with every change of the endpoint.
    pub(crate) version: i64,
    /// What was set about it; null if it is new.
    pub(crate) before: Option<EndpointTold<'a>>,
    /// What is set about it; null if it was removed.
    pub(crate) after: Option<EndpointTold<'a>>,
    /// Of a change: whether the URL is another one, be the host the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url_changed: Option<bool>,
    /// Who did it.
    pub(crate) by: &'a str,
}

/// What is set about an endpoint.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndpointTold<'a> {
    /// Its URL as far as the host: the rest may be a secret.
    pub(crate) url: String,
    /// What it is for.
    pub(crate) description: Option<&'a str>,
    /// Of which events it is told; of all, if there is none.
    pub(crate) event_types: Vec<String>,
    /// Whether anything is delivered to it.
    pub(crate) enabled: bool,
}

/// `webhook.endpoint.secret_rotated`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecretRotated<'a> {
    pub(crate) webhook_id: WebhookId,
    /// Rises with every change of the endpoint.
    pub(crate) version: i64,
    /// Until when calls are signed with the secret before, too; null if they are not.
    #[serde(with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    pub(crate) previous_until: Option<DateTime<Utc>>,
    /// Who did it.
    pub(crate) by: &'a str,
}

/// `webhook.test`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndpointTried<'a> {
    pub(crate) webhook_id: WebhookId,
    /// Who asked for it.
    pub(crate) by: &'a str,
}

/// `webhook.endpoint.recovered`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndpointRecovered<'a> {
    pub(crate) webhook_id: WebhookId,
    /// Rises with every change of the endpoint.
    pub(crate) version: i64,
    /// What happened since then is looked at again.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    pub(crate) since: DateTime<Utc>,
    /// The first event that is looked at again, by its `meta.sequence`.
    pub(crate) first_sequence: i64,
    /// Who asked for it.
    pub(crate) by: &'a str,
}

/// `webhook.delivery.redelivered`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Redelivered<'a> {
    pub(crate) webhook_id: WebhookId,
    /// Rises with every change of the endpoint.
    pub(crate) version: i64,
    pub(crate) delivery_id: DeliveryId,
    /// The event that is delivered anew.
    pub(crate) event_id: EventId,
    /// Its type.
    pub(crate) event_type: &'a str,
    /// Who asked for it.
    pub(crate) by: &'a str,
}

/// `webhook.endpoint.disabled`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndpointDisabled<'a> {
    pub(crate) webhook_id: WebhookId,
    /// Rises with every change of the endpoint.
    pub(crate) version: i64,
    /// `gone`: it answered that it wants no more. `failing`: every call failed for too long.
    pub(crate) reason: &'a str,
    /// Since when every call failed, if any succeeded before.
    #[serde(with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    pub(crate) failing_since: Option<DateTime<Utc>>,
    /// What disabled it.
    pub(crate) by: &'a str,
}
