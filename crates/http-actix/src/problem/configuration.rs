//! The same for what a tenant configures.

use tenantry_usecases::basis::ConfigError;

use super::{Code, Problem};

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Invalid(findings) => Self::invalid(findings),
            ConfigError::Stale { version: 0 } => {
                Self::new(Code::PreconditionFailed, "It is not configured yet, so it has no entity tag")
            }
            ConfigError::Stale { version } => Self::new(
                Code::PreconditionFailed,
                format!("It has changed: its version is {version} by now, and its entity tag \"{version}\""),
            ),
            ConfigError::NoSuchProcess => {
                Self::new(Code::ProcessNotFound, "The tenant has no process of this id")
            }
            ConfigError::NoSuchVersion(version) => Self::new(
                Code::UnknownVersion,
                format!(
                    "There is nothing to restore from version {version}; the history shows what there is"
                ),
            ),
            ConfigError::NameTaken { process_type, name } => Self::new(
                Code::ProcessNameTaken,
                format!("Another process of type '{process_type}' is called '{name}' already"),
            ),
            ConfigError::Store(error) => error.into(),
        }
    }
}
