use actix_web::http::StatusCode;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::event::EventType;
use tenantry_domain::id::{DeliveryId, EventId, WebhookId};
use tenantry_domain::timestamp;
use tenantry_domain::webhook::DeliveryStatus;
use tenantry_ports::{Delivery, DeliveryAttempt, DeliveryFilter, Scope};
use tenantry_usecases::access::Need;
use tenantry_usecases::webhooks::{self, Recorded, WebhookError};

use super::{delivery_in_path, webhook_in_path};
use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::openapi::documented;
use crate::problem::{Code, Problem};
use crate::query::Query;
use crate::routes::respond::{self, Page};

/// An event on its way to a webhook endpoint.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WebhookDelivery")]
pub(crate) struct DeliveryView {
    id: DeliveryId,
    webhook_id: WebhookId,
    /// The event, and `webhook-id` of every attempt.
    event_id: EventId,
    event_type: EventType,
    /// Where the event is in the tenant's log.
    sequence: i64,
    /// `pending` until the next attempt, `delivered`, or `failed`: not tried again by itself.
    #[schemars(with = "String", extend("enum" = ["pending", "delivered", "failed"]))]
    status: &'static str,
    /// How many attempts were made since it was first to be made, or was last to be made anew.
    attempts: u32,
    /// When it is tried (again); null unless it is pending.
    #[serde(with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    next_attempt_at: Option<DateTime<Utc>>,
    /// What came of the last attempt; null before the first one.
    last_attempt: Option<AttemptView>,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    created_at: DateTime<Utc>,
}

/// What came of calling a webhook endpoint.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WebhookAttempt")]
pub(crate) struct AttemptView {
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    at: DateTime<Utc>,
    /// The status that the endpoint answered with; null if there was no answer.
    status: Option<u16>,
    /// The beginning of the body of its answer, as text. Whatever it is, the endpoint wrote it.
    response: String,
    /// Why there was no answer: `unreachable`, `timed_out`, or `event_removed` if it is too old to be in the log; null if there was one.
    failure: Option<String>,
    /// How long the answer took.
    duration_ms: u64,
}

impl From<DeliveryAttempt> for AttemptView {
    fn from(attempt: DeliveryAttempt) -> Self {
        let DeliveryAttempt { at, status, excerpt, failure, took } = attempt;
        Self { at, status, response: excerpt, failure, duration_ms: took }
    }
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            webhook_id: delivery.endpoint,
            event_id: delivery.event,
            event_type: delivery.event_type,
            sequence: delivery.sequence,
            status: delivery.status.as_str(),
            attempts: delivery.attempts,
            next_attempt_at: delivery.due,
            last_attempt: delivery.last.map(AttemptView::from),
            created_at: delivery.created_at,
        }
    }
}

/// A delivery with what is sent.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WebhookDeliveryInFull")]
pub(crate) struct DeliveryInFull {
    #[serde(flatten)]
    delivery: DeliveryView,
    /// What is sent; null where the log holds the event no more.
    request: Option<RequestView>,
}

/// What is sent to a webhook endpoint.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WebhookRequest")]
pub(crate) struct RequestView {
    /// Where to, as the endpoint is now.
    pub(super) url: String,
    pub(super) headers: RequestHeaders,
    /// The very text that is signed and sent.
    pub(super) body: String,
}

/// The headers by which a receiver knows a call, without its signature.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "WebhookRequestHeaders")]
pub(crate) struct RequestHeaders {
    pub(super) content_type: &'static str,
    /// The same at every attempt.
    pub(super) webhook_id: EventId,
    /// When the last attempt was made, in seconds since 1970; null before the first one.
    pub(super) webhook_timestamp: Option<i64>,
}

impl RequestView {
    pub(super) fn of(url: &str, webhook_id: EventId, at: Option<DateTime<Utc>>, body: &[u8]) -> Self {
        let webhook_timestamp = at.map(|at| at.timestamp());
        let headers = RequestHeaders { content_type: "application/json", webhook_id, webhook_timestamp };
        Self { url: url.to_owned(), headers, body: String::from_utf8_lossy(body).into_owned() }
    }
}

