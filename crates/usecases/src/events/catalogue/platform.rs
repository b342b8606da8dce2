//! What happens to the platform itself.

use serde_json::json;
use tenantry_domain::event::EventType;

use super::Described;
use crate::events::data::{
    ApiKeyMade, ApiKeyRevoked, ApiKeyRotated, NoticesResent, SecretKeyReplaced, SigningKeyMade,
};

pub(super) fn platform() -> Vec<Described> {
    let key = "key_0195c0de00007000800000000000000a";
    let (kid, at) = ("k-2025-01", "2025-01-10T10:00:00.000Z");
    vec![
        Described::new::<ApiKeyMade<'_>>(
            EventType::API_KEY_CREATED,
            "An API key was made.",
            json!({ "keyId": key, "name": "website", "scopes": ["accounts:read"], "by": "operator" }),
        ),
        Described::new::<ApiKeyRotated<'_>>(
            EventType::API_KEY_ROTATED,
            "An API key was replaced by a new one.",
            json!({
                "keyId": key, "name": "website", "successorId": "key_0195c0de00007000800000000000000b",
                "worksUntil": at, "by": "operator",
            }),
        ),
        Described::new::<ApiKeyRevoked<'_>>(
            EventType::API_KEY_REVOKED,
            "An API key was revoked.",
            json!({ "keyId": key, "name": "website", "by": "operator" }),
        ),
        Described::new::<SigningKeyMade<'_>>(
            EventType::SIGNING_KEY_CREATED,
            "The first key that machines' tokens are signed with was made.",
            json!({ "kid": kid, "signsFrom": at }),
        ),
        Described::new::<SigningKeyMade<'_>>(
            EventType::SIGNING_KEY_ROTATED,
            "The key that machines' tokens are signed with was replaced.",
            json!({ "kid": kid, "signsFrom": at, "compromised": false, "by": "cli" }),
        ),
        Described::new::<SecretKeyReplaced>(
            EventType::SECRET_KEY_REPLACED,
            "What hung on a former secret key hangs on the one in force.",
            json!({ "begunAt": at }),
        ),
        Described::new::<NoticesResent>(
            EventType::NOTICES_RESENT,
            "Notices that were given up are sent again.",
            json!({ "eventId": "evt_0195c0de00007000800000000000000a", "count": 1 }),
        ),
    ]
}
