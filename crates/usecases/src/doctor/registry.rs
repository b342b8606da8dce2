use std::collections::BTreeMap;

use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Lifecycle, Tenant};
use tenantry_ports::{OpenRun, PoolState, PooledDatabase, StoreError, StoreResult, TenantFilter};

use crate::Platform;

/// What the control database says there is.
pub(super) struct Registry {
    pub(super) tenants: BTreeMap<TenantId, Tenant>,
    /// By the id that takes the place of a tenant's.
    pub(super) pool: BTreeMap<TenantId, (PooledDatabase, PoolState)>,
    pub(super) open: Vec<OpenRun>,
    pub(super) set_aside: Vec<(TenantId, u32, String)>,
}

/// How many tenants are read at a time.
const PAGE: usize = 500;

impl Registry {
    pub(super) fn read(platform: &Platform) -> StoreResult<Self> {
        let (pool, open, set_aside) = platform
            .control
            .read::<_, StoreError>(|tx| Ok((tx.pool().all()?, tx.runs().open()?, tx.runs().set_aside()?)))?;
        let pool = pool.into_iter().map(|(pooled, state)| (TenantId::new(pooled.id), (pooled, state)));
        Ok(Self { tenants: tenants(platform)?, pool: pool.collect(), open, set_aside })
    }

    /// What people call the tenant.
    pub(super) fn name(&self, tenant: TenantId) -> String {
        self.tenants.get(&tenant).map_or_else(|| tenant.to_string(), name)
    }
}

/// What people call the tenant: its slug, or its id where others may have the slug by now.
pub(super) fn name(tenant: &Tenant) -> String {
    match tenant.lifecycle.holds_slug() {
        true => format!("tenant {}", tenant.slug),
        false => format!("tenant {} ({})", tenant.id, tenant.slug),
    }
}

fn tenants(platform: &Platform) -> StoreResult<BTreeMap<TenantId, Tenant>> {
    let (mut tenants, mut after) = (BTreeMap::new(), None);
    loop {
        let page = platform.control.read(|tx| tx.tenants().page(&TenantFilter::default(), after, PAGE))?;
        let last = page.len() < PAGE;
        after = page.last().map(|tenant| (tenant.created_at, tenant.id));
        tenants.extend(page.into_iter().map(|tenant| (tenant.id, tenant)));
        if last {
            return Ok(tenants);
        }
    }
}

/// Whether the tenant's database has to be there.
pub(super) const fn must_own(tenant: &Tenant) -> bool {
    use tenantry_domain::tenant::Former;
    matches!(
        tenant.lifecycle,
        Lifecycle::Active { .. }
            | Lifecycle::Suspended { .. }
            | Lifecycle::Deprovisioning { begun: false, former: Former::Active | Former::Suspended, .. }
    )
}

/// Whether the tenant's database may be there.
pub(super) const fn may_own(tenant: &Tenant) -> bool {
    !matches!(
        tenant.lifecycle,
        Lifecycle::PendingValidation { .. }
            | Lifecycle::Expired { .. }
            | Lifecycle::Deleted { .. }
            | Lifecycle::Failed { needs_attention: false, .. }
    )
}
