use std::fmt;
use std::str::FromStr;

use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Run, Slug, Tenant};
use tenantry_domain::text::InvalidText;
use tenantry_ports::StoreResult;

use crate::Platform;

/// How callers name a tenant: by id or by slug.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TenantRef {
    /// `ten_…`
    Id(TenantId),
    /// The slug, as long as the tenant holds it.
    Slug(Slug),
}

impl FromStr for TenantRef {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        // No slug contains `_`, so the two never overlap.
        text.parse().map(Self::Id).or_else(|_| text.parse().map(Self::Slug))
    }
}

impl fmt::Display for TenantRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Slug(slug) => slug.fmt(f),
        }
    }
}

/// The tenant somebody means, whatever its state.
pub fn find(platform: &Platform, reference: &TenantRef) -> StoreResult<Option<Tenant>> {
    platform.control.read(|tx| match reference {
        TenantRef::Id(id) => tx.tenants().get(*id),
        TenantRef::Slug(slug) => tx.tenants().holding(slug),
    })
}

/// How far a tenant's provisioning is.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The tenant.
    pub tenant: Tenant,
    /// Its runs, oldest first, every attempt included.
    pub runs: Vec<Run>,
}

/// How far the provisioning of this tenant is.
pub fn progress(platform: &Platform, id: TenantId) -> StoreResult<Option<Progress>> {
    platform.control.read(|tx| {
        let Some(tenant) = tx.tenants().get(id)? else { return Ok(None) };
        Ok(Some(Progress { tenant, runs: tx.runs().of_tenant(id)? }))
    })
}
