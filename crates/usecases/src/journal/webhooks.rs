//! What happens to webhook endpoints. A URL may be known to the endpoint and us alone, so events tell no more of it than the host.

use chrono::{DateTime, Utc};
use tenantry_domain::event::EventType;
use tenantry_domain::webhook::DisabledReason;
use tenantry_ports::{Delivery, WebhookEndpoint};

use super::{Traced, event};
use crate::events::data::{
    EndpointChanged, EndpointDisabled, EndpointRecovered, EndpointTold, Redelivered, SecretRotated,
};
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

/// `webhook.endpoint.secret_rotated`: there is a new secret, or the one before it ended early.
pub(crate) fn secret_rotated(endpoint: &WebhookEndpoint, hand: &Hand) -> Traced {
    let WebhookEndpoint { id, version, .. } = *endpoint;
    let previous_until = endpoint.secrets.previous.as_ref().map(|(_, until)| *until);
    let data = SecretRotated { webhook_id: id, version, previous_until, by: &hand.actor };
    Traced { event: event(EventType::WEBHOOK_ENDPOINT_SECRET_ROTATED, &data), trace: hand.trace.clone() }
}

/// `webhook.endpoint.recovered`.
pub(crate) fn recovered(
    endpoint: &WebhookEndpoint,
    since: DateTime<Utc>,
    first_sequence: i64,
    hand: &Hand,
) -> Traced {
    let WebhookEndpoint { id, version, .. } = *endpoint;
    let data = EndpointRecovered { webhook_id: id, version, since, first_sequence, by: &hand.actor };
    Traced { event: event(EventType::WEBHOOK_ENDPOINT_RECOVERED, &data), trace: hand.trace.clone() }
}

/// `webhook.delivery.redelivered`.
pub(crate) fn redelivered(endpoint: &WebhookEndpoint, delivery: &Delivery, hand: &Hand) -> Traced {
    let data = Redelivered {
        webhook_id: endpoint.id,
        version: endpoint.version,
        delivery_id: delivery.id,
        event_id: delivery.event,
        event_type: delivery.event_type.as_str(),
        by: &hand.actor,
    };
    Traced { event: event(EventType::WEBHOOK_DELIVERY_REDELIVERED, &data), trace: hand.trace.clone() }
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
