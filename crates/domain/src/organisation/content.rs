use serde::{Deserialize, Serialize};

use super::{OrgId, OrgKind, UnitCode, UnitDescription, UnitName};
use crate::id::{CompanyCodeId, PlantId, PurchasingOrgId};

/// What a unit is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Unique within the tenant among units of the kind; a purchasing group's within its purchasing organisation.
    pub code: UnitCode,
    /// For people.
    pub name: UnitName,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<UnitDescription>,
}

/// Whom a purchasing organisation buys for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the members that name them")]
pub enum Assignee {
    #[serde(rename = "companyCodeId")]
    CompanyCode(CompanyCodeId),
    #[serde(rename = "plantId")]
    Plant(PlantId),
}

impl Assignee {
    /// The id of whichever it is.
    pub fn id(self) -> OrgId {
        match self {
            Self::CompanyCode(id) => id.into(),
            Self::Plant(id) => id.into(),
        }
    }
}

/// What is set about a unit: everything that a change replaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[allow(missing_docs, reason = "the members are what their types name")]
pub enum OrgContent {
    /// Of a company code.
    CompanyCode(Label),
    /// Of a plant.
    Plant {
        company_code_id: CompanyCodeId,
        #[serde(flatten)]
        label: Label,
    },
    /// Of a storage location.
    StorageLocation {
        plant_id: PlantId,
        #[serde(flatten)]
        label: Label,
    },
    /// Of a purchasing organisation.
    PurchasingOrg(Label),
    /// Of a purchasing group.
    PurchasingGroup {
        purchasing_org_id: PurchasingOrgId,
        #[serde(flatten)]
        label: Label,
    },
    /// Of an assignment.
    PorgAssignment {
        purchasing_org_id: PurchasingOrgId,
        #[serde(flatten)]
        to: Assignee,
    },
}

/// What no two units of an organisation have in common: the code among units of the kind, within the purchasing organisation
/// for a purchasing group; both ends for an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrgPlace {
    kind: OrgKind,
    within: Option<OrgId>,
    target: Option<OrgId>,
    code: Option<UnitCode>,
}

impl OrgContent {
    /// Where it puts a unit.
    pub fn place(&self) -> OrgPlace {
        let kind = self.kind();
        let has_own_codes = matches!(kind, OrgKind::PurchasingGroup | OrgKind::PorgAssignment);
        OrgPlace {
            kind,
            within: self.parent().filter(|_| has_own_codes),
            target: self.target(),
            code: self.label().map(|label| label.code.clone()),
        }
    }

    /// What the parts make of a unit of this kind: what it belongs to, whom it is assigned to, what it is called. None if
    /// a unit of the kind has others.
    pub fn of(
        kind: OrgKind,
        parent: Option<OrgId>,
        target: Option<OrgId>,
        label: Option<Label>,
    ) -> Option<Self> {
        Some(match (kind, parent, target, label) {
            (OrgKind::CompanyCode, None, None, Some(label)) => Self::CompanyCode(label),
            (OrgKind::Plant, Some(parent), None, Some(label)) => {
                Self::Plant { company_code_id: parent.typed()?, label }
            }
            (OrgKind::StorageLocation, Some(parent), None, Some(label)) => {
                Self::StorageLocation { plant_id: parent.typed()?, label }
            }
            (OrgKind::PurchasingOrg, None, None, Some(label)) => Self::PurchasingOrg(label),
            (OrgKind::PurchasingGroup, Some(parent), None, Some(label)) => {
                Self::PurchasingGroup { purchasing_org_id: parent.typed()?, label }
            }
            (OrgKind::PorgAssignment, Some(parent), Some(target), None) => {
                let company_code = target.typed().map(Assignee::CompanyCode);
                let to = company_code.or_else(|| target.typed().map(Assignee::Plant))?;
                Self::PorgAssignment { purchasing_org_id: parent.typed()?, to }
            }
            _ => return None,
        })
    }

