use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Quotas;
use crate::config::{AllowedConfigs, VersioningStrategy};
use crate::people::{RoleTemplate, role_config};

/// What a tenant may set for itself, kept in its own database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Which account configs accounts may be provisioned from; all by default.
    #[serde(default)]
    pub allowed_configs: AllowedConfigs,
    /// What a second upload of a config id means.
    #[serde(default)]
    pub versioning_strategy: VersioningStrategy,
    /// Upper limits that are others than the plan's.
    #[serde(default)]
    pub quotas: Quotas,
    /// What the roles of its people are; a new tenant begins with the templates of [`role_config`].
    #[serde(default = "role_templates")]
    pub roles: Vec<RoleTemplate>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allowed_configs: AllowedConfigs::default(),
            versioning_strategy: VersioningStrategy::default(),
            quotas: Quotas::default(),
            roles: role_templates(),
        }
    }
}

fn role_templates() -> Vec<RoleTemplate> {
    role_config().roles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::Role;

    #[test]
    fn the_defaults_allow_everything_and_bring_every_role() {
        let settings = Settings::default();
        assert_eq!(settings.allowed_configs, AllowedConfigs::All);
        assert_eq!(settings.versioning_strategy, VersioningStrategy::Explicit);
        assert_eq!(settings.quotas, Quotas::default());
        let roles: Vec<Role> = settings.roles.iter().map(|template| template.role).collect();
        assert_eq!(roles, [Role::Admin, Role::User, Role::Vendor]);
        assert_eq!(serde_json::from_str::<Settings>("{}").unwrap(), settings);
    }
}
