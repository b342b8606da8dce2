use tenantry_domain::event::EventTypePattern;
use tenantry_domain::id::WebhookId;
use tenantry_domain::webhook::DisabledReason;
use tenantry_ports::{TenantScope, TenantTx, WebhookEndpoint};

use super::create::about;
use super::{Hand, WebhookError};
use crate::journal::webhooks as events;
use crate::{Platform, journal};

/// What is to be otherwise about an endpoint; what is left out stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Where to.
    pub url: Option<String>,
    /// What it is for.
    pub description: Option<Option<String>>,
    /// Of which events it is told.
    pub event_types: Option<Vec<EventTypePattern>>,
    /// Whether anything is delivered. Who enables it again goes on with what happens from then on.
    pub enabled: Option<bool>,
}

/// Changes an endpoint, if `is_meant` says so of the version it has. Where nothing is different, nothing changes.
pub fn update(
    platform: &Platform,
    scope: &TenantScope,
    id: WebhookId,
    change: Change,
    hand: &Hand,
    is_meant: impl FnOnce(i64) -> bool,
) -> Result<WebhookEndpoint, WebhookError> {
    let now = platform.clock.now();
    let mut findings = about(
        change.description.as_ref().and_then(|description| description.as_deref()),
        change.event_types.as_deref().unwrap_or_default(),
    );
    let url = change.url.as_deref().map(|url| platform.endpoints.sender.check(url)).transpose();
    let url = url.map_err(|finding| findings.push(finding)).unwrap_or_default();
    if !findings.is_empty() {
        return Err(WebhookError::Invalid(findings));
    }
    platform.stores.open(scope)?.write(|tx| {
        let head = tx.log().lock()?;
        let before = meant(tx, id, is_meant)?;
        let mut after = before.clone();
        after.url = url.unwrap_or(after.url);
        after.description = change.description.unwrap_or(after.description);
        after.event_types = change.event_types.unwrap_or(after.event_types);
        match (change.enabled, before.disabled) {
            (Some(false), None) => after.disabled = Some((DisabledReason::Requested, now)),
            (Some(true), Some(_)) => (after.disabled, after.failing_since) = (None, None),
            _ => {}
        }
        if after == before {
            return Ok(before);
        }
        (after.version, after.updated_at) = (before.version + 1, now);
        tx.webhooks().update(&after)?;
        if before.disabled.is_some() && after.disabled.is_none() {
            tx.webhooks().move_to(id, head.sequence)?;
        }
        let told = vec![events::updated(&before, &after, hand)];
        journal::append(platform, scope, tx, head, told, now)?;
        Ok(after)
    })
}

/// Removes an endpoint with the record of its deliveries, if `is_meant` says so of the version it has.
pub fn remove(
    platform: &Platform,
    scope: &TenantScope,
    id: WebhookId,
    hand: &Hand,
    is_meant: impl FnOnce(i64) -> bool,
) -> Result<(), WebhookError> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.write(|tx| {
        let head = tx.log().lock()?;
        let endpoint = meant(tx, id, is_meant)?;
        tx.webhooks().remove(id)?;
        Ok(journal::append(platform, scope, tx, head, vec![events::deleted(&endpoint, hand)], now)?)
    })
}

/// The endpoint, if it is there and `is_meant` says so of the version it has.
pub(super) fn meant(
    tx: &mut dyn TenantTx,
    id: WebhookId,
    is_meant: impl FnOnce(i64) -> bool,
) -> Result<WebhookEndpoint, WebhookError> {
    let endpoint = tx.webhooks().get(id)?.ok_or(WebhookError::NotFound)?;
    let version = endpoint.version;
    if is_meant(version) { Ok(endpoint) } else { Err(WebhookError::Stale { version }) }
}
