use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind of unit. What others hang on comes before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrgKind {
    /// A company that keeps books of its own.
    CompanyCode,
    /// Where a company code makes or keeps things.
    Plant,
    /// A place for stock within a plant.
    StorageLocation,
    /// Who buys, and on which terms.
    PurchasingOrg,
    /// The buyers within a purchasing organisation.
    PurchasingGroup,
    /// That a purchasing organisation buys for a company code or a plant.
    PorgAssignment,
}

/// The text names no kind of unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no kind of unit; there are company_code, plant, storage_location, purchasing_org, purchasing_group and porg_assignment"
)]
pub struct InvalidOrgKind(pub String);

impl OrgKind {
    /// Every kind, in their order.
    pub const ALL: [Self; 6] = [
        Self::CompanyCode,
        Self::Plant,
        Self::StorageLocation,
        Self::PurchasingOrg,
        Self::PurchasingGroup,
        Self::PorgAssignment,
    ];

    /// The kind's name on the wire, as in `company_code`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CompanyCode => "company_code",
            Self::Plant => "plant",
            Self::StorageLocation => "storage_location",
            Self::PurchasingOrg => "purchasing_org",
            Self::PurchasingGroup => "purchasing_group",
            Self::PorgAssignment => "porg_assignment",
        }
    }

    /// The kind's name in sentences; an `s` at its end makes it several.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::CompanyCode => "company code",
            Self::Plant => "plant",
            Self::StorageLocation => "storage location",
            Self::PurchasingOrg => "purchasing org",
            Self::PurchasingGroup => "purchasing group",
            Self::PorgAssignment => "assignment",
        }
    }

    /// What its units belong to; nothing for those at the top.
    pub const fn parent(self) -> Option<Self> {
        match self {
            Self::CompanyCode | Self::PurchasingOrg => None,
            Self::Plant => Some(Self::CompanyCode),
            Self::StorageLocation => Some(Self::Plant),
            Self::PurchasingGroup | Self::PorgAssignment => Some(Self::PurchasingOrg),
        }
    }
}

impl fmt::Display for OrgKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OrgKind {
    type Err = InvalidOrgKind;

    fn from_str(text: &str) -> Result<Self, InvalidOrgKind> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| InvalidOrgKind(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_written_as_they_are_read() {
        for kind in OrgKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert!("Plant".parse::<OrgKind>().unwrap_err().to_string().contains("storage_location"));
    }

    #[test]
    fn what_others_hang_on_comes_before_them() {
        for kind in OrgKind::ALL {
            assert!(kind.parent().is_none_or(|parent| parent < kind), "{kind}");
        }
    }
}
