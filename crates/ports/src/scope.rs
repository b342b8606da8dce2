use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{ClusterName, DatabaseName, Former, Lifecycle, Plan, Slug, Status, Tenant};
use uuid::Uuid;

use crate::PooledDatabase;

/// The right to touch one tenant's data. It can only be made from a tenant that was looked up and whose state allows
/// it, and no tenant store opens without one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TenantScope {
    tenant: TenantId,
    slug: Slug,
    database: DatabaseName,
    cluster: ClusterName,
    login: Uuid,
    plan: Plan,
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

    /// For looking after the database of any tenant that has one: `Active`, `Suspended`, and `Deprovisioning` as long as
    /// that can be taken back.
    pub fn maintenance(tenant: &Tenant) -> Result<Self, NotReady> {
        match &tenant.lifecycle {
            Lifecycle::Active { .. } | Lifecycle::Suspended { .. } => Ok(Self::of(tenant)),
            Lifecycle::Deprovisioning {
                begun: false, former: Former::Active | Former::Suspended, ..
            } => Ok(Self::of(tenant)),
            _ => Err(NotReady(tenant.lifecycle.status())),
        }
    }

    /// For removing what a tenant must not have any more, should it be there all the same: the tenant is `Deleted`, `Expired`,
    /// or `Failed` with everything undone.
    pub fn leftover(tenant: &Tenant) -> Result<Self, NotReady> {
        match tenant.lifecycle {
            Lifecycle::Deleted { .. }
            | Lifecycle::Expired { .. }
            | Lifecycle::Failed { needs_attention: false, .. } => Ok(Self::of(tenant)),
            _ => Err(NotReady(tenant.lifecycle.status())),
        }
    }

    /// For making, looking after and unmaking a database that is nobody's yet. It stands for itself: its id takes the
    /// place of the tenant's.
    pub fn pooled(pooled: &PooledDatabase) -> Self {
        Self {
            tenant: TenantId::new(pooled.id),
            slug: Slug::pooled(pooled.id),
            database: pooled.database.clone(),
            cluster: pooled.cluster.clone(),
            login: pooled.id,
            plan: Plan::default(),
        }
    }

    fn of(tenant: &Tenant) -> Self {
        Self {
            tenant: tenant.id,
            slug: tenant.slug.clone(),
            database: tenant.database.clone(),
            cluster: tenant.home.cluster.clone(),
            login: tenant.home.login.unwrap_or(tenant.id.uuid()),
            plan: tenant.plan,
        }
    }

    /// Whose data.
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The tenant's slug; a placeholder for a database that is nobody's yet.
    pub const fn slug(&self) -> &Slug {
        &self.slug
    }

    /// The name of the tenant's database.
    pub const fn database(&self) -> &DatabaseName {
        &self.database
    }

    /// The server that the database is on.
    pub const fn cluster(&self) -> &ClusterName {
        &self.cluster
    }

    /// What the tenant pays for: how much it may have.
    pub const fn plan(&self) -> Plan {
        self.plan
    }

    /// Which login enters the database, on servers that have logins.
    pub const fn login(&self) -> Uuid {
        self.login
    }
}
