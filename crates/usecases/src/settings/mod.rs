//! What a tenant sets for itself, and what the operator agreed on with it.

mod replace;

use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::config::{AllowedConfigs, VersioningStrategy};
use tenantry_domain::json;
use tenantry_domain::tenant::{Quotas, Settings};
use tenantry_ports::{StoreResult, TenantScope};

use crate::Platform;

pub use replace::{ReplaceError, Replacement, replace};

/// A tenant's settings, as far as they are set here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Wanted {
    /// Which account configs accounts may be provisioned from.
    pub allowed_configs: AllowedConfigs,
    /// What a second upload of a config id means.
    pub versioning_strategy: VersioningStrategy,
    /// What it may have other than as its plan says.
    pub quotas: Quotas,
}

impl From<&Settings> for Wanted {
    fn from(settings: &Settings) -> Self {
        Self {
            allowed_configs: settings.allowed_configs.clone(),
            versioning_strategy: settings.versioning_strategy,
            quotas: settings.quotas.clone(),
        }
    }
}

/// Settings as they are stored, and what tells them from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// What is set.
    pub settings: Wanted,
    /// The same for the same settings, another for others; visible ASCII.
    pub tag: String,
}

impl Current {
    fn of(platform: &Platform, settings: &Settings) -> StoreResult<Self> {
        let settings = Wanted::from(settings);
        let value = serde_json::to_value(&settings)
            .map_err(|error| tenantry_ports::StoreError::corrupt("settings", error))?;
        let mut tag = platform.digest.hex(json::canonical(&value).as_bytes());
        tag.truncate(32);
        Ok(Self { settings, tag })
    }
}

/// The settings of the tenant in this scope.
pub fn read(platform: &Platform, scope: &TenantScope) -> StoreResult<Current> {
    let settings = platform.stores.open(scope)?.read(|tx| tx.settings().get())?;
    Current::of(platform, &settings.unwrap_or_default())
}
