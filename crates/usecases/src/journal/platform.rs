//! What happens to the platform: its keys, and what operators do.

use chrono::{DateTime, Utc};
use tenantry_domain::event::{Event, EventType};
use tenantry_domain::id::EventId;
use tenantry_ports::{ApiKey, SigningKey};

use super::event;
use crate::Platform;
use crate::events::data::{
    ApiKeyMade, ApiKeyRevoked, ApiKeyRotated, NoticesResent, SecretKeyReplaced, SigningKeyMade,
};
use crate::signing_keys::Rotation;

/// `api_key.created`.
pub(crate) fn api_key_created(platform: &Platform, key: &ApiKey, now: DateTime<Utc>) -> Event {
    let scopes = key.scopes.iter().map(|scope| scope.as_str()).collect();
    let ApiKey { id, name, expires_at, created_by, .. } = key;
    let data = ApiKeyMade { key_id: *id, name, scopes, expires_at: *expires_at, by: created_by };
    about_key(platform, EventType::API_KEY_CREATED, key, &data, now)
}

/// `api_key.rotated`.
pub(crate) fn api_key_rotated(
    platform: &Platform,
    old: &ApiKey,
    successor: &ApiKey,
    works_until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Event {
    let (name, by) = (old.name.as_str(), successor.created_by.as_str());
    let data = ApiKeyRotated { key_id: old.id, name, successor_id: successor.id, works_until, by };
    about_key(platform, EventType::API_KEY_ROTATED, old, &data, now)
}

/// `api_key.revoked`.
pub(crate) fn api_key_revoked(platform: &Platform, key: &ApiKey, by: &str, now: DateTime<Utc>) -> Event {
    let data = ApiKeyRevoked { key_id: key.id, name: &key.name, by };
    about_key(platform, EventType::API_KEY_REVOKED, key, &data, now)
}

/// The key's id is what its lines in the server's log have in common.
fn about_key(
    platform: &Platform,
    event_type: EventType,
    key: &ApiKey,
    data: &impl serde::Serialize,
    now: DateTime<Utc>,
) -> Event {
    event(event_type, data).seal(platform.ids.next(), key.tenant, now, key.id.to_string())
}

/// `signing_key.created`: the first one.
pub(crate) fn signing_key_created(platform: &Platform, key: &SigningKey, now: DateTime<Utc>) -> Event {
    let data = SigningKeyMade { kid: &key.kid, signs_from: key.signs_from, compromised: None, by: None };
    event(EventType::SIGNING_KEY_CREATED, &data).seal(platform.ids.next(), None, now, &*key.kid)
}

/// `signing_key.rotated`.
pub(crate) fn signing_key_rotated(
    platform: &Platform,
    key: &SigningKey,
    rotation: Rotation,
    by: &str,
    now: DateTime<Utc>,
) -> Event {
    let compromised = Some(rotation == Rotation::Compromised);
    let data = SigningKeyMade { kid: &key.kid, signs_from: key.signs_from, compromised, by: Some(by) };
    event(EventType::SIGNING_KEY_ROTATED, &data).seal(platform.ids.next(), None, now, &*key.kid)
}

/// `secret_key.replaced`.
pub(crate) fn secret_key_replaced(platform: &Platform, begun_at: DateTime<Utc>, now: DateTime<Utc>) -> Event {
    let data = SecretKeyReplaced { begun_at };
    event(EventType::SECRET_KEY_REPLACED, &data).seal(platform.ids.next(), None, now, "rewrap")
}

/// `notices.resent`.
pub(crate) fn notices_resent(
    platform: &Platform,
    event_id: Option<EventId>,
    count: usize,
    now: DateTime<Utc>,
) -> Event {
    let data = NoticesResent { event_id, count };
    event(EventType::NOTICES_RESENT, &data).seal(platform.ids.next(), None, now, "resend")
}
