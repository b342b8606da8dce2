//! A tenant's organisation: the same operations on each of six kinds of units, and the whole of it.

mod document;
mod handlers;
mod hierarchy;
mod sheet;
mod transfer;
mod units;
mod view;

use tenantry_domain::organisation::OrgKind;

use crate::endpoint::Endpoint;
use crate::endpoint::Place::Prefix;
use crate::endpoint::Who::{Admin, Staff};
use crate::openapi::organisation::{Create, Doc, List, Read, Remove, Replace};
use crate::problem::Code;

pub(crate) use handlers::{LONGEST_TEXT, filters};
pub(crate) use units::{Unit, wire};
pub(crate) use view::UnitView;

use units::{
    CompanyCodeBody, PlantBody, PorgAssignmentBody, PurchasingGroupBody, PurchasingOrgBody,
    StorageLocationBody,
};

/// Every endpoint about an organisation.
pub(super) fn endpoints() -> Vec<Endpoint> {
    [
        of::<CompanyCodeBody>(),
        of::<PlantBody>(),
        of::<StorageLocationBody>(),
        of::<PurchasingOrgBody>(),
        of::<PurchasingGroupBody>(),
        of::<PorgAssignmentBody>(),
    ]
    .into_iter()
    .flatten()
    .chain([
        Endpoint::new::<hierarchy::__path_hierarchy, _, _>(hierarchy::hierarchy, Prefix, Staff, &[]),
        Endpoint::new::<transfer::__path_export, _, _>(
            transfer::export,
            Prefix,
            Staff,
            &[Code::InvalidParameter],
        ),
        Endpoint::new::<transfer::__path_import, _, _>(
            transfer::import,
            Prefix,
            Admin,
            &[
                Code::TenantNotReady,
                Code::TenantFailed,
                Code::InvalidParameter,
                Code::MalformedCsv,
                Code::InvalidOrganisation,
            ],
        ),
    ])
    .collect()
}

/// Those of one kind.
fn of<B: Unit>() -> [Endpoint; 5] {
    [
        Endpoint::new::<Doc<B, Create>, _, _>(handlers::create::<B>, Prefix, Admin, writing(B::KIND, CREATE)),
        Endpoint::new::<Doc<B, List>, _, _>(
            handlers::list::<B>,
            Prefix,
            Staff,
            &[Code::InvalidParameter, Code::InvalidCursor],
        ),
        Endpoint::new::<Doc<B, Read>, _, _>(handlers::read::<B>, Prefix, Staff, &[Code::OrgUnitNotFound]),
        Endpoint::new::<Doc<B, Replace>, _, _>(
            handlers::replace::<B>,
            Prefix,
            Admin,
            writing(B::KIND, REPLACE),
        ),
        Endpoint::new::<Doc<B, Remove>, _, _>(
            handlers::remove::<B>,
            Prefix,
            Admin,
            &[
                Code::TenantNotReady,
                Code::TenantFailed,
                Code::OrgUnitNotFound,
                Code::OrgUnitInUse,
                Code::PreconditionFailed,
            ],
        ),
    ]
}

/// What can go wrong where a unit is written: for those at the top, for those below, and for assignments.
type Writing = [&'static [Code]; 3];

const CREATE: Writing = [
    &[
        Code::TenantNotReady,
        Code::TenantFailed,
        Code::InvalidIdempotencyKey,
        Code::OrgCodeTaken,
        Code::IdempotencyKeyReused,
    ],
    &[
        Code::TenantNotReady,
        Code::TenantFailed,
        Code::InvalidIdempotencyKey,
        Code::OrgCodeTaken,
        Code::UnknownOrgUnit,
        Code::IdempotencyKeyReused,
    ],
    &[
        Code::TenantNotReady,
        Code::TenantFailed,
        Code::InvalidIdempotencyKey,
        Code::OrgAssignmentExists,
        Code::UnknownOrgUnit,
        Code::IdempotencyKeyReused,
    ],
];

const REPLACE: Writing = [
    &[
        Code::TenantNotReady,
        Code::TenantFailed,
        Code::OrgUnitNotFound,
        Code::OrgCodeTaken,
        Code::PreconditionFailed,
    ],
    &[
        Code::TenantNotReady,
        Code::TenantFailed,
        Code::OrgUnitNotFound,
        Code::OrgCodeTaken,
        Code::UnknownOrgUnit,
        Code::PreconditionFailed,
    ],
    &[
        Code::TenantNotReady,
        Code::TenantFailed,
        Code::OrgUnitNotFound,
        Code::OrgAssignmentExists,
        Code::UnknownOrgUnit,
        Code::PreconditionFailed,
    ],
];

const fn writing(kind: OrgKind, [top, below, assignment]: Writing) -> &'static [Code] {
    match kind {
        OrgKind::CompanyCode | OrgKind::PurchasingOrg => top,
        OrgKind::Plant | OrgKind::StorageLocation | OrgKind::PurchasingGroup => below,
        OrgKind::PorgAssignment => assignment,
    }
}

/// The schemas that the wire types generate.
#[cfg(test)]
pub(super) fn generated(all: &mut serde_json::Map<String, serde_json::Value>) {
    fn of<B: Unit>(all: &mut serde_json::Map<String, serde_json::Value>) {
        crate::openapi::generated::<B>(all);
        crate::openapi::generated::<super::respond::Page<UnitView<B>>>(all);
    }
    of::<CompanyCodeBody>(all);
    of::<PlantBody>(all);
    of::<StorageLocationBody>(all);
    of::<PurchasingOrgBody>(all);
    of::<PurchasingGroupBody>(all);
    of::<PorgAssignmentBody>(all);
    crate::openapi::generated::<hierarchy::HierarchyView<'_>>(all);
    crate::openapi::generated::<document::DocumentBody>(all);
    crate::openapi::generated::<transfer::ImportedView>(all);
}
