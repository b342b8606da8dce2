//! An organisation over HTTP: source 003, section 4, after its sections 1 and 2, in its order and with its bodies.

use serde_json::{Value, json};
use tenantry_tests::{Client, Response, Tenantry, for_each_backend};

const ORG: &str = "/api/v1/acme/org";

/// Section 1: the tenant and its initial admin; section 2: the admin's sign-in.
fn admin(tenantry: &Tenantry) -> Client {
    let order = json!({
        "name": "Acme Corp",
        "subdomain": "acme",
        "config": { "region": "us" },
        "admin": {
            "email": "admin@acme.com",
            "username": "acmeadmin",
            "password": "ChangeMe123!",
            "firstName": "Acme",
            "lastName": "Admin"
        }
    });
    tenantry.client().post("/api/v1/tenants", &order).expect(201);
    let login = json!({ "email": "admin@acme.com", "password": "ChangeMe123!" });
    let signed_in = tenantry.client().post("/api/v1/acme/auth/login", &login).expect(200).json();
    tenantry.client().with_bearer(signed_in["accessToken"].as_str().unwrap())
}

/// Somebody whom the admin registers as this.
fn registered(tenantry: &Tenantry, admin: &mut Client, role: &str) -> Client {
    let body = json!({
        "email": format!("{role}@acme.com"), "password": "SecurePassword123!", "role": role
    });
    let answer = admin.post("/api/v1/acme/auth/register", &body).expect(201).json();
    tenantry.client().with_bearer(answer["accessToken"].as_str().unwrap())
}

fn create(client: &mut Client, kind: &str, body: Value) -> Response {
    client.post(&format!("{ORG}/{kind}"), &body)
}

fn id(response: Response) -> Value {
    response.expect(201).json()["id"].clone()
}

fn send(client: &mut Client, method: &str, path: &str, body: Option<Value>) -> Response {
    let request = client.request(method, &format!("{ORG}/{path}"));
    match body {
        Some(body) => request.json(&body).send(),
        None => request.send(),
    }
}

