//! Sending again what was sent, or should have been.

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::{DeliveryId, WebhookId};
use tenantry_ports::{Delivery, StoreResult, TenantScope, TenantTx};

use super::{Hand, WebhookError};
use crate::journal::webhooks as events;
use crate::{Platform, journal};

/// Replicas' clocks may differ by so much, and with them the times of events from the order of the log.
const SKEW: TimeDelta = TimeDelta::seconds(10);

/// Has a delivery made anew, whatever became of it: with the same id, so that a receiver that has it knows.
pub fn redeliver(
    platform: &Platform,
    scope: &TenantScope,
    id: WebhookId,
    delivery: DeliveryId,
    hand: &Hand,
) -> Result<Delivery, WebhookError> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.write(|tx| {
        let head = tx.log().lock()?;
        let endpoint = tx.webhooks().get(id)?.ok_or(WebhookError::NotFound)?;
        let before = tx.webhooks().delivery(delivery)?.filter(|delivery| delivery.endpoint == id);
        let before = before.ok_or(WebhookError::NoSuchDelivery)?;
        if endpoint.disabled.is_some() {
            return Err(WebhookError::Disabled);
        }
        let entry = tx.log().page(before.sequence - 1, 1)?.pop();
        if entry.is_none_or(|entry| entry.sequence != before.sequence) {
            return Err(WebhookError::Expired { first: tx.floor().span()?.floor + 1 });
        }
        tx.webhooks().redeliver(delivery, now)?;
        journal::append(platform, scope, tx, head, vec![events::redelivered(&endpoint, &before, hand)], now)?;
        tx.webhooks().delivery(delivery)?.ok_or(WebhookError::NoSuchDelivery)
    })
}

/// What is looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// The first entry of the log that is looked at again.
    pub first: i64,
    /// The last entry of the log that there is.
    pub last: i64,
}

/// Has everything sent that happened since then and did not arrive: what was given up, and what was passed over while the
/// endpoint was disabled. What arrived is not sent again. Begins with what is kept, where that is less.
pub fn recover(
    platform: &Platform,
    scope: &TenantScope,
    id: WebhookId,
    since: DateTime<Utc>,
    hand: &Hand,
) -> Result<Recovery, WebhookError> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.write(|tx| {
        let head = tx.log().lock()?;
        let endpoint = tx.webhooks().get(id)?.ok_or(WebhookError::NotFound)?;
        if endpoint.disabled.is_some() {
            return Err(WebhookError::Disabled);
        }
        let floor = tx.floor().span()?.floor;
        let before = entries_before(tx, since - SKEW, floor, head.sequence)?;
        tx.webhooks().go_back(id, before)?;
        let recovery = Recovery { first: before + 1, last: head.sequence };
        let told = vec![events::recovered(&endpoint, since, before + 1, hand)];
        journal::append(platform, scope, tx, head, told, now)?;
        Ok(recovery)
    })
}

/// The last entry before the first one that is not older than `since`. Entries are in order of time, so a few looks find it
/// in a log of any length.
fn entries_before(tx: &mut dyn TenantTx, since: DateTime<Utc>, floor: i64, last: i64) -> StoreResult<i64> {
    let (mut before, mut after) = (floor, last);
    while before < after {
        let middle = before + (after - before) / 2;
        match tx.log().page(middle, 1)?.pop() {
            Some(entry) if entry.event.timestamp < since => before = entry.sequence,
            _ => after = middle,
        }
    }
    Ok(before)
}
