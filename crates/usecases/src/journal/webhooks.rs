//! What happens to webhook endpoints. A URL may be known to the endpoint and us alone, so events tell no more of it than the host.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tenantry_domain::event::{EventType, NewEvent};
use tenantry_domain::timestamp;
use tenantry_domain::webhook::DisabledReason;
use tenantry_ports::WebhookEndpoint;

use super::Traced;
use crate::webhooks::Hand;

fn view(endpoint: &WebhookEndpoint) -> Value {
    let patterns: Vec<_> = endpoint.event_types.iter().map(ToString::to_string).collect();
    json!({
        "url": format!("{:?}", endpoint.url),
        "description": endpoint.description,
        "eventTypes": patterns,
        "enabled": endpoint.disabled.is_none(),
    })
}

fn about(event_type: EventType, endpoint: &WebhookEndpoint, more: Value, hand: &Hand) -> Traced {
    let mut data = json!({ "webhookId": endpoint.id, "version": endpoint.version, "by": hand.actor });
    if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
    Traced { event: NewEvent::new(event_type, data), trace: hand.trace.clone() }
}

/// `webhook.endpoint.created`.
pub(crate) fn created(endpoint: &WebhookEndpoint, hand: &Hand) -> Traced {
    about(
        EventType::WEBHOOK_ENDPOINT_CREATED,
        endpoint,
        json!({ "before": null, "after": view(endpoint) }),
        hand,
    )
}

/// `webhook.endpoint.updated`. That the URL is another one is told, even if the host is the same.
pub(crate) fn updated(before: &WebhookEndpoint, after: &WebhookEndpoint, hand: &Hand) -> Traced {
    let more = json!({
        "before": view(before), "after": view(after), "urlChanged": before.url != after.url,
    });
    about(EventType::WEBHOOK_ENDPOINT_UPDATED, after, more, hand)
}

/// `webhook.endpoint.deleted`.
pub(crate) fn deleted(endpoint: &WebhookEndpoint, hand: &Hand) -> Traced {
    about(
        EventType::WEBHOOK_ENDPOINT_DELETED,
        endpoint,
        json!({ "before": view(endpoint), "after": null }),
        hand,
    )
}

/// `webhook.endpoint.secret_rotated`.
pub(crate) fn secret_rotated(
    endpoint: &WebhookEndpoint,
    until: Option<DateTime<Utc>>,
    hand: &Hand,
) -> Traced {
    let more = json!({ "previousUntil": until.map(timestamp::to_text) });
    about(EventType::WEBHOOK_ENDPOINT_SECRET_ROTATED, endpoint, more, hand)
}

/// `webhook.endpoint.disabled`: by delivery, not by hand.
pub(crate) fn disabled(
    endpoint: &WebhookEndpoint,
    reason: DisabledReason,
    failing_since: Option<DateTime<Utc>>,
    hand: &Hand,
) -> Traced {
    let more = json!({ "reason": reason.as_str(), "failingSince": failing_since.map(timestamp::to_text) });
    about(EventType::WEBHOOK_ENDPOINT_DISABLED, endpoint, more, hand)
}
