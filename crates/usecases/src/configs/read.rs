use tenantry_domain::config::{ConfigId, ConfigVersion};
use tenantry_ports::{ConfigHead, StoreResult, StoredConfig, TenantScope};

use crate::Platform;

/// One version of a config, or the current one.
pub fn get(
    platform: &Platform,
    scope: &TenantScope,
    id: &ConfigId,
    version: Option<ConfigVersion>,
) -> StoreResult<Option<StoredConfig>> {
    platform.stores.open(scope)?.read(|tx| tx.configs().get(id, version))
}

/// At most `limit` current versions in order of id, after the id `after`.
pub fn list(
    platform: &Platform,
    scope: &TenantScope,
    after: Option<&ConfigId>,
    limit: usize,
) -> StoreResult<Vec<ConfigHead>> {
    platform.stores.open(scope)?.read(|tx| tx.configs().page(after, limit))
}
