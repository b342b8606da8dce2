use chrono::TimeDelta;
use tenantry_domain::id::WebhookId;
use tenantry_ports::{IdempotencyKey, LogHead, SealedSecrets, TenantScope, TenantTx, WebhookEndpoint};

use super::change::meant;
use super::create::Created;
use super::kept::once_sealed;
use super::{Hand, WebhookError, secrets};
use crate::idempotency::{Answer, Once};
use crate::journal::webhooks as events;
use crate::{Platform, journal};

/// The longest that calls are signed with an old secret, too.
pub const LONGEST_OVERLAP: TimeDelta = TimeDelta::days(30);

/// How a secret is replaced.
#[derive(Debug, Clone, Copy)]
pub struct Rotation {
    /// Of which endpoint.
    pub webhook: WebhookId,
    /// For how long calls are signed with the old secret, too.
    pub overlap: TimeDelta,
    /// Even if the one before the old one still counts, which it then no longer does.
    pub force: bool,
}

/// Replaces the secret of an endpoint, if `is_meant` says so of the version it has. Calls are signed with both for a while. The
/// answer to a request that may come again is kept sealed.
pub fn rotate(
    platform: &Platform,
    scope: &TenantScope,
    rotation: Rotation,
    hand: &Hand,
    is_meant: impl FnOnce(i64) -> bool,
    request: Option<&IdempotencyKey>,
    answer: impl FnOnce(&Result<Created, WebhookError>) -> Option<Answer>,
) -> Result<Once<Created>, WebhookError> {
    let (now, id) = (platform.clock.now(), rotation.webhook);
    let secret = platform.endpoints.secrets.mint();
    let act = |tx: &mut dyn TenantTx, head: LogHead| {
        let before = meant(tx, id, is_meant)?;
        match &before.secrets.previous {
            Some((_, until)) if now < *until && !rotation.force => {
                return Err(WebhookError::RotationUnderWay { until: *until });
            }
            _ => {}
        }
        let overlap = rotation.overlap > TimeDelta::zero();
        let previous = overlap.then(|| (before.secrets.current.clone(), now + rotation.overlap));
        let secrets = SealedSecrets { current: secrets::seal(platform, id, &secret), previous };
        let after = WebhookEndpoint { secrets, version: before.version + 1, updated_at: now, ..before };
        tx.webhooks().update(&after)?;
        journal::append(platform, scope, tx, head, vec![events::secret_rotated(&after, hand)], now)?;
        Ok(Created { endpoint: after, secret })
    };
    once_sealed(platform, scope, request, now, act, answer)
}

/// Has calls signed with the secret in force alone, if `is_meant` says so of the version the endpoint has. Where that is so
/// already nothing changes.
pub fn end_previous(
    platform: &Platform,
    scope: &TenantScope,
    id: WebhookId,
    hand: &Hand,
    is_meant: impl FnOnce(i64) -> bool,
) -> Result<WebhookEndpoint, WebhookError> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.write(|tx| {
        let head = tx.log().lock()?;
        let before = meant(tx, id, is_meant)?;
        if before.secrets.previous.as_ref().is_none_or(|(_, until)| *until <= now) {
            return Ok(before);
        }
        let secrets = SealedSecrets { previous: None, ..before.secrets };
        let after = WebhookEndpoint { secrets, version: before.version + 1, updated_at: now, ..before };
        tx.webhooks().update(&after)?;
        journal::append(platform, scope, tx, head, vec![events::secret_rotated(&after, hand)], now)?;
        Ok(after)
    })
}
