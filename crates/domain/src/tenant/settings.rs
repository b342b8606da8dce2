use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{AllowedConfigs, VersioningStrategy};

/// What a tenant may set for itself, kept in its own database.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Which account configs accounts may be provisioned from; all by default.
    #[serde(default)]
    pub allowed_configs: AllowedConfigs,
    /// What a second upload of a config id means.
    #[serde(default)]
    pub versioning_strategy: VersioningStrategy,
    /// Upper limits.
    #[serde(default)]
    pub quotas: Quotas,
}

/// Upper limits of a tenant; an absent one is unlimited.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quotas {
    /// How many accounts may exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_accounts: Option<u64>,
}
