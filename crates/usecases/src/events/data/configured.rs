//! What is in `data` of what happens to a tenant's basis, its processes and its organisation.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use tenantry_domain::Verbatim;
use tenantry_domain::basis::Subject;
use tenantry_domain::organisation::{OrgContent, OrgId, OrgKind};

/// `config.basis.…`, `config.process.…`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConfigChanged<'a> {
    /// The id of the basis or of the process.
    #[schemars(with = "String")]
    pub(crate) config_id: Subject,
    /// Rises with every change of it.
    pub(crate) version: i64,
    /// Who changed it.
    pub(crate) changed_by: &'a str,
    /// What it said; null if it is new.
    pub(crate) before: Option<&'a Verbatim>,
    /// What it says; null if it was removed.
    pub(crate) after: Option<&'a Verbatim>,
    /// The version that it was taken back to, if that is what happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) restored_from: Option<i64>,
}

/// `org.created`, `org.updated`, `org.deleted`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct UnitChanged<'a> {
    pub(crate) kind: OrgKind,
    /// The unit's id.
    #[schemars(with = "String")]
    pub(crate) id: OrgId,
    /// Rises with every change of the unit.
    pub(crate) version: i64,
    /// What was set about it; null if it is new.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub(crate) before: Option<&'a OrgContent>,
    /// What is set about it; null if it was deleted.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub(crate) after: Option<&'a OrgContent>,
    /// Who did it.
    pub(crate) by: &'a str,
}

/// `org.imported`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct OrganisationImported<'a> {
    /// By kind, how many units of the document there are.
    pub(crate) units: BTreeMap<String, UnitsImported>,
    /// Who imported it.
    pub(crate) by: &'a str,
}

/// What became of the units of a kind in a document.
#[derive(Serialize, JsonSchema)]
pub(crate) struct UnitsImported {
    /// How many are new.
    pub(crate) created: usize,
    /// How many are others than before.
    pub(crate) updated: usize,
    /// How many were like that before.
    pub(crate) unchanged: usize,
}
