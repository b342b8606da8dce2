//! A whole organisation as one table of units that name each other by code: as JSON here, as CSV in [`sheet`](super::sheet).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_domain::Pointer;
use tenantry_domain::organisation::{OrgId, OrgKind, OrgTree, OrgUnit, UnitDraft};

use crate::body::Body;

/// An organisation that can be carried over: its units name each other by code.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OrgDocument")]
pub(crate) struct DocumentBody {
    /// At most 10,000, in any order.
    pub(super) units: Vec<DocumentUnit>,
}

impl Body for DocumentBody {}

/// A unit of any kind. What it has depends on its kind, as the operations that create one say.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "OrgDocumentUnit")]
pub(crate) struct DocumentUnit {
    pub(super) kind: OrgKind,
    /// Of all but assignments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    /// Of all but assignments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    /// The code of the company code that a plant belongs to, or that an assignment is to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) company_code: Option<String>,
    /// The code of the plant that a storage location belongs to, or that an assignment is to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) plant: Option<String>,
    /// The code of the purchasing organisation that a purchasing group belongs to, or that is assigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) purchasing_org: Option<String>,
}

impl DocumentBody {
    /// The whole organisation, in order of kind and code.
    pub(super) fn of(tree: &OrgTree) -> Self {
        Self { units: tree.units().iter().map(|unit| DocumentUnit::of(unit, tree)).collect() }
    }

    pub(super) fn drafts(self) -> Vec<UnitDraft> {
        let units = Pointer::root().member("units");
        self.units.into_iter().enumerate().map(|(index, unit)| unit.draft(units.index(index))).collect()
    }
}

impl DocumentUnit {
    fn of(unit: &OrgUnit, tree: &OrgTree) -> Self {
        let label = unit.content.label();
        let ends = [unit.content.parent(), unit.content.target()];
        let code_of = |id: OrgId| Some(tree.get(id)?.content.label()?.code.to_string());
        let named = |kind| ends.into_iter().flatten().find(|end| end.kind() == kind).and_then(code_of);
        Self {
            kind: unit.kind(),
            code: label.map(|label| label.code.to_string()),
            name: label.map(|label| label.name.to_string()),
            description: label.and_then(|label| Some(label.description.as_ref()?.to_string())),
            company_code: named(OrgKind::CompanyCode),
            plant: named(OrgKind::Plant),
            purchasing_org: named(OrgKind::PurchasingOrg),
        }
    }

    pub(super) fn draft(self, at: Pointer) -> UnitDraft {
        let Self { kind, code, name, description, company_code, plant, purchasing_org } = self;
        UnitDraft { at, kind, code, name, description, company_code, plant, purchasing_org }
    }
}
