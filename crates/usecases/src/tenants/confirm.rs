use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::Status;
use tenantry_ports::StoreError;

use crate::notices::{self, Happening};
use crate::provisioning::Dispatch;
use crate::{Platform, recorded};

/// A tenant that waits for a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed {
    /// Which tenant.
    pub tenant: TenantId,
}

/// Why nothing was queued.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// Not a confirmation token of ours, or it has expired.
    #[error("the confirmation token is invalid or has expired")]
    InvalidToken,
    /// The token was used before (or the tenant went on in another way).
    #[error("the tenant is {status} already")]
    AlreadyConfirmed {
        /// Where the tenant stands now.
        status: Status,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Queues the announced tenant for provisioning. Of concurrent calls with one token, one queues it.
pub fn confirm(platform: &Platform, token: &str) -> Result<Confirmed, ConfirmError> {
    let now = platform.clock.now();
    let claims = platform.tokens.check_confirm(token, now).map_err(|_| ConfirmError::InvalidToken)?;
    let mut dispatch = Dispatch::prepare(platform);
    let queued = recorded(platform, None, |tx, record| {
        let mut tenant = tx.tenants().get(claims.tenant)?.ok_or(ConfirmError::InvalidToken)?;
        let status = tenant.lifecycle.status();
        if status != Status::PendingValidation {
            return Err(ConfirmError::AlreadyConfirmed { status });
        }
        let queued = tenant.lifecycle.clone().confirm(claims.token, now);
        tenant.enter(queued.map_err(|_| ConfirmError::InvalidToken)?, now);
        tx.tenants().update(&tenant)?;
        tx.runs().enqueue(tenant.id, 1, now)?;
        notices::announce(platform, tx, record, &tenant, &[Happening::Queued], now)?;
        dispatch.claim(tx, record, now)?;
        Ok(tenant)
    });
    let tenant = queued.map_err(|error| match error {
        // Somebody else's confirmation came between our read and our write.
        ConfirmError::Store(StoreError::Stale) => ConfirmError::AlreadyConfirmed { status: Status::Queued },
        other => other,
    })?;
    tracing::info!(
        "Tenant provisioning confirmed and queued. TenantId: {}, Slug: {}",
        tenant.id,
        tenant.slug
    );
    dispatch.send(tenant.id);
    Ok(Confirmed { tenant: tenant.id })
}
