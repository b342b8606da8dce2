use tenantry_domain::config::{ConfigVersion, demo};
use tenantry_domain::tenant::Settings;
use tenantry_ports::{StoreError, StoreResult, StoredConfig, TenantScope};

use crate::Platform;
use crate::journal::{self, NewEvent};

/// Gives a new tenant its default settings and a demonstration account config. Seeding what is seeded changes nothing.
pub(super) fn seed(platform: &Platform, scope: &TenantScope) -> StoreResult<()> {
    let now = platform.clock.now();
    let document = demo::document();
    let resolved = tenantry_domain::json::canonical(&document);
    let config = StoredConfig {
        id: demo::id(),
        version: ConfigVersion::FIRST,
        hash: platform.digest.hex(resolved.as_bytes()),
        resolved: document.clone(),
        document,
        created_by: "provisioning".to_owned(),
        created_at: now,
    };
    platform.stores.open(scope)?.write::<_, StoreError>(|tx| {
        let head = tx.log().lock()?;
        if tx.settings().get()?.is_some() {
            return Ok(());
        }
        tx.settings().put(&Settings::default())?;
        tx.configs().insert(&config)?;
        let uploaded = NewEvent::config_uploaded(&config);
        journal::append(platform, scope, tx, head, vec![uploaded], now)
    })
}
