use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a tenant pays for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum Plan {
    /// The smallest plan, and the one assumed where a door does not ask for a plan.
    #[default]
    Basic,
    /// More of everything.
    Premium,
    /// By contract.
    Enterprise,
}

/// The text names no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Plan '{0}' is not allowed. Allowed plans: Basic, Premium, Enterprise")]
pub struct InvalidPlan(pub String);

impl Plan {
    /// Every plan.
    pub const ALL: [Self; 3] = [Self::Basic, Self::Premium, Self::Enterprise];

    /// The plan's name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
            Self::Premium => "Premium",
            Self::Enterprise => "Enterprise",
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Plan {
    type Err = InvalidPlan;

    fn from_str(text: &str) -> Result<Self, InvalidPlan> {
        Self::ALL.into_iter().find(|plan| plan.as_str() == text).ok_or_else(|| InvalidPlan(text.to_owned()))
    }
}
