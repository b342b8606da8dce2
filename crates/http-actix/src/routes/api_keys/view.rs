use std::borrow::Cow;
use std::str::FromStr;

use actix_web::http::header::{self, HeaderValue};
use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tenantry_domain::id::ApiKeyId;
use tenantry_domain::timestamp;
use tenantry_ports::{ApiKey, Scope, Secret};
use tenantry_usecases::api_keys::Made;
use tenantry_usecases::idempotency::{self as kept, Once};

use crate::call::Answer;
use crate::idempotency;
use crate::problem::{Code, Problem};
use crate::routes::respond;

/// A scope as it is written, `accounts:read`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ScopeName(pub(crate) Scope);

impl Serialize for ScopeName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for ScopeName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Scope::from_str(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for ScopeName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Scope".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Scope::ALL.map(Scope::as_str) })
    }
}

/// An API key's record.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ApiKey")]
pub(crate) struct ApiKeyView {
    id: ApiKeyId,
    name: String,
    /// The key's public part.
    prefix: String,
    /// The key's last four characters.
    last4: String,
    scopes: Vec<ScopeName>,
    /// Who made it.
    created_by: String,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    created_at: DateTime<Utc>,
    #[serde(with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    expires_at: Option<DateTime<Utc>>,
    #[serde(with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    revoked_at: Option<DateTime<Utc>>,
    /// When it was last used, to within a minute; as of a minute ago at most.
    #[serde(with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    last_used_at: Option<DateTime<Utc>>,
}

impl ApiKeyView {
    pub(super) fn of(key: ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            prefix: key.lookup,
            last4: key.last4,
            scopes: key.scopes.into_iter().map(ScopeName).collect(),
            created_by: key.created_by,
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
        }
    }
}

/// A new API key: its text is shown to who made it, and to nobody else.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "NewApiKey")]
pub(crate) struct NewKeyView<'a> {
    /// The key itself: keep it. Once the answers to repeated requests are not kept any more, nobody can read it again.
    key: Option<&'a str>,
    /// Where there is no key: what to do without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("type" = "string"))]
    message: Option<&'static str>,
    #[serde(flatten)]
    record: ApiKeyView,
}

const NOT_AGAIN: &str = "The key was shown in the first answer to this request and is stored nowhere. If that answer was lost, rotate \
                         this key with overlapSeconds 0, or revoke it and make another one.";

/// The body of the answer to who made a key.
pub(super) fn body(made: &Made) -> Vec<u8> {
    let (record, key) = match made {
        Made::New(record, key) => (record, Some(key)),
        Made::Before(record) => (record, None),
    };
    let view = NewKeyView {
        key: key.map(Secret::expose),
        message: key.is_none().then_some(NOT_AGAIN),
        record: ApiKeyView::of(record.clone()),
    };
    // Texts and times always serialise.
    serde_json::to_vec(&view).unwrap_or_default()
}

/// Answers with a key that was made, below this path.
pub(super) fn made(once: Once<Made>, collection: &str) -> Answer {
    let (answer, replayed) = match once {
        Once::Done(made) => {
            let before = matches!(made, Made::Before(_));
            (kept::Answer { status: 201, body: body(&made) }, before)
        }
        Once::Refused(answer) => (answer, false),
        Once::Before(answer) => (answer, true),
        Once::KeyReused => return Err(Problem::plain(Code::IdempotencyKeyReused)),
    };
    let mut response = idempotency::respond(&answer, replayed);
    response.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    if let Some(id) = key_in(&answer.body) {
        response.insert_header((header::LOCATION, format!("{collection}/{id}")));
        response.insert_header((header::ETAG, respond::etag(1)));
    }
    Ok(response.body(answer.body))
}

/// The key that an answer is about.
fn key_in(body: &[u8]) -> Option<ApiKeyId> {
    #[derive(Deserialize)]
    struct NewKey {
        id: ApiKeyId,
    }
    serde_json::from_slice::<NewKey>(body).ok().map(|key| key.id)
}