    /// Of which kind of unit.
    pub const fn kind(&self) -> OrgKind {
        match self {
            Self::CompanyCode(_) => OrgKind::CompanyCode,
            Self::Plant { .. } => OrgKind::Plant,
            Self::StorageLocation { .. } => OrgKind::StorageLocation,
            Self::PurchasingOrg(_) => OrgKind::PurchasingOrg,
            Self::PurchasingGroup { .. } => OrgKind::PurchasingGroup,
            Self::PorgAssignment { .. } => OrgKind::PorgAssignment,
        }
    }

    /// What the unit belongs to; nothing for those at the top.
    pub fn parent(&self) -> Option<OrgId> {
        match self {
            Self::CompanyCode(_) | Self::PurchasingOrg(_) => None,
            Self::Plant { company_code_id, .. } => Some((*company_code_id).into()),
            Self::StorageLocation { plant_id, .. } => Some((*plant_id).into()),
            Self::PurchasingGroup { purchasing_org_id, .. }
            | Self::PorgAssignment { purchasing_org_id, .. } => Some((*purchasing_org_id).into()),
        }
    }

    /// Whom an assignment is to.
    pub fn target(&self) -> Option<OrgId> {
        match self {
            Self::PorgAssignment { to, .. } => Some(to.id()),
            _ => None,
        }
    }

    /// What the unit is called; an assignment is not called anything.
    pub const fn label(&self) -> Option<&Label> {
        match self {
            Self::CompanyCode(label)
            | Self::Plant { label, .. }
            | Self::StorageLocation { label, .. }
            | Self::PurchasingOrg(label)
            | Self::PurchasingGroup { label, .. } => Some(label),
            Self::PorgAssignment { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const CC: &str = "cc_0195c0de00007000800000000000000a";
    const PLANT: &str = "plant_0195c0de00007000800000000000000b";
    const PORG: &str = "porg_0195c0de00007000800000000000000c";

    fn every_form() -> Vec<(OrgKind, Value)> {
        let label = |mut members: Value| {
            members["code"] = json!("X1");
            members["name"] = json!("Name");
            members
        };
        let mut described = label(json!({ "kind": "company_code" }));
        described["description"] = json!("optional");
        vec![
            (OrgKind::CompanyCode, described),
            (OrgKind::Plant, label(json!({ "kind": "plant", "companyCodeId": CC }))),
            (OrgKind::StorageLocation, label(json!({ "kind": "storage_location", "plantId": PLANT }))),
            (OrgKind::PurchasingOrg, label(json!({ "kind": "purchasing_org" }))),
            (OrgKind::PurchasingGroup, label(json!({ "kind": "purchasing_group", "purchasingOrgId": PORG }))),
            (
                OrgKind::PorgAssignment,
                json!({ "kind": "porg_assignment", "purchasingOrgId": PORG, "companyCodeId": CC }),
            ),
            (
                OrgKind::PorgAssignment,
                json!({ "kind": "porg_assignment", "purchasingOrgId": PORG, "plantId": PLANT }),
            ),
        ]
    }

    #[test]
    fn every_kind_is_written_with_its_members_and_read_back() {
        for (kind, written) in every_form() {
            let content: OrgContent = serde_json::from_value(written.clone()).unwrap();
            assert_eq!(content.kind(), kind);
            assert_eq!(content.parent().map(OrgId::kind), kind.parent(), "{kind}");
            assert_eq!(serde_json::to_value(&content).unwrap(), written);
        }
    }

    #[test]
    fn the_parts_make_the_same_again_and_nothing_else() {
        for (kind, written) in every_form() {
            let content: OrgContent = serde_json::from_value(written).unwrap();
            let (parent, target, label) = (content.parent(), content.target(), content.label().cloned());
            for other in OrgKind::ALL {
                let made = OrgContent::of(other, parent, target, label.clone());
                let fits = other == kind || (other.parent() == kind.parent() && kind.parent().is_none());
                assert_eq!(made.is_some(), fits, "{kind} as {other}");
                assert!(other != kind || made.as_ref() == Some(&content));
            }
        }
    }
}
