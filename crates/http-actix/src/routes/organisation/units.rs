//! What is sent and answered of each kind of unit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tenantry_domain::id::{CompanyCodeId, PlantId, PurchasingOrgId};
use tenantry_domain::organisation::{
    Assignee, Label, OrgContent, OrgKind, UnitCode, UnitDescription, UnitName,
};
use tenantry_domain::{Finding, Pointer};

use crate::body::{Body, TextCheck, text};
use crate::problem::Problem;

/// What is set about a unit of one kind, as requests and answers have it.
pub(crate) trait Unit: Body + Serialize + 'static {
    /// Which kind.
    const KIND: OrgKind;

    /// What is set, for the domain.
    fn content(self) -> Result<OrgContent, Problem>;

    /// The same for the wire; none if it is another kind's.
    fn of(content: OrgContent) -> Option<Self>;

    /// A request, for the documentation.
    fn example() -> Value;
}

/// What a kind is called in URLs and documents.
pub(crate) struct Wire {
    /// In paths, as in `company-codes`.
    pub(crate) segment: &'static str,
    /// The member or parameter that holds an id of it, as in `companyCodeId`.
    pub(crate) id: &'static str,
    /// In the names of schemas and operations, as in `CompanyCode`.
    pub(crate) name: &'static str,
    /// The article before its noun.
    pub(crate) article: &'static str,
    /// An id, for the documentation.
    pub(crate) example: &'static str,
}

/// What this kind is called.
pub(crate) const fn wire(kind: OrgKind) -> Wire {
    let (segment, id, name, article, example) = match kind {
        OrgKind::CompanyCode => {
            ("company-codes", "companyCodeId", "CompanyCode", "a", "cc_0195c0de00007000800000000000000a")
        }
        OrgKind::Plant => ("plants", "plantId", "Plant", "a", "plant_0195c0de00007000800000000000000b"),
        OrgKind::StorageLocation => (
            "storage-locations",
            "storageLocationId",
            "StorageLocation",
            "a",
            "sloc_0195c0de00007000800000000000000c",
        ),
        OrgKind::PurchasingOrg => (
            "purchasing-orgs",
            "purchasingOrgId",
            "PurchasingOrg",
            "a",
            "porg_0195c0de00007000800000000000000d",
        ),
        OrgKind::PurchasingGroup => (
            "purchasing-groups",
            "purchasingGroupId",
            "PurchasingGroup",
            "a",
            "pgrp_0195c0de00007000800000000000000e",
        ),
        OrgKind::PorgAssignment => (
            "porg-assignments",
            "porgAssignmentId",
            "PorgAssignment",
            "an",
            "pasg_0195c0de00007000800000000000000f",
        ),
    };
    Wire { segment, id, name, article, example }
}

