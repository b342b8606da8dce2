use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where an account stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// Ready, no trade yet.
    #[default]
    Provisioned,
    /// Traded at least once.
    Active,
    /// No trading until the next trading day, because of the daily loss limit.
    Paused,
    /// Every stage passed; straight-to-funded accounts after their first trade.
    Funded,
    /// No trading, by hand, until it is enabled again.
    Disabled,
    /// A loss rule was broken; for good.
    Breached,
    /// A stage's time ran out; for good.
    Expired,
    /// Closed by hand; for good.
    Closed,
}

/// The text names no account status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an account status")]
pub struct InvalidAccountStatus(pub String);

impl AccountStatus {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Provisioned,
        Self::Active,
        Self::Paused,
        Self::Funded,
        Self::Disabled,
        Self::Breached,
        Self::Expired,
        Self::Closed,
    ];

    /// The status's name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provisioned => "provisioned",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Funded => "funded",
            Self::Disabled => "disabled",
            Self::Breached => "breached",
            Self::Expired => "expired",
            Self::Closed => "closed",
        }
    }

    /// Whether an account may go from this status to the other.
    ///
    /// From `Paused` and `Disabled` an account goes back to where it was, which this alone does not know: every
    /// status it may have come from is a possible one.
    pub const fn can_become(self, other: Self) -> bool {
        use AccountStatus::{Active, Breached, Closed, Disabled, Expired, Funded, Paused, Provisioned};
        match self {
            Provisioned => matches!(other, Active | Disabled | Closed),
            Active => matches!(other, Funded | Breached | Expired | Paused | Disabled | Closed),
            Paused => matches!(other, Active | Funded | Breached | Disabled | Closed),
            Funded => matches!(other, Breached | Paused | Disabled | Closed),
            Disabled => matches!(other, Provisioned | Active | Paused | Funded | Closed),
            Breached | Expired | Closed => false,
        }
    }

    /// Whether nothing can happen to the account any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Breached | Self::Expired | Self::Closed)
    }
}

impl fmt::Display for AccountStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AccountStatus {
    type Err = InvalidAccountStatus;

    fn from_str(text: &str) -> Result<Self, InvalidAccountStatus> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| InvalidAccountStatus(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_statuses_is_decided() {
        // Rows and columns in the order of ALL: provisioned, active, paused, funded, disabled, breached, expired, closed.
        let matrix = [
            ".A..D..C", // provisioned
            "..PFDBEC", // active
            ".A.FDB.C", // paused
            "..P.DB.C", // funded
            "PAPF...C", // disabled
            "........", // breached
            "........", // expired
            "........", // closed
        ];
        for (from, row) in AccountStatus::ALL.into_iter().zip(matrix) {
            for (to, cell) in AccountStatus::ALL.into_iter().zip(row.chars()) {
                assert_eq!(from.can_become(to), cell != '.', "{from} -> {to}");
            }
            assert_eq!(from.is_final(), row == "........", "{from}");
        }
    }

    #[test]
    fn names_are_the_same_everywhere() {
        for status in AccountStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert!("ACTIVE".parse::<AccountStatus>().is_err());
    }
}
