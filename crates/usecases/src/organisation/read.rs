use tenantry_domain::organisation::{OrgId, OrgTree, OrgUnit};
use tenantry_ports::{OrgFilter, StoreResult, TenantScope};

use crate::Platform;

/// The unit with this id.
pub fn find(platform: &Platform, scope: &TenantScope, id: OrgId) -> StoreResult<Option<OrgUnit>> {
    Ok(platform.stores.open(scope)?.read(|tx| tx.organisation().get(&[id]))?.pop())
}

/// At most `limit` of these units, newest first, after the unit `after`.
pub fn list(
    platform: &Platform,
    scope: &TenantScope,
    filter: &OrgFilter,
    after: Option<OrgId>,
    limit: usize,
) -> StoreResult<Vec<OrgUnit>> {
    platform.stores.open(scope)?.read(|tx| tx.organisation().page(filter, after, limit))
}

/// The whole organisation, in one round trip and as it was at one moment.
pub fn whole(platform: &Platform, scope: &TenantScope) -> StoreResult<OrgTree> {
    platform.stores.open(scope)?.read(|tx| tx.organisation().all()).map(OrgTree::new)
}
