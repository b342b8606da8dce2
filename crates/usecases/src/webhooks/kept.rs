use chrono::{DateTime, Utc};
use tenantry_ports::{IdempotencyKey, LogHead, StoreError, TenantScope, TenantTx};

use super::WebhookError;
use crate::Platform;
use crate::idempotency::{Answer, Once, once};

/// Does once what leads to a secret: the answer, which shows it, is kept sealed.
pub(super) fn once_sealed<T>(
    platform: &Platform,
    scope: &TenantScope,
    request: Option<&IdempotencyKey>,
    now: DateTime<Utc>,
    act: impl FnOnce(&mut dyn TenantTx, LogHead) -> Result<T, WebhookError>,
    answer: impl FnOnce(&Result<T, WebhookError>) -> Option<Answer>,
) -> Result<Once<T>, WebhookError> {
    let sealed = |outcome: &Result<T, WebhookError>| {
        let Answer { status, body } = answer(outcome)?;
        let body = match (request, outcome) {
            (Some(key), Ok(_)) => platform.sealing.seal_answer(&key.scope, &body),
            _ => body,
        };
        Some(Answer { status, body })
    };
    match once(platform, scope, request, now, |tx, head, _| act(tx, head), sealed)? {
        Once::Before(Answer { status, body }) if status < 300 => {
            let place = request.map(|key| key.scope.as_str()).unwrap_or_default();
            let body = platform.sealing.open_answer(place, &body);
            let body = body.map_err(|error| StoreError::corrupt("stored response", error))?;
            Ok(Once::Before(Answer { status, body }))
        }
        other => Ok(other),
    }
}
