use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::id::{ApiKeyId, EventId};
use tenantry_domain::timestamp;

/// `api_key.created`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiKeyMade<'a> {
    pub(crate) key_id: ApiKeyId,
    pub(crate) name: &'a str,
    /// What it may do; an operator's key, which has none, may do everything.
    pub(crate) scopes: Vec<&'a str>,
    /// When it stops working, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// Who made it.
    pub(crate) by: &'a str,
}

/// `api_key.rotated`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiKeyRotated<'a> {
    /// The key that was replaced.
    pub(crate) key_id: ApiKeyId,
    /// The name of both.
    pub(crate) name: &'a str,
    /// The key in its place.
    pub(crate) successor_id: ApiKeyId,
    /// Until when the one that was replaced still works.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    pub(crate) works_until: DateTime<Utc>,
    /// Who replaced it.
    pub(crate) by: &'a str,
}

/// `api_key.revoked`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiKeyRevoked<'a> {
    pub(crate) key_id: ApiKeyId,
    pub(crate) name: &'a str,
    /// Who revoked it.
    pub(crate) by: &'a str,
}

/// `signing_key.created`, `signing_key.rotated`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SigningKeyMade<'a> {
    /// The new key.
    pub(crate) kid: &'a str,
    /// From when on it signs.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    pub(crate) signs_from: DateTime<Utc>,
    /// Of `rotated`: whether what other keys have signed is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) compromised: Option<bool>,
    /// Of `rotated`: who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<&'a str>,
}

/// `secret_key.replaced`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecretKeyReplaced {
    /// When carrying over to the one in force began.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    pub(crate) begun_at: DateTime<Utc>,
}

/// `notices.resent`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NoticesResent {
    /// The event they tell of, if it was named; otherwise all that were given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_id: Option<EventId>,
    /// How many.
    pub(crate) count: usize,
}