/// The body of a kind that is called something, with the member that says what it belongs to, if it belongs to anything.
macro_rules! labelled {
    ($(
        $(#[$doc:meta])*
        $body:ident = $kind:ident, $schema:literal, $code:literal, $name:literal
            $(, $(#[$about:meta])* $parent:ident: $id:ty = $parent_kind:ident)?;
    )*) => {$(
        $(#[$doc])*
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        #[schemars(rename = $schema)]
        pub(crate) struct $body {
            $($(#[$about])* $parent: $id,)?
            /// Unique among those of the kind (of a purchasing group: within its purchasing organisation), compared
            /// exactly: `P1` and `p1` are two.
            code: UnitCode,
            /// For people.
            name: UnitName,
            /// What else there is to say.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            description: Option<UnitDescription>,
        }

        impl Body for $body {
            const TEXTS: &'static [(&'static str, TextCheck)] = LABEL;
        }

        impl Unit for $body {
            const KIND: OrgKind = OrgKind::$kind;

            fn content(self) -> Result<OrgContent, Problem> {
                let label = Label { code: self.code, name: self.name, description: self.description };
                Ok(variant!($kind, label $(, $parent: self.$parent)?))
            }

            fn of(content: OrgContent) -> Option<Self> {
                match content {
                    variant!($kind, label $(, $parent: $parent)?) => {
                        let Label { code, name, description } = label;
                        Some(Self { $($parent,)? code, name, description })
                    }
                    _ => None,
                }
            }

            fn example() -> Value {
                #[allow(unused_mut, reason = "what belongs to nothing has no more members")]
                let mut example = json!({ "code": $code, "name": $name });
                $({
                    let parent = wire(OrgKind::$parent_kind);
                    example[parent.id] = json!(parent.example);
                })?
                example
            }
        }
    )*};
}

/// The domain's variant of a kind, as an expression or a pattern.
macro_rules! variant {
    ($kind:ident, $label:ident) => {
        OrgContent::$kind($label)
    };
    ($kind:ident, $label:ident, $parent:ident: $($value:tt)+) => {
        OrgContent::$kind { $parent: $($value)+, label: $label }
    };
}

const LABEL: &[(&str, TextCheck)] =
    &[("/code", text::<UnitCode>), ("/name", text::<UnitName>), ("/description", text::<UnitDescription>)];

labelled! {
    /// What is set about a company code.
    CompanyCodeBody = CompanyCode, "CompanyCodeContent", "CC1", "Company 1";
    /// What is set about a plant.
    PlantBody = Plant, "PlantContent", "P1", "Plant 1",
        /// The company code that it belongs to.
        company_code_id: CompanyCodeId = CompanyCode;
    /// What is set about a storage location.
    StorageLocationBody = StorageLocation, "StorageLocationContent", "S001", "Main WH",
        /// The plant that it belongs to.
        plant_id: PlantId = Plant;
    /// What is set about a purchasing organisation.
    PurchasingOrgBody = PurchasingOrg, "PurchasingOrgContent", "PO1", "Procurement Org 1";
    /// What is set about a purchasing group.
    PurchasingGroupBody = PurchasingGroup, "PurchasingGroupContent", "PG1", "Group 1",
        /// The purchasing organisation that it belongs to.
        purchasing_org_id: PurchasingOrgId = PurchasingOrg;
}

/// Whom a purchasing organisation buys for: exactly one of `companyCodeId` and `plantId`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "PorgAssignmentContent")]
pub(crate) struct PorgAssignmentBody {
    /// Who buys.
    purchasing_org_id: PurchasingOrgId,
    /// For this company code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    company_code_id: Option<CompanyCodeId>,
    /// For this plant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plant_id: Option<PlantId>,
}

impl Body for PorgAssignmentBody {}

impl Unit for PorgAssignmentBody {
    const KIND: OrgKind = OrgKind::PorgAssignment;

    fn content(self) -> Result<OrgContent, Problem> {
        let to = match (self.company_code_id, self.plant_id) {
            (Some(id), None) => Assignee::CompanyCode(id),
            (None, Some(id)) => Assignee::Plant(id),
            (None, None) | (Some(_), Some(_)) => {
                let finding = |member| {
                    let message = "Exactly one of companyCodeId and plantId has to be given";
                    Finding::new(Pointer::root().member(member), "exactly_one", message)
                };
                return Err(Problem::invalid(["companyCodeId", "plantId"].map(finding).into()));
            }
        };
        Ok(OrgContent::PorgAssignment { purchasing_org_id: self.purchasing_org_id, to })
    }

    fn of(content: OrgContent) -> Option<Self> {
        let OrgContent::PorgAssignment { purchasing_org_id, to } = content else { return None };
        let (company_code_id, plant_id) = match to {
            Assignee::CompanyCode(id) => (Some(id), None),
            Assignee::Plant(id) => (None, Some(id)),
        };
        Some(Self { purchasing_org_id, company_code_id, plant_id })
    }

    fn example() -> Value {
        let [org, plant] = [OrgKind::PurchasingOrg, OrgKind::Plant].map(wire);
        let (porg, to) = (org.example, plant.example);
        json!({ "purchasingOrgId": porg, "plantId": to })
    }
}
