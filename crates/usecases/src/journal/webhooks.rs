//! What happens to webhook endpoints. A URL may be known to the endpoint and us alone, so events tell no more of it than the host.

use chrono::{DateTime, Utc};
use tenantry_domain::event::EventType;
use tenantry_domain::webhook::DisabledReason;
use tenantry_ports::WebhookEndpoint;

use super::{Traced, event};
use crate::events::data::{EndpointChanged, EndpointDisabled, EndpointTold, SecretRotated};
use crate::webhooks::Hand;

fn told(endpoint: &WebhookEndpoint) -> EndpointTold<'_> {
    EndpointTold {
        url: format!("{:?}", endpoint.url),
        description: endpoint.description.as_deref(),
        event_types: endpoint.event_types.iter().map(ToString::to_string).collect(),
        enabled: endpoint.disabled.is_none(),
    }
}

fn changed<'a>(
    endpoint: &WebhookEndpoint,
    before: Option<&'a WebhookEndpoint>,
    after: Option<&'a WebhookEndpoint>,
    hand: &'a Hand,
) -> EndpointChanged<'a> {
    EndpointChanged {
        webhook_id: endpoint.id,
        version: endpoint.version,
        before: before.map(told),
        after: after.map(told),
        url_changed: None,
        by: &hand.actor,
    }
}

/// `webhook.endpoint.created`.
pub(crate) fn created(endpoint: &WebhookEndpoint, hand: &Hand) -> Traced {
    let data = changed(endpoint, None, Some(endpoint), hand);
    Traced { event: event(EventType::WEBHOOK_ENDPOINT_CREATED, &data), trace: hand.trace.clone() }
}

/// `webhook.endpoint.updated`. That the URL is another one is told, even if the host is the same.
pub(crate) fn updated(before: &WebhookEndpoint, after: &WebhookEndpoint, hand: &Hand) -> Traced {
    let data = changed(after, Some(before), Some(after), hand);
    let data = EndpointChanged { url_changed: Some(before.url != after.url), ..data };
    Traced { event: event(EventType::WEBHOOK_ENDPOINT_UPDATED, &data), trace: hand.trace.clone() }
}

/// `webhook.endpoint.deleted`.
pub(crate) fn deleted(endpoint: &WebhookEndpoint, hand: &Hand) -> Traced {
    let data = changed(endpoint, Some(endpoint), None, hand);
    Traced { event: event(EventType::WEBHOOK_ENDPOINT_DELETED, &data), trace: hand.trace.clone() }
}

/// `webhook.endpoint.secret_rotated`.
pub(crate) fn secret_rotated(
    endpoint: &WebhookEndpoint,
    until: Option<DateTime<Utc>>,
    hand: &Hand,
) -> Traced {
    let WebhookEndpoint { id, version, .. } = *endpoint;
    let data = SecretRotated { webhook_id: id, version, previous_until: until, by: &hand.actor };
    Traced { event: event(EventType::WEBHOOK_ENDPOINT_SECRET_ROTATED, &data), trace: hand.trace.clone() }
}

/// `webhook.endpoint.disabled`: by delivery, not by hand.
pub(crate) fn disabled(
    endpoint: &WebhookEndpoint,
    reason: DisabledReason,
    failing_since: Option<DateTime<Utc>>,
    hand: &Hand,
) -> Traced {
    let WebhookEndpoint { id, version, .. } = *endpoint;
    let (reason, by) = (reason.as_str(), hand.actor.as_str());
    let data = EndpointDisabled { webhook_id: id, version, reason, failing_since, by };
    Traced { event: event(EventType::WEBHOOK_ENDPOINT_DISABLED, &data), trace: hand.trace.clone() }
}
