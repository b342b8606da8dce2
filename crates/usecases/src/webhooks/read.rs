use tenantry_domain::id::{DeliveryId, WebhookId};
use tenantry_ports::{Delivery, DeliveryFilter, StoreResult, TenantScope, WebhookEndpoint};

use super::WebhookError;
use crate::Platform;

/// The endpoint with this id.
pub fn find(
    platform: &Platform,
    scope: &TenantScope,
    id: WebhookId,
) -> Result<WebhookEndpoint, WebhookError> {
    let found = platform.stores.open(scope)?.read(|tx| tx.webhooks().get(id))?;
    found.ok_or(WebhookError::NotFound)
}

/// At most `limit` endpoints, oldest first, after this one.
pub fn page(
    platform: &Platform,
    scope: &TenantScope,
    after: Option<WebhookId>,
    limit: usize,
) -> StoreResult<Vec<WebhookEndpoint>> {
    platform.stores.open(scope)?.read(|tx| tx.webhooks().page(after, limit))
}

/// At most `limit` deliveries, newest first, after this one.
pub fn deliveries(
    platform: &Platform,
    scope: &TenantScope,
    filter: &DeliveryFilter,
    after: Option<DeliveryId>,
    limit: usize,
) -> Result<Vec<Delivery>, WebhookError> {
    platform.stores.open(scope)?.read(|tx| {
        tx.webhooks().get(filter.endpoint)?.ok_or(WebhookError::NotFound)?;
        Ok(tx.webhooks().deliveries(filter, after, limit)?)
    })
}

/// Has a delivery made anew, whatever became of it: with the same id, so that a receiver that has it knows.
pub fn redeliver(platform: &Platform, scope: &TenantScope, id: DeliveryId) -> Result<Delivery, WebhookError> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.write(|tx| {
        let delivery = tx.webhooks().delivery(id)?.ok_or(WebhookError::NoSuchDelivery)?;
        let endpoint = tx.webhooks().get(delivery.endpoint)?.ok_or(WebhookError::NoSuchDelivery)?;
        if endpoint.disabled.is_some() {
            return Err(WebhookError::Disabled);
        }
        tx.webhooks().redeliver(id, now)?;
        tx.webhooks().delivery(id)?.ok_or(WebhookError::NoSuchDelivery)
    })
}