pub(crate) type DeliveryPage = Page<DeliveryView>;

/// List the deliveries to a webhook endpoint
///
/// Newest first. There is none yet for an event that the endpoint has not come to.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/webhooks/{webhookId}/deliveries",
    operation_id = "listWebhookDeliveries",
    tag = "webhooks",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("webhookId" = String, Path, description = "The endpoint's id", max_length = 64),
        ("status" = Option<String>, Query, description = "Only those that this became of: `pending`, `delivered` or `failed`", max_length = 64),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of deliveries", body = DeliveryPage, example = json!({
        "items": [{
            "id": "dlv_0195c0de00007000800000000000000d",
            "webhookId": "hook_0195c0de00007000800000000000000a",
            "eventId": "evt_0195c0de00007000800000000000000c",
            "eventType": "account.provisioned",
            "sequence": 42,
            "status": "pending",
            "attempts": 1,
            "nextAttemptAt": "2025-01-10T10:00:05.000Z",
            "lastAttempt": {
                "at": "2025-01-10T10:00:00.120Z",
                "status": 503,
                "response": "try again later",
                "failure": null,
                "durationMs": 17
            },
            "createdAt": "2025-01-10T10:00:00.100Z"
        }],
        "nextCursor": null
    })))
)]
pub(crate) async fn list(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::WebhooksRead)).await?;
    let endpoint = webhook_in_path(&call)?;
    let mut query = call.query();
    let status = status(&mut query);
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    // A cursor is good for the same filters alone.
    let name = format!("deliveries {} {endpoint} {status:?}", scope.tenant());
    let list = List::new(call.platform().digest.as_ref(), name);
    let after = cursor.map(|cursor| position(&list.position(&cursor)?)).transpose()?;
    let filter = DeliveryFilter { endpoint, status };
    let found = call.on_storage::<_, WebhookError>(move |platform| {
        webhooks::deliveries(platform, &scope, &filter, after, limit + 1)
    });
    let cursor = |delivery: &Delivery| list.cursor(&delivery.id.to_string());
    let page = Page::of(found.await?, limit, cursor, DeliveryView::from);
    respond::json(respond::private(StatusCode::OK), &page)
}

fn status(query: &mut Query) -> Option<DeliveryStatus> {
    let text = query.text("status")?;
    let status = DeliveryStatus::parse(&text);
    if status.is_none() {
        let names = DeliveryStatus::ALL.map(DeliveryStatus::as_str).join("', '");
        query.fault("status", "invalid_value", format!("The status has to be one of '{names}'"));
    }
    status
}

fn position(text: &str) -> Result<DeliveryId, Problem> {
    text.parse().map_err(|_| Problem::plain(Code::InvalidCursor))
}

/// Read a delivery to a webhook endpoint
///
/// With what is sent, and what came of the last attempt.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/webhooks/{webhookId}/deliveries/{deliveryId}",
    operation_id = "getWebhookDelivery",
    tag = "webhooks",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("webhookId" = String, Path, description = "The endpoint's id", max_length = 64),
        ("deliveryId" = String, Path, description = "The delivery's id", max_length = 64),
    ),
    responses((status = 200, description = "The delivery", body = DeliveryInFull))
)]
pub(crate) async fn read(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::WebhooksRead)).await?;
    let (webhook, id) = (webhook_in_path(&call)?, delivery_in_path(&call)?);
    let found =
        call.on_storage::<_, WebhookError>(move |platform| webhooks::delivery(platform, &scope, webhook, id));
    let Recorded { delivery, endpoint, body } = found.await?;
    let at = delivery.last.as_ref().map(|last| last.at);
    let request = body.map(|body| RequestView::of(endpoint.url.as_str(), delivery.event, at, &body));
    let view = DeliveryInFull { delivery: delivery.into(), request };
    respond::json(respond::private(StatusCode::OK), &view)
}

documented!(DeliveryView, DeliveryPage, DeliveryInFull);
