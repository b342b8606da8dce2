use actix_web::http::{StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::organisation::{Label, OrgId, OrgKind, OrgTree, OrgUnit, UnitDescription};
use tenantry_ports::StoreError;
use tenantry_usecases::access::Need;
use tenantry_usecases::organisation;

use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::problem::{Internal, Problem};
use crate::routes::respond;

/// A whole organisation. What is beside each other is in order of code.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "OrgHierarchy")]
pub(crate) struct HierarchyView<'a> {
    /// The company codes, with what belongs to them.
    company_codes: Vec<CompanyCodeNode<'a>>,
    /// The purchasing organisations, with what belongs to them.
    purchasing_orgs: Vec<PurchasingOrgNode<'a>>,
}

/// Which unit it is.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OrgNode")]
struct Node<'a> {
    /// Its id.
    #[schemars(with = "String")]
    id: OrgId,
    /// Its code.
    code: &'a str,
    /// What it is called.
    name: &'a str,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

/// A company code and what belongs to it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CompanyCodeNode")]
struct CompanyCodeNode<'a> {
    #[serde(flatten)]
    node: Node<'a>,
    /// Its plants.
    plants: Vec<PlantNode<'a>>,
    /// Who buys for it.
    purchasing_orgs: Vec<End<'a>>,
}

/// A plant and what belongs to it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PlantNode")]
struct PlantNode<'a> {
    #[serde(flatten)]
    node: Node<'a>,
    /// Its storage locations.
    storage_locations: Vec<Node<'a>>,
    /// Who buys for it.
    purchasing_orgs: Vec<End<'a>>,
}

/// A purchasing organisation and what belongs to it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PurchasingOrgNode")]
struct PurchasingOrgNode<'a> {
    #[serde(flatten)]
    node: Node<'a>,
    /// Its purchasing groups.
    purchasing_groups: Vec<Node<'a>>,
    /// The company codes that it buys for.
    company_codes: Vec<End<'a>>,
    /// The plants that it buys for.
    plants: Vec<End<'a>>,
}

/// The other end of an assignment.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "OrgAssignmentEnd")]
struct End<'a> {
    /// The assignment.
    #[schemars(with = "String")]
    assignment_id: OrgId,
    /// The unit at the other end.
    #[schemars(with = "String")]
    id: OrgId,
    /// Its code.
    code: &'a str,
}

