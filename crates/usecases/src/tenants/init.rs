use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tenantry_domain::id::TenantId;
use tenantry_domain::people::Email;
use tenantry_domain::tenant::{
    CONFIRMATION_WINDOW, ClusterName, DatabaseName, Home, Lifecycle, Plan, Run, Slug, Tenant, TenantName,
};
use tenantry_ports::{ConfirmClaims, Constraint, ControlTx, PendingAdmin, Secret, StoreError};

use super::lifecycle::let_go;
use super::placement::UnknownCluster;
use crate::Platform;

/// What a website knows of a new tenant.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the members of the tenant it becomes")]
pub struct InitTenant {
    pub name: TenantName,
    pub slug: Slug,
    pub plan: Plan,
    pub contact_email: Option<Email>,
    /// On which server, if the operator says so.
    pub cluster: Option<ClusterName>,
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
    /// There is no such server.
    #[error(transparent)]
    UnknownCluster(#[from] UnknownCluster),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Announces a tenant. Nothing is made until the token comes back.
pub fn init(platform: &Platform, command: InitTenant) -> Result<Announced, InitError> {
    let now = platform.clock.now();
    let token = platform.ids.random();
    let wish = command.cluster.clone();
    let mut tenant = new_tenant(platform, command, None, Lifecycle::announced(token, now), now);
    let run = Run::announced(tenant.id, 1, false, "Provisioning initialized, waiting for confirmation", now);
    platform.control.write(|tx| announce(platform, tx, &mut tenant, wish.as_ref(), &run, None))?;
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
pub(crate) fn new_tenant(
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
        home: Home::default(),
        config,
        lifecycle,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// Finds the tenant a home, and stores it and its first run. A slug that is held only by somebody whose token has run out
/// is taken over.
pub(crate) fn announce(
    platform: &Platform,
    tx: &mut dyn ControlTx,
    tenant: &mut Tenant,
    wish: Option<&ClusterName>,
    run: &Run,
    admin: Option<&PendingAdmin>,
) -> Result<(), InitError> {
    let now = tenant.created_at;
    if let Some(holder) = tx.tenants().holding(&tenant.slug)?
        && !let_go(tx, holder, now)?
    {
        return Err(InitError::SlugTaken(tenant.slug.clone()));
    }
    tenant.home.cluster = platform.policy.placement.choose(tx, tenant.plan, wish)??;
    tx.tenants().insert(tenant).map_err(|error| match error {
        StoreError::Conflict(Constraint::TenantSlug) => InitError::SlugTaken(tenant.slug.clone()),
        other => other.into(),
    })?;
    Ok(tx.runs().insert(run, admin)?)
}
