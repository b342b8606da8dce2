use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tenantry_domain::event::EventTypePattern;
use tenantry_domain::id::WebhookId;
use tenantry_domain::timestamp;
use tenantry_ports::{Secret, WebhookEndpoint};
use tenantry_usecases::idempotency::{self as kept, Once};
use tenantry_usecases::webhooks::Created;

use crate::call::Answer;
use crate::idempotency;
use crate::problem::{Code, Problem};
use crate::routes::respond;

/// Types of events as they are written, `account.*`.
#[derive(Clone)]
pub(super) struct Pattern(pub(super) EventTypePattern);

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        EventTypePattern::new(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Pattern {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "EventTypePattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "maxLength": 100,
            "pattern": r"^([a-z0-9_]+(\.[a-z0-9_]+)*|[a-z0-9_.]*\*)$",
        })
    }
}

/// A webhook endpoint.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Webhook")]
pub(crate) struct WebhookView {
    id: WebhookId,
    /// Where events are sent to.
    url: String,
    /// What it is for.
    description: Option<String>,
    /// Of which events it is told; of all, if there is none.
    event_types: Vec<Pattern>,
    /// Whether anything is delivered.
    enabled: bool,
    /// Why nothing is: `requested` by somebody, `gone` (it answered 410), or `failing` for five days.
    #[schemars(extend("enum" = ["requested", "gone", "failing", null]))]
    disabled_reason: Option<String>,
    /// Since when nothing is.
    #[serde(with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    disabled_at: Option<DateTime<Utc>>,
    /// Since when nothing has arrived that was sent; null if the last call did.
    #[serde(with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    failing_since: Option<DateTime<Utc>>,
    /// Until when calls are signed with the secret before, too; null if they are not.
    #[serde(with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    previous_secret_until: Option<DateTime<Utc>>,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    created_at: DateTime<Utc>,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    updated_at: DateTime<Utc>,
}

impl WebhookView {
    pub(super) fn of(endpoint: &WebhookEndpoint) -> Self {
        let (reason, disabled_at) = endpoint.disabled.unzip();
        Self {
            id: endpoint.id,
            url: endpoint.url.as_str().to_owned(),
            description: endpoint.description.clone(),
            event_types: endpoint.event_types.iter().cloned().map(Pattern).collect(),
            enabled: endpoint.disabled.is_none(),
            disabled_reason: reason.map(|reason| reason.to_string()),
            disabled_at,
            failing_since: endpoint.failing_since,
            previous_secret_until: endpoint.secrets.previous.as_ref().map(|(_, until)| *until),
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        }
    }
}

/// A webhook endpoint with its new secret, which is shown to who asked for it, and to nobody else.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "NewWebhook")]
pub(crate) struct NewWebhookView<'a> {
    /// What calls are signed with, `whsec_…`: keep it. Once the answers to repeated requests are not kept any more, nobody can
    /// read it again.
    secret: &'a str,
    #[serde(flatten)]
    webhook: WebhookView,
}

/// The answer with an endpoint and its new secret, to be kept.
pub(super) fn shown(created: &Created, status: StatusCode) -> kept::Answer {
    let secret = Secret::expose(&created.secret);
    let view = NewWebhookView { secret, webhook: WebhookView::of(&created.endpoint) };
    // Texts and times always serialise.
    kept::Answer { status: status.as_u16(), body: serde_json::to_vec(&view).unwrap_or_default() }
}

/// Answers with an endpoint and its new secret.
pub(super) fn secret_shown(
    once: Once<Created>,
    status: StatusCode,
    location: impl FnOnce(WebhookId) -> Option<String>,
) -> Answer {
    let (answer, replayed) = match once {
        Once::Done(created) => (shown(&created, status), false),
        Once::Refused(answer) => (answer, false),
        Once::Before(answer) => (answer, true),
        Once::KeyReused => return Err(Problem::plain(Code::IdempotencyKeyReused)),
    };
    let mut response = idempotency::respond(&answer, replayed);
    response.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    if let Some(location) = webhook_in(&answer.body).and_then(location) {
        response.insert_header((header::LOCATION, location));
        response.insert_header((header::ETAG, respond::etag(1)));
    }
    Ok(response.body(answer.body))
}

/// The endpoint that an answer is about.
fn webhook_in(body: &[u8]) -> Option<WebhookId> {
    #[derive(Deserialize)]
    struct Shown {
        id: WebhookId,
    }
    serde_json::from_slice::<Shown>(body).ok().map(|shown| shown.id)
}

/// Answers with an endpoint.
pub(super) fn found(endpoint: &WebhookEndpoint) -> Answer {
    let mut response = respond::private(StatusCode::OK);
    response.insert_header((header::ETAG, respond::etag(endpoint.version)));
    respond::json(response, &WebhookView::of(endpoint))
}