#[test]
fn the_source_003_section_4_is_served_to_the_letter() {
    for_each_backend(|backend| {
        let tenantry = Tenantry::start(backend);
        let mut admin = admin(&tenantry);
        let request = admin.request("POST", &format!("{ORG}/company-codes"));
        let request = request.header("Content-Type", "application/json");
        let created = request.body(r#"{"code":"CC1","name":"Company 1","description":"optional"}"#).send();
        let company = created.clone().expect(201).json();
        assert_eq!(created.header("ETag"), Some("\"1\""));
        let at = format!("{ORG}/company-codes/{}", company["id"].as_str().unwrap());
        assert_eq!(created.header("Location"), Some(at.as_str()));
        assert!(company["id"].as_str().unwrap().starts_with("cc_"), "{company}");
        for (member, value) in [("code", "CC1"), ("name", "Company 1"), ("description", "optional")] {
            assert_eq!(company[member], value);
        }
        let cc = company["id"].clone();
        let plant =
            id(create(&mut admin, "plants", json!({ "companyCodeId": cc, "code": "P1", "name": "Plant 1" })));
        let location = json!({ "plantId": plant, "code": "S001", "name": "Main WH" });
        let location = id(create(&mut admin, "storage-locations", location));
        let porg = json!({ "code": "PO1", "name": "Procurement Org 1" });
        let porg = id(create(&mut admin, "purchasing-orgs", porg));
        let group = json!({ "purchasingOrgId": porg, "code": "PG1", "name": "Group 1" });
        let group = id(create(&mut admin, "purchasing-groups", group));
        let of = |member: &str, to: &Value| json!({ "purchasingOrgId": porg, member: to });
        let to_company = id(create(&mut admin, "porg-assignments", of("companyCodeId", &cc)));
        let to_plant = id(create(&mut admin, "porg-assignments", of("plantId", &plant)));
        for (kind, prefix, ids) in [
            ("company-codes", "cc_", vec![&cc]),
            ("plants", "plant_", vec![&plant]),
            ("storage-locations", "sloc_", vec![&location]),
            ("purchasing-orgs", "porg_", vec![&porg]),
            ("purchasing-groups", "pgrp_", vec![&group]),
            ("porg-assignments", "pasg_", vec![&to_plant, &to_company]),
        ] {
            let page = admin.get(&format!("{ORG}/{kind}")).expect(200).json();
            let listed: Vec<_> = page["items"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
            assert_eq!(listed, ids, "{kind}");
            assert!(ids.iter().all(|id| id.as_str().unwrap().starts_with(prefix)), "{ids:?}");
            assert!(page["items"][0]["tenantId"].as_str().unwrap().starts_with("ten_"));
        }
        // The notes: exactly one end, and what is unique.
        let both = json!({ "purchasingOrgId": porg, "companyCodeId": cc, "plantId": plant });
        for body in [both, json!({ "purchasingOrgId": porg })] {
            let refused = create(&mut admin, "porg-assignments", body).expect(400).json();
            let pointers: Vec<_> =
                refused["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
            assert_eq!(pointers, ["/companyCodeId", "/plantId"]);
        }
        for (kind, body) in [
            ("company-codes", json!({ "code": "CC1", "name": "Again" })),
            ("plants", json!({ "companyCodeId": cc, "code": "P1", "name": "Again" })),
            ("storage-locations", json!({ "plantId": plant, "code": "S001", "name": "Again" })),
            ("purchasing-orgs", json!({ "code": "PO1", "name": "Again" })),
            ("purchasing-groups", json!({ "purchasingOrgId": porg, "code": "PG1", "name": "Again" })),
            ("porg-assignments", of("plantId", &plant)),
        ] {
            create(&mut admin, kind, body).expect(409);
        }
        let second = id(create(&mut admin, "purchasing-orgs", json!({ "code": "PO2", "name": "Second" })));
        create(
            &mut admin,
            "purchasing-groups",
            json!({
                "purchasingOrgId": second, "code": "PG1", "name": "Group 1 of another"
            }),
        )
        .expect(201);
        // Nothing goes on which something hangs.
        let refused = send(&mut admin, "DELETE", &format!("plants/{}", plant.as_str().unwrap()), None);
        let told = refused.expect(409).json();
        assert_eq!(
            told["dependents"][0],
            json!({ "kind": "storage_location", "count": 1, "codes": ["S001"] })
        );
        let tree = admin.get(&format!("{ORG}/hierarchy")).expect(200).json();
        assert_eq!(tree["companyCodes"][0]["plants"][0]["storageLocations"][0]["id"], location);
        assert_eq!(tree["purchasingOrgs"][0]["plants"][0]["assignmentId"], to_plant);
        for (kind, id) in
            [("porg-assignments", &to_plant), ("storage-locations", &location), ("plants", &plant)]
        {
            send(&mut admin, "DELETE", &format!("{kind}/{}", id.as_str().unwrap()), None).expect(204);
        }
    });
}

#[test]
fn admins_write_users_read_and_vendors_see_nothing() {
    for_each_backend(|backend| {
        let tenantry = Tenantry::start(backend);
        let mut admin = admin(&tenantry);
        let cc = id(create(&mut admin, "company-codes", json!({ "code": "CC1", "name": "Company 1" })));
        let one = format!("company-codes/{}", cc.as_str().unwrap());
        let mut user = registered(&tenantry, &mut admin, "USER");
        let mut vendor = registered(&tenantry, &mut admin, "VENDOR");
        let body = || Some(json!({ "code": "CC2", "name": "Company 2" }));
        for (method, path, body) in [
            ("GET", "company-codes", None),
            ("GET", &*one, None),
            ("GET", "hierarchy", None),
            ("GET", "export", None),
        ] {
            send(&mut user, method, path, body.clone()).expect(200);
            send(&mut vendor, method, path, body).expect(403);
        }
        for (method, path, body) in
            [("POST", "company-codes", body()), ("PUT", &*one, body()), ("DELETE", &*one, None)]
        {
            send(&mut user, method, path, body.clone()).expect(403);
            send(&mut vendor, method, path, body).expect(403);
        }
    });
}

/// The whole organisation of one tenant becomes that of another.
#[test]
fn an_organisation_is_carried_over_as_json_and_as_csv() {
    for_each_backend(|backend| {
        let tenantry = Tenantry::start(backend);
        let mut admin = admin(&tenantry);
        let cc =
            id(create(&mut admin, "company-codes", json!({ "code": "CC1", "name": "Company \"1\", Ltd." })));
        id(create(&mut admin, "plants", json!({ "companyCodeId": cc, "code": "P1", "name": "Plant 1" })));
        let porg = id(create(&mut admin, "purchasing-orgs", json!({ "code": "PO1", "name": "Org" })));
        id(create(
            &mut admin,
            "purchasing-groups",
            json!({
                "purchasingOrgId": porg, "code": "PG1", "name": "Group", "description": "one\ntwo"
            }),
        ));
        id(create(&mut admin, "porg-assignments", json!({ "purchasingOrgId": porg, "companyCodeId": cc })));
        let document = admin.get(&format!("{ORG}/export")).expect(200);
        let sheet = admin.get(&format!("{ORG}/export?format=csv")).expect(200);
        assert!(sheet.header("Content-Type").unwrap().starts_with("text/csv"));
        for (slug, exported, media_type) in
            [("json", &document, "application/json"), ("csv", &sheet, "text/csv; charset=utf-8")]
        {
            let order = json!({
                "name": slug,
                "subdomain": format!("to-{slug}"),
                "admin": { "email": "admin@acme.com", "password": "ChangeMe123!" }
            });
            tenantry.client().post("/api/v1/tenants", &order).expect(201);
            let base = format!("/api/v1/to-{slug}");
            let login = json!({ "email": "admin@acme.com", "password": "ChangeMe123!" });
            let token = tenantry.client().post(&format!("{base}/auth/login"), &login).expect(200).json();
            let mut there = tenantry.client().with_bearer(token["accessToken"].as_str().unwrap());
            let mut import = |query: &str| {
                let request = there.request("POST", &format!("{base}/org/import{query}"));
                let request = request.header("Content-Type", media_type).body(exported.body.clone());
                request.send().expect(200).json()
            };
            let planned = import("?dryRun=true");
            assert_eq!((&planned["dryRun"], &planned["total"]["created"]), (&json!(true), &json!(5)));
            let done = import("");
            assert_eq!((&done["dryRun"], &done["total"]["created"]), (&json!(false), &json!(5)));
            assert_eq!(import("")["total"], json!({ "created": 0, "updated": 0, "unchanged": 5 }));
            let again = there.get(&format!("{base}/org/export")).expect(200);
            assert_eq!(again.json(), document.json());
        }
    });
}
