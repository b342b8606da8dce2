use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tenantry_domain::id::TenantId;
use tenantry_domain::people::Email;
use tenantry_domain::tenant::{
    CONFIRMATION_WINDOW, DatabaseName, Lifecycle, Plan, Run, Slug, Tenant, TenantName,
};
use tenantry_ports::{ConfirmClaims, Constraint, ControlTx, PendingAdmin, Secret, StoreError, StoreResult};

use crate::Platform;

/// What a website knows of a new tenant.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the members of the tenant it becomes")]
pub struct InitTenant {
    pub name: TenantName,
    pub slug: Slug,
    pub plan: Plan,
    pub contact_email: Option<Email>,
}

/// A tenant that waits for its confirmation.
#[derive(Debug, Clone)]
pub struct Announced {
    /// The new tenant; its UUID is the provisioning id.
    pub tenant: TenantId,
    /// The token that confirms it, once, within [`CONFIRMATION_WINDOW`].
    pub confirm_token: Secret,
}

/// Why there is no new tenant.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Another tenant holds the slug.
    #[error("a tenant with slug '{0}' already exists")]
    SlugTaken(Slug),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Announces a tenant. Nothing is made until the token comes back.
pub fn init(platform: &Platform, command: InitTenant) -> Result<Announced, InitError> {
    let now = platform.clock.now();
    let token = platform.ids.random();
    let tenant = new_tenant(platform, command, None, Lifecycle::announced(token, now), now);
    let run = Run::announced(tenant.id, 1, false, "Provisioning initialized, waiting for confirmation", now);
    platform
        .control
        .write(|tx| announce(tx, &tenant, &run, None, now))
        .map_err(|error| slug_taken(error, &tenant.slug))?;
    tracing::info!(
        "Tenant provisioning initialized. TenantId: {}, Slug: {}, Plan: {}",
        tenant.id,
        tenant.slug,
        tenant.plan
    );
    let confirm_token = platform.tokens.confirm(&ConfirmClaims {
        tenant: tenant.id,
        slug: tenant.slug,
        token,
        issued_at: now,
        expires_at: now + CONFIRMATION_WINDOW,
    });
    Ok(Announced { tenant: tenant.id, confirm_token })
}

/// A tenant that has nothing yet.
pub(super) fn new_tenant(
    platform: &Platform,
    command: InitTenant,
    config: Option<Map<String, Value>>,
    lifecycle: Lifecycle,
    now: DateTime<Utc>,
) -> Tenant {
    Tenant {
        id: TenantId::new(platform.ids.random()),
        database: DatabaseName::of(&platform.policy.database_prefix, &command.slug),
        name: command.name,
        slug: command.slug,
        plan: command.plan,
        contact_email: command.contact_email,
        config,
        lifecycle,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// Stores the tenant and its first run. A slug that is held only by somebody whose token has run out is taken over.
pub(super) fn announce(
    tx: &mut dyn ControlTx,
    tenant: &Tenant,
    run: &Run,
    admin: Option<&PendingAdmin>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    if let Some(mut holder) = tx.tenants().holding(&tenant.slug)? {
        let Ok(expired) = holder.lifecycle.clone().expire(now) else {
            return Err(StoreError::Conflict(Constraint::TenantSlug));
        };
        holder.enter(expired, now);
        tx.tenants().update(&holder)?;
    }
    tx.tenants().insert(tenant)?;
    tx.runs().insert(run, admin)
}

/// Tells a taken slug from other failures.
pub(super) fn slug_taken(error: StoreError, slug: &Slug) -> InitError {
    match error {
        StoreError::Conflict(Constraint::TenantSlug) => InitError::SlugTaken(slug.clone()),
        other => InitError::Store(other),
    }
}
