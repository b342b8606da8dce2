use tenantry_domain::people::Email;
use tenantry_domain::tenant::{Lifecycle, Plan, Status, Tenant, TenantName};
use tenantry_ports::StoreError;

use super::lifecycle::Target;
use crate::notices::{self, Happening};
use crate::{Platform, recorded};

/// What is to be different about a tenant; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TenantChange {
    /// Another name.
    pub name: Option<TenantName>,
    /// Another plan.
    pub plan: Option<Plan>,
    /// Another address to tell things to, or none any more.
    pub contact_email: Option<Option<Email>>,
}

/// Why a tenant was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// There is no such tenant (any more).
    #[error("there is no such tenant")]
    NoSuchTenant,
    /// It is not the version the caller meant.
    #[error("the tenant has changed since")]
    Stale,
    /// A worker is at it, and would find it changed under its hands.
    #[error("the tenant is {0}")]
    InWork(Status),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for UpdateError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale => Self::Stale,
            other => Self::Store(other),
        }
    }
}

/// Changes what people know of a tenant, which has no effect on its database. Where nothing is different, nothing changes.
pub fn update(platform: &Platform, target: Target<'_>, change: TenantChange) -> Result<Tenant, UpdateError> {
    let now = platform.clock.now();
    let (tenant, is_new) = recorded(platform, Some(target.by), |tx, record| {
        let mut tenant = tx.tenants().get(target.tenant)?.ok_or(UpdateError::NoSuchTenant)?;
        if matches!(tenant.lifecycle, Lifecycle::Expired { .. } | Lifecycle::Deleted { .. }) {
            return Err(UpdateError::NoSuchTenant);
        }
        if target.version.is_some_and(|version| version != tenant.version) {
            return Err(UpdateError::Stale);
        }
        let before = tenant.clone();
        tenant.name = change.name.unwrap_or(tenant.name);
        tenant.plan = change.plan.unwrap_or(tenant.plan);
        tenant.contact_email = change.contact_email.unwrap_or(tenant.contact_email);
        if tenant == before {
            return Ok((tenant, false));
        }
        if let Lifecycle::Provisioning { .. } | Lifecycle::Deprovisioning { begun: true, .. } =
            tenant.lifecycle
        {
            return Err(UpdateError::InWork(tenant.lifecycle.status()));
        }
        tenant.enter(tenant.lifecycle.clone(), now);
        tx.tenants().update(&tenant)?;
        notices::announce(
            platform,
            tx,
            record,
            &tenant,
            &[Happening::Updated(&changed(&before, &tenant))],
            now,
        )?;
        Ok((tenant, true))
    })?;
    if is_new {
        platform.nudge.tenant_changed(tenant.id);
        platform.nudge.notices_are_due();
        tracing::info!("Tenant {} ({}) was changed", tenant.id, tenant.slug);
    }
    Ok(tenant)
}

fn changed(before: &Tenant, after: &Tenant) -> Vec<&'static str> {
    let members = [
        ("name", before.name != after.name),
        ("plan", before.plan != after.plan),
        ("contactEmail", before.contact_email != after.contact_email),
    ];
    members.into_iter().filter_map(|(member, differs)| differs.then_some(member)).collect()
}
