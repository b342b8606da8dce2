//! What is remembered beside the log, and for how long.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tenantry_domain::id::DeliveryId;
use tenantry_ports::{StoreResult, TenantStore};

use super::SLICE;
use crate::Platform;
use crate::sign_in::SESSIONS_KEPT;

/// What was delivered to webhook endpoints, or given up.
pub(super) fn deliveries(
    platform: &Platform,
    store: &Arc<dyn TenantStore>,
    now: DateTime<Utc>,
) -> StoreResult<usize> {
    let before = DeliveryId::earliest_at(now - platform.policy.delivery_retention);
    store.write(|tx| tx.webhooks().remove_settled(before, SLICE))
}

/// Most answers that are removed in one commit. To find them the table is looked through, so it is done in fewer steps.
const ANSWERS: usize = 5 * SLICE;

/// First answers to requests: they count no more.
pub(super) fn answers(
    platform: &Platform,
    store: &Arc<dyn TenantStore>,
    now: DateTime<Utc>,
) -> StoreResult<usize> {
    let since = now - platform.policy.idempotency_retention;
    store.write(|tx| tx.idempotency().sweep(since, ANSWERS))
}

/// Sessions that were over long ago, of people who do not come any more: who signs in again has their own removed.
pub(super) fn sessions(store: &Arc<dyn TenantStore>, now: DateTime<Utc>) -> StoreResult<usize> {
    store.write(|tx| {
        tx.log().lock()?;
        tx.sessions().sweep(now - SESSIONS_KEPT, SLICE)
    })
}

/// Counts of attempts to sign in that their pace has forgotten.
pub(super) fn attempts(store: &Arc<dyn TenantStore>, now: DateTime<Utc>) -> StoreResult<usize> {
    if !store.read(|tx| tx.attempts().any_over(now))? {
        return Ok(0);
    }
    store.write(|tx| tx.attempts().remove_over(now, SLICE))
}