/// Show the whole organisation
///
/// The company codes with their plants and storage locations, the purchasing organisations with their groups, and the assignments
/// at both ends, in order of code. The `ETag` changes with whatever of it changes.
#[utoipa::path(
    get,
    path = "/{tenantId}/org/hierarchy",
    operation_id = "getOrgHierarchy",
    tag = "organisation",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the organisation as it is known", max_length = 512),
    ),
    responses(
        (status = 200, description = "The organisation", body = HierarchyView, headers(("ETag" = String)), example = json!({
            "companyCodes": [{
                "id": "cc_0195c0de00007000800000000000000a",
                "code": "CC1",
                "name": "Company 1",
                "plants": [{
                    "id": "plant_0195c0de00007000800000000000000b",
                    "code": "P1",
                    "name": "Plant 1",
                    "storageLocations": [
                        { "id": "sloc_0195c0de00007000800000000000000c", "code": "S001", "name": "Main WH" }
                    ],
                    "purchasingOrgs": [{
                        "assignmentId": "pasg_0195c0de00007000800000000000000f",
                        "id": "porg_0195c0de00007000800000000000000d",
                        "code": "PO1"
                    }]
                }],
                "purchasingOrgs": []
            }],
            "purchasingOrgs": [{
                "id": "porg_0195c0de00007000800000000000000d",
                "code": "PO1",
                "name": "Procurement Org 1",
                "purchasingGroups": [
                    { "id": "pgrp_0195c0de00007000800000000000000e", "code": "PG1", "name": "Group 1" }
                ],
                "companyCodes": [],
                "plants": [{
                    "assignmentId": "pasg_0195c0de00007000800000000000000f",
                    "id": "plant_0195c0de00007000800000000000000b",
                    "code": "P1"
                }]
            }]
        })),
        (status = 304, description = "It is what `If-None-Match` says"),
    )
)]
pub(crate) async fn hierarchy(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Staff).await?;
    // Writing out ten thousand units is no work for the thread that everybody's requests come in on.
    let written = call.on_storage::<_, StoreError>(move |platform| {
        let tree = organisation::whole(platform, &scope)?;
        let bytes = serde_json::to_vec(&HierarchyView::of(&tree));
        Ok(bytes.map(|bytes| (platform.digest.hex(&bytes), bytes)))
    });
    let (mut tag, bytes) = written.await?.map_err(|error| Problem::from(Internal).because(error))?;
    tag.truncate(32);
    let etag = respond::etag(tag);
    let current = respond::is_current(call.headers(), &etag);
    let mut response = respond::private(if current { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    response.insert_header((header::ETAG, etag));
    Ok(if current { response.finish() } else { respond::json_bytes(response, bytes) })
}

impl<'a> HierarchyView<'a> {
    fn of(tree: &'a OrgTree) -> Self {
        let company_codes = tree.of_kind(OrgKind::CompanyCode).filter_map(|unit| {
            let plants = tree.below(unit.id, OrgKind::Plant).filter_map(|plant| {
                let locations = tree.below(plant.id, OrgKind::StorageLocation);
                Some(PlantNode {
                    node: Node::of(plant)?,
                    storage_locations: locations.filter_map(Node::of).collect(),
                    purchasing_orgs: buyers(tree, plant.id),
                })
            });
            Some(CompanyCodeNode {
                node: Node::of(unit)?,
                plants: plants.collect(),
                purchasing_orgs: buyers(tree, unit.id),
            })
        });
        let purchasing_orgs = tree.of_kind(OrgKind::PurchasingOrg).filter_map(|unit| {
            let groups = tree.below(unit.id, OrgKind::PurchasingGroup);
            Some(PurchasingOrgNode {
                node: Node::of(unit)?,
                purchasing_groups: groups.filter_map(Node::of).collect(),
                company_codes: buys_for(tree, unit.id, OrgKind::CompanyCode),
                plants: buys_for(tree, unit.id, OrgKind::Plant),
            })
        });
        Self { company_codes: company_codes.collect(), purchasing_orgs: purchasing_orgs.collect() }
    }
}

impl<'a> Node<'a> {
    /// None for an assignment, which is called nothing.
    fn of(unit: &'a OrgUnit) -> Option<Self> {
        let Label { code, name, description } = unit.content.label()?;
        let description = description.as_ref().map(UnitDescription::as_str);
        Some(Self { id: unit.id, code: code.as_str(), name: name.as_str(), description })
    }
}

/// The purchasing organisations that buy for this unit.
fn buyers(tree: &OrgTree, id: OrgId) -> Vec<End<'_>> {
    ends(
        tree,
        tree.assigned_to(id).filter_map(|assignment| Some((assignment.id, assignment.content.parent()?))),
    )
}

/// The units of this kind that this purchasing organisation buys for.
fn buys_for(tree: &OrgTree, id: OrgId, kind: OrgKind) -> Vec<End<'_>> {
    let assignments = tree.below(id, OrgKind::PorgAssignment);
    let ends_of = assignments.filter_map(|assignment| Some((assignment.id, assignment.content.target()?)));
    ends(tree, ends_of.filter(|(_, target)| target.kind() == kind))
}

fn ends<'a>(tree: &'a OrgTree, assignments: impl Iterator<Item = (OrgId, OrgId)>) -> Vec<End<'a>> {
    let end = |(assignment_id, id)| {
        let code = tree.get(id)?.content.label()?.code.as_str();
        Some(End { assignment_id, id, code })
    };
    let mut ends: Vec<_> = assignments.filter_map(end).collect();
    ends.sort_unstable_by_key(|end| end.code);
    ends
}

documented!(HierarchyView<'static>);
