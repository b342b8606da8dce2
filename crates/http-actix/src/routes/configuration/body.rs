use schemars::JsonSchema;
use serde::Deserialize;
use tenantry_domain::Verbatim;
use tenantry_domain::basis::{BusinessVariant, Label, Process, Step};
use tenantry_usecases::basis::BasisWish;

use crate::body::{Body, TextCheck, present, text};
use crate::openapi::documented;

/// What is to be configured; at least one of both.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "UpsertConfig")]
pub(crate) struct UpsertBody {
    /// The tenant's basis; absent: it stays as it is.
    #[serde(default)]
    pub(super) tenant_config: Option<BasisBody>,
    /// A process; it takes the place of the one with its `processType` and `name`, if there is one.
    #[serde(default)]
    pub(super) process_config: Option<ProcessBody>,
}

impl Body for UpsertBody {
    const TEXTS: &'static [(&'static str, TextCheck)] =
        &[("/processConfig/name", text::<Label>), ("/processConfig/processType", text::<Label>)];
}

/// What the basis is to say; what is left out stays, and is empty at first.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "BasisWish")]
pub(crate) struct BasisBody {
    /// Whatever you say of your organisation: any JSON object, kept as it is sent, with the order of its members and
    /// every digit.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Verbatim")]
    org_structure: Option<Verbatim>,
    /// The variants of your business, at most 500, each with a code of its own.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Vec<BusinessVariant>")]
    business_variants: Option<Vec<BusinessVariant>>,
}

impl From<BasisBody> for BasisWish {
    fn from(body: BasisBody) -> Self {
        Self { org_structure: body.org_structure, business_variants: body.business_variants }
    }
}

/// What a process is to be.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ProcessWish")]
pub(crate) struct ProcessBody {
    /// What it is called; unique among the processes of its type.
    name: Label,
    /// What kind of process it is, in a word of yours.
    process_type: Label,
    /// Its steps, in order: 1 to 200, each with a name of its own, and the role that it takes, in a word of yours.
    steps: Vec<Step>,
}

impl Body for ProcessBody {
    const TEXTS: &'static [(&'static str, TextCheck)] =
        &[("/name", text::<Label>), ("/processType", text::<Label>)];
}

impl From<ProcessBody> for Process {
    fn from(body: ProcessBody) -> Self {
        Self { name: body.name, process_type: body.process_type, steps: body.steps }
    }
}

/// Which version is to count again.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RestoreConfig")]
pub(crate) struct RestoreBody {
    /// One of those that the history shows.
    #[schemars(range(min = 1))]
    pub(super) version: i64,
}

impl Body for RestoreBody {}

documented!(UpsertBody, BasisBody, ProcessBody, RestoreBody);
