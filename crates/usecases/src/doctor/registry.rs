use std::collections::{BTreeMap, BTreeSet};

use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Lifecycle, Tenant};
use tenantry_ports::{OpenRun, PoolState, PooledDatabase, StoreError, StoreResult, TenantFilter, Unreadable};
use uuid::Uuid;

use super::Symptom;
use crate::Platform;

/// What the control database says there is.
pub(super) struct Registry {
    pub(super) tenants: BTreeMap<TenantId, Tenant>,
    /// By the id that takes the place of a tenant's.
    pub(super) pool: BTreeMap<TenantId, (PooledDatabase, PoolState)>,
    pub(super) open: Vec<OpenRun>,
    pub(super) set_aside: Vec<(TenantId, u32, String)>,
    unreadable_tenants: Vec<Unreadable>,
    unreadable_pool: Vec<Unreadable>,
}

/// How many tenants are read at a time.
const PAGE: usize = 500;

impl Registry {
    pub(super) fn read(platform: &Platform) -> StoreResult<Self> {
        let registry = platform.control.read::<_, StoreError>(|tx| {
            let pool = tx.pool().all()?.into_iter();
            Ok(Self {
                tenants: BTreeMap::new(),
                pool: pool.map(|(pooled, state)| (TenantId::new(pooled.id), (pooled, state))).collect(),
                open: tx.runs().open()?,
                set_aside: tx.runs().set_aside()?,
                unreadable_tenants: tx.tenants().unreadable()?,
                unreadable_pool: tx.pool().unreadable()?,
            })
        })?;
        Ok(Self { tenants: tenants(platform)?, ..registry })
    }

    /// What is registered and cannot be read.
    pub(super) fn symptoms(&self) -> impl Iterator<Item = Symptom> {
        let tenants = self.unreadable_tenants.iter().map(|Unreadable { id, reason }| {
            let next = "mend its row in table tenants, or restore that from a backup: until then the tenant is in no list, is not \
                        migrated and serves nobody; keep its database";
            Symptom::error("unreadable_tenant", format!("tenant {id}"), format!("its row cannot be read: {reason}"), next)
        });
        let pool = self.unreadable_pool.iter().map(|Unreadable { id, reason }| {
            let next = "no tenant gets it: delete the row from table pooled_databases, then drop the database of which \
                        `tenantry doctor` says that nobody knows its owner";
            let what = format!("its row cannot be read: {reason}");
            Symptom::error("unreadable_pooled_database", format!("pooled database {id}"), what, next)
        });
        tenants.chain(pool)
    }

    /// Those of whom is known that they are there, and nothing else.
    pub(super) fn unreadable(&self) -> BTreeSet<TenantId> {
        let tenants = self.unreadable_tenants.iter().filter_map(|row| row.id.parse().ok());
        let pool = self.unreadable_pool.iter().filter_map(|row| Uuid::try_parse(&row.id).ok());
        tenants.chain(pool.map(TenantId::new)).collect()
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
