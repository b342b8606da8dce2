use tenantry_domain::config::{AccountConfig, ConfigVersion, demo};
use tenantry_domain::json;
use tenantry_domain::tenant::Settings;
use tenantry_ports::{StoreError, StoreResult, StoredConfig, TenantScope};

use crate::Platform;

/// Gives a database its default settings, role templates among them, and a demonstration account config. Seeding what is
/// seeded changes nothing.
///
/// Nothing of it says whose the database is, so that it can be done before that is known; the log begins with what the
/// tenant does itself.
pub(super) fn seed(platform: &Platform, scope: &TenantScope) -> StoreResult<()> {
    let now = platform.clock.now();
    let document = demo::config();
    let typed: AccountConfig = serde_json::from_value(document.clone())
        .map_err(|error| StoreError::corrupt("demonstration config", error))?;
    let config = StoredConfig {
        id: typed.id,
        version: ConfigVersion::FIRST,
        hash: platform.digest.hex(json::canonical(&document).as_bytes()),
        resolved: document.clone(),
        document,
        created_by: "provisioning".to_owned(),
        created_at: now,
    };
    platform.stores.open(scope)?.write::<_, StoreError>(|tx| {
        tx.log().lock()?;
        if tx.settings().get()?.is_some() {
            return Ok(());
        }
        tx.settings().put(&Settings::default())?;
        tx.configs().insert(&config)
    })
}
