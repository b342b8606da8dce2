use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Run, Slug, StepRecord, Tenant};
use tenantry_domain::text::InvalidText;
use tenantry_ports::{StoreResult, TenantFilter};

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

/// At most `limit` tenants, newest first, after the one whose (`created_at`, `id`) is `after`.
pub fn list(
    platform: &Platform,
    filter: &TenantFilter,
    after: Option<(DateTime<Utc>, TenantId)>,
    limit: usize,
) -> StoreResult<Vec<Tenant>> {
    platform.control.read(|tx| tx.tenants().page(filter, after, limit))
}

/// How far a tenant's provisioning is.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The tenant.
    pub tenant: Tenant,
    /// Its runs, oldest first, every attempt included.
    pub runs: Vec<Run>,
}

impl Progress {
    /// Counts what has happened to the tenant so far. Every change makes it larger, and none smaller: whoever knows this
    /// number knows whether there is anything new, on whichever replica.
    pub fn revision(&self) -> u64 {
        let records = self.runs.iter().flat_map(|run| &run.journal);
        u64::try_from(self.tenant.version).unwrap_or(0) + records.map(moments).sum::<u64>()
    }
}

/// What has happened to an attempt: it was begun, it ended, it was undone. Each happens once.
fn moments(record: &StepRecord) -> u64 {
    1 + u64::from(record.completed_at.is_some()) + u64::from(record.undone_at.is_some())
}

/// How far the provisioning of this tenant is.
pub fn progress(platform: &Platform, id: TenantId) -> StoreResult<Option<Progress>> {
    platform.control.read(|tx| {
        let Some(tenant) = tx.tenants().get(id)? else { return Ok(None) };
        Ok(Some(Progress { tenant, runs: tx.runs().of_tenant(id)? }))
    })
}
