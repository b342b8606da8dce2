use tenantry_domain::config::{ConfigId, ConfigVersion, Difference, differences};
use tenantry_ports::{ConfigHead, ConfigVersionRecord, StoreResult, StoredConfig, TenantScope};

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

/// At most `limit` versions of a config, the newest first, below the version `before`; none for an unknown config.
pub fn versions(
    platform: &Platform,
    scope: &TenantScope,
    id: &ConfigId,
    before: Option<ConfigVersion>,
    limit: usize,
) -> StoreResult<Option<Vec<ConfigVersionRecord>>> {
    platform.stores.open(scope)?.read(|tx| {
        let versions = tx.configs().versions(id, before, limit)?;
        let known = !versions.is_empty() || !tx.configs().heads(std::slice::from_ref(id))?.is_empty();
        Ok(known.then_some(versions))
    })
}

/// What two versions of a config differ in.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The one.
    pub from: ConfigVersion,
    /// The other.
    pub to: ConfigVersion,
    /// The steps from the one's resolved document to the other's.
    pub differences: Vec<Difference>,
}

/// Compares two versions of a config: the current one with the one before it, if no others are named; none if there
/// is no such config or version.
pub fn compare(
    platform: &Platform,
    scope: &TenantScope,
    id: &ConfigId,
    from: Option<ConfigVersion>,
    to: Option<ConfigVersion>,
) -> StoreResult<Option<Comparison>> {
    platform.stores.open(scope)?.read(|tx| {
        let Some(to) = tx.configs().get(id, to)? else { return Ok(None) };
        let from = from.unwrap_or_else(|| to.version.previous());
        let Some(from) = tx.configs().get(id, Some(from))? else { return Ok(None) };
        let differences = differences(&from.resolved, &to.resolved);
        Ok(Some(Comparison { from: from.version, to: to.version, differences }))
    })
}
