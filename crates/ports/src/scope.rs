use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{DatabaseName, Lifecycle, Slug, Status, Tenant};

/// The right to touch one tenant's data. It can only be made from a tenant that was looked up and whose state allows
/// it, and no tenant store opens without one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TenantScope {
    tenant: TenantId,
    slug: Slug,
    database: DatabaseName,
}

/// The tenant's state does not allow this use of its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tenant is {0}")]
pub struct NotReady(pub Status);

impl TenantScope {
    /// For serving the tenant's calls: it has to be `Active`.
    pub fn serving(tenant: &Tenant) -> Result<Self, NotReady> {
        match tenant.lifecycle {
            Lifecycle::Active { .. } => Ok(Self::of(tenant)),
            _ => Err(NotReady(tenant.lifecycle.status())),
        }
    }

    /// For making or unmaking the tenant's database: it has to be `Provisioning` or `Deprovisioning`.
    pub fn provisioning(tenant: &Tenant) -> Result<Self, NotReady> {
        match tenant.lifecycle {
            Lifecycle::Provisioning { .. } | Lifecycle::Deprovisioning { .. } => Ok(Self::of(tenant)),
            _ => Err(NotReady(tenant.lifecycle.status())),
        }
    }

    /// For looking after the database of any tenant that has one: `Active`, `Suspended`.
    pub fn maintenance(tenant: &Tenant) -> Result<Self, NotReady> {
        match tenant.lifecycle {
            Lifecycle::Active { .. } | Lifecycle::Suspended { .. } => Ok(Self::of(tenant)),
            _ => Err(NotReady(tenant.lifecycle.status())),
        }
    }

    fn of(tenant: &Tenant) -> Self {
        Self { tenant: tenant.id, slug: tenant.slug.clone(), database: tenant.database.clone() }
    }

    /// Whose data.
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The tenant's slug.
    pub const fn slug(&self) -> &Slug {
        &self.slug
    }

    /// The name of the tenant's database.
    pub const fn database(&self) -> &DatabaseName {
        &self.database
    }
}
