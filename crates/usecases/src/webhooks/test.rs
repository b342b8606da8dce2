use tenantry_domain::event::EventType;
use tenantry_domain::id::{EventId, WebhookId};
use tenantry_ports::{
    DeliveryAttempt, EndpointCall, EndpointUrl, Secret, StoreResult, TenantScope, WebhookEndpoint,
};

use super::outcome::{answered, unanswered};
use super::{Hand, WebhookError, body, secrets};
use crate::events::data::EndpointTried;
use crate::{Platform, journal};

/// A call to try an endpoint out with.
#[derive(Debug)]
pub struct Trial {
    /// `webhook-id`.
    pub event: EventId,
    /// Where to.
    pub url: EndpointUrl,
    /// What it tells.
    pub body: std::sync::Arc<[u8]>,
    secrets: Vec<Secret>,
}

/// A call to try this endpoint out with, whether it is enabled or not: with an event that is in no log.
pub fn trial(
    platform: &Platform,
    scope: &TenantScope,
    id: WebhookId,
    hand: &Hand,
) -> Result<Trial, WebhookError> {
    let found = platform.stores.open(scope)?.read(|tx| tx.webhooks().get(id))?;
    let endpoint: WebhookEndpoint = found.ok_or(WebhookError::NotFound)?;
    Ok(made(platform, scope, endpoint, hand)?)
}

fn made(
    platform: &Platform,
    scope: &TenantScope,
    endpoint: WebhookEndpoint,
    hand: &Hand,
) -> StoreResult<Trial> {
    let now = platform.clock.now();
    let secrets = secrets::in_force(platform, &endpoint, now)?;
    let data = EndpointTried { webhook_id: endpoint.id, by: &hand.actor };
    let event = journal::event(EventType::WEBHOOK_TEST, &data);
    let event = event.seal(platform.ids.next(), scope.tenant(), now, hand.trace.clone());
    let id = event.id;
    let body = body::of(&event)?;
    Ok(Trial { event: id, url: endpoint.url, body, secrets })
}

/// Makes the call, and says what came of it. Nothing is recorded, and it is not made again.
pub async fn try_out(platform: &Platform, trial: &Trial) -> DeliveryAttempt {
    let calls = &platform.endpoints;
    let (id, at) = (trial.event.to_string(), platform.clock.now());
    let signature = calls.signer.sign(&trial.secrets, &id, at, &trial.body);
    let request = EndpointCall {
        url: &trial.url,
        id: &id,
        at,
        signature: &signature,
        headers: &[],
        body: trial.body.clone(),
        timeout: calls.timeout,
    };
    match calls.sender.send(request).await {
        Ok(answer) => answered(&answer, at),
        Err(failure) => {
            tracing::info!(event = %id, "A webhook endpoint was tried out and not reached: {}", failure.detail);
            unanswered(failure.class.as_str(), at)
        }
    }
}
