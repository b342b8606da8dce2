use std::sync::Arc;

use tenantry_domain::id::{DeliveryId, WebhookId};
use tenantry_ports::{Delivery, DeliveryFilter, StoreResult, TenantScope, WebhookEndpoint};

use super::{WebhookError, body};
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

/// A delivery with what is sent.
#[derive(Debug)]
pub struct Recorded {
    /// The delivery.
    pub delivery: Delivery,
    /// To which endpoint, as that is now.
    pub endpoint: WebhookEndpoint,
    /// What is sent; none where the log holds the event no more.
    pub body: Option<Arc<[u8]>>,
}

/// The delivery with this id to this endpoint.
pub fn delivery(
    platform: &Platform,
    scope: &TenantScope,
    id: WebhookId,
    delivery: DeliveryId,
) -> Result<Recorded, WebhookError> {
    platform.stores.open(scope)?.read(|tx| {
        let endpoint = tx.webhooks().get(id)?.ok_or(WebhookError::NotFound)?;
        let found = tx.webhooks().delivery(delivery)?.filter(|delivery| delivery.endpoint == id);
        let found = found.ok_or(WebhookError::NoSuchDelivery)?;
        let entry = tx.log().page(found.sequence - 1, 1)?.pop();
        let entry = entry.filter(|entry| entry.sequence == found.sequence);
        let body = entry.map(|entry| body::of(&entry.told())).transpose()?;
        Ok(Recorded { delivery: found, endpoint, body })
    })
}
