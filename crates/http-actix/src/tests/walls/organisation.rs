//! Organisations, for the walls.

use serde_json::{Value, json};

use super::super::World;

/// Ids of what was never there: a body that names them is well-formed.
const COMPANY_CODE: &str = "cc_0195c0de00007000800000000000000a";
pub(super) const PLANT: &str = "plant_0195c0de00007000800000000000000a";
pub(super) const PURCHASING_ORG: &str = "porg_0195c0de00007000800000000000000a";

pub(super) fn company_code() -> Value {
    json!({ "code": "NEW", "name": "New" })
}

pub(super) fn plant() -> Value {
    json!({ "companyCodeId": COMPANY_CODE, "code": "NEW", "name": "New" })
}

pub(super) fn storage_location() -> Value {
    json!({ "plantId": PLANT, "code": "NEW", "name": "New" })
}

pub(super) fn purchasing_group() -> Value {
    json!({ "purchasingOrgId": PURCHASING_ORG, "code": "NEW", "name": "New" })
}

pub(super) fn porg_assignment() -> Value {
    json!({ "purchasingOrgId": PURCHASING_ORG, "plantId": PLANT })
}

/// Gives a tenant a unit of every kind that is called this, and answers their ids by what they are called in paths.
pub(super) async fn furnish(world: &World, slug: &str, name: &str) -> Vec<(&'static str, String)> {
    let operator = world.operator();
    let create = async |kind: &str, mut body: Value| {
        if kind != "porg-assignments" {
            (body["code"], body["name"], body["description"]) = (json!("OWN"), json!(name), json!(name));
        }
        let reply = world.post(&format!("/api/v1/{slug}/org/{kind}"), &operator, &body).await;
        assert_eq!(reply.status, 201, "{:?}", reply.bytes);
        reply.json()["id"].as_str().unwrap().to_owned()
    };
    let company_code = create("company-codes", json!({})).await;
    let plant = create("plants", json!({ "companyCodeId": company_code })).await;
    let location = create("storage-locations", json!({ "plantId": plant })).await;
    let org = create("purchasing-orgs", json!({})).await;
    let group = create("purchasing-groups", json!({ "purchasingOrgId": org })).await;
    let assignment = create("porg-assignments", json!({ "purchasingOrgId": org, "plantId": plant })).await;
    vec![
        ("companyCodeId", company_code),
        ("plantId", plant),
        ("storageLocationId", location),
        ("purchasingOrgId", org),
        ("purchasingGroupId", group),
        ("porgAssignmentId", assignment),
    ]
}
