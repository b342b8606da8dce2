//! Organisations, as admins keep them.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::{Reply, World, authorised, get, pairs, post};

/// acme, an admin of it and a user.
struct Stage {
    world: World,
    admin: String,
    user: String,
}

impl Stage {
    async fn new() -> Self {
        let world = World::new();
        world.tenant_with_admin("acme");
        let admin = world.admin("acme").await;
        let body = json!({ "email": "user@acme.com", "password": "SecurePassword123!", "role": "USER" });
        let user = world.post("/api/v1/acme/auth/register", &admin, &body).await.json();
        let user = user["accessToken"].as_str().unwrap().to_owned();
        Self { world, admin, user }
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        self.world.post(&at(path), &self.admin, body).await
    }

    /// Creates one, and says which.
    async fn create(&self, path: &str, body: Value) -> Value {
        let reply = self.post(path, &body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{:?}", reply.bytes);
        reply.json()["id"].clone()
    }

    /// As a user sees it.
    async fn get(&self, path: &str) -> Reply {
        self.world.get(&at(path), &self.user).await
    }

    async fn put(&self, path: &str, tag: Option<&str>, body: &Value) -> Reply {
        let request = authorised(TestRequest::put().uri(&at(path)), &self.admin).set_json(body);
        let request = match tag {
            Some(tag) => request.insert_header(("If-Match", tag)),
            None => request,
        };
        self.world.send(request).await
    }

    async fn delete(&self, path: &str, tag: &str) -> Reply {
        let request = authorised(TestRequest::delete().uri(&at(path)), &self.admin);
        self.world.send(request.insert_header(("If-Match", tag))).await
    }

    /// The codes of a list, and where it goes on.
    async fn codes(&self, path: &str) -> (Vec<String>, Option<String>) {
        let page = self.get(path).await.json();
        let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
        let codes = items.iter().map(|item| item["code"].as_str().unwrap().to_owned()).collect();
        (codes, page["nextCursor"].as_str().map(str::to_owned))
    }
}

fn at(path: &str) -> String {
    format!("/api/v1/acme/org/{path}")
}

/// A path segment.
fn seg(id: &Value) -> &str {
    id.as_str().unwrap()
}

#[actix_web::test]
async fn a_unit_is_created_read_replaced_and_deleted_by_version() {
    let stage = Stage::new().await;
    let body = json!({ "code": "CC1", "name": "Company 1", "description": "optional" });
    let created = stage.post("company-codes", &body).await;
    assert_eq!((created.status, created.header("etag")), (StatusCode::CREATED, Some("\"1\"")));
    let unit = created.json();
    let path = format!("company-codes/{}", seg(&unit["id"]));
    assert_eq!(created.header("location"), Some(at(&path).as_str()));
    let tenant = stage.world.get("/api/v1/tenants/acme", &stage.admin).await.json()["id"].clone();
    let mut expected = body.clone();
    for member in ["id", "createdAt", "updatedAt"] {
        expected[member] = unit[member].clone();
    }
    (expected["tenantId"], expected["version"]) = (tenant, json!(1));
    assert_eq!(unit, expected);
    assert_eq!(stage.get(&path).await.json(), unit);
    let known = get(&at(&path), &stage.user).insert_header(("If-None-Match", "\"1\""));
    assert_eq!(stage.world.send(known).await.status, StatusCode::NOT_MODIFIED);
    stage.world.test.clock.advance(chrono::TimeDelta::seconds(5));
    let other = json!({ "code": "CC1", "name": "Company One" });
    let replaced = stage.put(&path, Some("\"1\""), &other).await;
    assert_eq!((replaced.status, replaced.header("etag")), (StatusCode::OK, Some("\"2\"")));
    let changed = replaced.json();
    assert_eq!((changed.get("description"), &changed["createdAt"]), (None, &unit["createdAt"]));
    assert_ne!(changed["updatedAt"], unit["updatedAt"]);
    assert_eq!(stage.put(&path, None, &other).await.header("etag"), Some("\"2\""), "nothing is different");
    stage.put(&path, Some("\"1\""), &other).await.problem("precondition_failed");
    stage.delete(&path, "\"1\"").await.problem("precondition_failed");
    assert_eq!(stage.delete(&path, "\"2\"").await.status, StatusCode::NO_CONTENT);
    for gone in [stage.get(&path).await, stage.put(&path, None, &other).await, stage.delete(&path, "*").await]
    {
        assert_eq!(gone.status, StatusCode::NOT_FOUND);
        gone.problem("org_unit_not_found");
    }
    // An id of another kind is nothing here.
    let porg = stage.create("purchasing-orgs", json!({ "code": "PO1", "name": "Org" })).await;
    stage.get(&format!("company-codes/{}", seg(&porg))).await.problem("org_unit_not_found");
}

#[actix_web::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let stage = Stage::new().await;
    let wrong = json!({ "companyCodeId": "cc_123", "code": "=1", "name": "", "description": 7, "id": "x" });
    assert_eq!(
        stage.post("plants", &wrong).await.findings("validation_failed"),
        pairs(&[
            ("/code", "invalid_code"),
            ("/companyCodeId", "pattern_mismatch"),
            ("/description", "wrong_type"),
            ("/id", "unknown_member"),
            ("/name", "too_short"),
        ])
    );
    let porg = json!("porg_0195c0de00007000800000000000000a");
    let (cc, plant) =
        (json!("cc_0195c0de00007000800000000000000a"), json!("plant_0195c0de00007000800000000000000a"));
    for body in [
        json!({ "purchasingOrgId": porg }),
        json!({ "purchasingOrgId": porg, "companyCodeId": cc, "plantId": plant }),
    ] {
        assert_eq!(
            stage.post("porg-assignments", &body).await.findings("validation_failed"),
            pairs(&[("/companyCodeId", "exactly_one"), ("/plantId", "exactly_one")])
        );
    }
    let unknown = stage.post("porg-assignments", &json!({ "purchasingOrgId": porg, "plantId": plant })).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        unknown.findings("unknown_org_unit"),
        pairs(&[("/purchasingOrgId", "unknown_org_unit"), ("/plantId", "unknown_org_unit")])
    );
}

#[actix_web::test]
async fn what_is_taken_is_a_conflict_that_names_it() {
    let stage = Stage::new().await;
    let cc = stage.create("company-codes", json!({ "code": "CC1", "name": "One" })).await;
    let taken = stage.post("company-codes", &json!({ "code": "CC1", "name": "Two" })).await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    let problem = taken.problem("org_code_taken");
    assert_eq!(
        (&problem["unitCode"], &problem["detail"]),
        (&json!("CC1"), &json!("Another company code with code 'CC1' exists"))
    );
    let mut orgs = Vec::new();
    for code in ["PO1", "PO2"] {
        let org = stage.create("purchasing-orgs", json!({ "code": code, "name": "Org" })).await;
        stage
            .create("purchasing-groups", json!({ "purchasingOrgId": org, "code": "PG1", "name": "G" }))
            .await;
        orgs.push(org);
    }
    let group = json!({ "purchasingOrgId": orgs[1], "code": "PG1", "name": "Again" });
    stage.post("purchasing-groups", &group).await.problem("org_code_taken");
    let assignment = json!({ "purchasingOrgId": orgs[0], "companyCodeId": cc });
    stage.create("porg-assignments", assignment.clone()).await;
    let again = stage.post("porg-assignments", &assignment).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    again.problem("org_assignment_exists");
}

#[actix_web::test]
async fn what_others_hang_on_stays_and_tells_who_they_are() {
    let stage = Stage::new().await;
    let cc = stage.create("company-codes", json!({ "code": "CC1", "name": "One" })).await;
    for code in ["P2", "P1"] {
        stage.create("plants", json!({ "companyCodeId": cc, "code": code, "name": "Plant" })).await;
    }
    let refused = stage.delete(&format!("company-codes/{}", seg(&cc)), "*").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let problem = refused.problem("org_unit_in_use");
    assert_eq!(problem["detail"], "On it hang: 2 plants (P1, P2)");
    assert_eq!(problem["dependents"], json!([{ "kind": "plant", "count": 2, "codes": ["P1", "P2"] }]));
}

#[actix_web::test]
async fn a_repeated_creation_gets_the_first_answer_byte_for_byte() {
    let stage = Stage::new().await;
    let send = |name: &str| {
        let request = post(&at("company-codes"), &stage.admin).insert_header(("Idempotency-Key", "org-1"));
        stage.world.send(request.set_json(json!({ "code": "CC1", "name": name })))
    };
    let first = send("One").await;
    stage.world.test.clock.advance(chrono::TimeDelta::seconds(5));
    let again = send("One").await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (StatusCode::CREATED, Some("true")));
    assert_eq!((&again.bytes, again.header("location")), (&first.bytes, first.header("location")));
    assert_eq!(again.header("etag"), Some("\"1\""));
    send("Two").await.problem("idempotency_key_reused");
}

#[actix_web::test]
async fn units_are_listed_filtered_and_paged() {
    let stage = Stage::new().await;
    let mut companies = Vec::new();
    for code in ["CC1", "CC2"] {
        companies.push(stage.create("company-codes", json!({ "code": code, "name": "Company" })).await);
    }
    for (code, of) in [("P1", 0), ("P2", 1), ("P3", 0)] {
        let body = json!({ "companyCodeId": companies[of], "code": code, "name": "Werk Süd" });
        stage.create("plants", body).await;
    }
    assert_eq!(stage.codes("plants").await, (["P3", "P2", "P1"].map(str::to_owned).to_vec(), None));
    let below = format!("plants?companyCodeId={}", seg(&companies[0]));
    assert_eq!(stage.codes(&below).await.0, ["P3", "P1"]);
    assert_eq!(stage.codes("plants?q=p2").await.0, ["P2"]);
    assert_eq!(stage.codes("plants?q=S%C3%9CD").await.0, ["P3", "P2", "P1"]);
    let (first, cursor) = stage.codes(&format!("{below}&limit=1")).await;
    let cursor = cursor.unwrap();
    assert_eq!(first, ["P3"]);
    assert_eq!(stage.codes(&format!("{below}&limit=1&cursor={cursor}")).await, (vec!["P1".to_owned()], None));
    stage.get(&format!("plants?cursor={cursor}")).await.problem("invalid_cursor");
    stage.get(&format!("company-codes?cursor={cursor}")).await.problem("invalid_cursor");
    let wrong =
        stage.get(&format!("plants?companyCodeId={}&q={}&plantId=x", "plant_1", "x".repeat(121))).await;
    assert_eq!(
        wrong.findings("invalid_parameter"),
        pairs(&[("/companyCodeId", "invalid_value"), ("/q", "too_long"), ("/plantId", "unknown_parameter")])
    );
    let org = stage.create("purchasing-orgs", json!({ "code": "PO1", "name": "Org" })).await;
    for company in &companies {
        stage.create("porg-assignments", json!({ "purchasingOrgId": org, "companyCodeId": company })).await;
    }
    let assigned = format!("porg-assignments?purchasingOrgId={}&companyCodeId=", seg(&org));
    let found = stage.get(&format!("{assigned}{}", seg(&companies[1]))).await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(found["items"][0]["companyCodeId"], companies[1]);
    let both = format!("{assigned}{}&plantId=plant_0195c0de00007000800000000000000a", seg(&companies[1]));
    assert_eq!(stage.get(&both).await.findings("invalid_parameter"), pairs(&[("/plantId", "exactly_one")]));
}

#[actix_web::test]
async fn the_hierarchy_is_the_whole_tree_with_assignments_at_both_ends() {
    let stage = Stage::new().await;
    let nothing = stage.get("hierarchy").await;
    assert_eq!(nothing.json(), json!({ "companyCodes": [], "purchasingOrgs": [] }));
    let cc = stage.create("company-codes", json!({ "code": "CC1", "name": "One", "description": "x" })).await;
    let plant = stage.create("plants", json!({ "companyCodeId": cc, "code": "P1", "name": "Plant" })).await;
    let mut locations = Vec::new();
    for code in ["S2", "S1"] {
        let body = json!({ "plantId": plant, "code": code, "name": "WH" });
        locations.push(stage.create("storage-locations", body).await);
    }
    let org = stage.create("purchasing-orgs", json!({ "code": "PO1", "name": "Org" })).await;
    let group = stage
        .create("purchasing-groups", json!({ "purchasingOrgId": org, "code": "PG1", "name": "G" }))
        .await;
    let to_cc =
        stage.create("porg-assignments", json!({ "purchasingOrgId": org, "companyCodeId": cc })).await;
    let to_plant =
        stage.create("porg-assignments", json!({ "purchasingOrgId": org, "plantId": plant })).await;
    let whole = stage.get("hierarchy").await;
    let buyer = |assignment| json!([{ "assignmentId": assignment, "id": org, "code": "PO1" }]);
    assert_eq!(
        whole.json(),
        json!({
            "companyCodes": [{
                "id": cc, "code": "CC1", "name": "One", "description": "x",
                "plants": [{
                    "id": plant, "code": "P1", "name": "Plant",
                    "storageLocations": [
                        { "id": locations[1], "code": "S1", "name": "WH" },
                        { "id": locations[0], "code": "S2", "name": "WH" }
                    ],
                    "purchasingOrgs": buyer(&to_plant)
                }],
                "purchasingOrgs": buyer(&to_cc)
            }],
            "purchasingOrgs": [{
                "id": org, "code": "PO1", "name": "Org",
                "purchasingGroups": [{ "id": group, "code": "PG1", "name": "G" }],
                "companyCodes": [{ "assignmentId": to_cc, "id": cc, "code": "CC1" }],
                "plants": [{ "assignmentId": to_plant, "id": plant, "code": "P1" }]
            }]
        })
    );
    let tag = whole.header("etag").unwrap().to_owned();
    assert_ne!(Some(tag.as_str()), nothing.header("etag"));
    let again = async || {
        let request = get(&at("hierarchy"), &stage.user).insert_header(("If-None-Match", tag.as_str()));
        stage.world.send(request).await.status
    };
    assert_eq!(again().await, StatusCode::NOT_MODIFIED);
    stage
        .put(
            &format!("purchasing-groups/{}", seg(&group)),
            None,
            &json!({
                "purchasingOrgId": org, "code": "PG1", "name": "Renamed"
            }),
        )
        .await;
    assert_eq!(again().await, StatusCode::OK);
}

/// What an import is answered with.
async fn import(stage: &Stage, query: &str, media_type: &str, document: impl Into<Vec<u8>>) -> Reply {
    let request = post(&at(&format!("import{query}")), &stage.admin);
    let request = request.insert_header(("Content-Type", media_type)).set_payload(document.into());
    stage.world.send(request).await
}

#[actix_web::test]
async fn a_whole_organisation_goes_out_and_comes_in_as_json_and_as_csv() {
    let stage = Stage::new().await;
    let sheet = "kind,code,name,description,companyCode,plant,purchasingOrg\r\n\
                 company_code,CC1,\"Company \"\"1\"\", Ltd.\",\"one\ntwo\",,,\r\n\
                 plant,P1,Werk S\u{fc}d,,CC1,,\r\n\
                 purchasing_org,PO1,Org,,,,\r\n\
                 purchasing_group,PG1,Group,,,,PO1\r\n\
                 porg_assignment,,,,,P1,PO1\r\n";
    let planned = import(&stage, "?dryRun=true", "text/csv", sheet).await.json();
    assert_eq!(planned["total"], json!({ "created": 5, "updated": 0, "unchanged": 0 }));
    assert_eq!(stage.get("export").await.json(), json!({ "units": [] }));
    let mut done = import(&stage, "", "text/csv; charset=utf-8", sheet).await.json();
    assert_eq!(done["dryRun"].take(), false);
    assert_eq!((&done["total"], &done["kinds"]), (&planned["total"], &planned["kinds"]));
    let exported = stage.get("export?format=csv").await;
    assert_eq!(exported.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(exported.header("content-disposition"), Some("attachment; filename=\"organisation.csv\""));
    assert_eq!(String::from_utf8_lossy(&exported.bytes), sheet);
    let accepting = get(&at("export"), &stage.user).insert_header(("Accept", "text/csv, */*;q=0.1"));
    assert_eq!(stage.world.send(accepting).await.bytes, exported.bytes);
    let document = stage.get("export").await;
    assert_eq!(
        document.json()["units"][0],
        json!({ "kind": "company_code", "code": "CC1", "name": "Company \"1\", Ltd.", "description": "one\ntwo" })
    );
    assert_eq!(
        document.json()["units"][4],
        json!({ "kind": "porg_assignment", "plant": "P1", "purchasingOrg": "PO1" })
    );
    let again = import(&stage, "", "application/json", document.bytes.to_vec()).await.json();
    assert_eq!(again["total"], json!({ "created": 0, "updated": 0, "unchanged": 5 }));
    let renamed =
        json!({ "units": [{ "kind": "plant", "code": "P1", "name": "Plant", "companyCode": "CC1" }] });
    let changed = import(&stage, "", "application/json", renamed.to_string()).await.json();
    assert_eq!(changed["kinds"][1], json!({ "kind": "plant", "created": 0, "updated": 1, "unchanged": 0 }));
    assert_eq!(stage.codes("plants?q=plant").await.0, ["P1"]);
    stage.get("export?format=xml").await.problem("invalid_parameter");
}

#[actix_web::test]
async fn every_fault_of_a_document_is_told_where_it_is_and_nothing_is_taken() {
    let stage = Stage::new().await;
    let sheet = "kind;code;name;companyCode;plant\n\
                 company_code;CC1;;;\n\
                 plant;P1;Plant;CC1;\n\
                 storage_location;S1;\" x\";;P9\n";
    let refused = import(&stage, "", "text/csv", sheet).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        refused.findings("invalid_organisation"),
        pairs(&[("/2/name", "required"), ("/4/name", "invalid_name"), ("/4/plant", "unknown_org_unit")])
    );
    let told = refused.json()["errors"][2]["message"].take();
    assert_eq!(
        told,
        "Row 4, column plant: There is no plant 'P9', neither in the document nor in the organisation"
    );
    let document = json!({ "units": [
        { "kind": "company_code", "code": "CC1", "name": "One" },
        { "kind": "plant", "code": "P1", "name": "Plant", "companyCode": "CC2" },
    ] });
    let refused = import(&stage, "?dryRun=true", "application/json", document.to_string()).await;
    assert_eq!(
        refused.findings("invalid_organisation"),
        pairs(&[("/units/1/companyCode", "unknown_org_unit")])
    );
    let ill_formed = json!({ "units": [{ "kind": "shop", "codes": "CC1" }], "more": 1 });
    let refused = import(&stage, "", "application/json", ill_formed.to_string()).await;
    assert_eq!(
        refused.findings("validation_failed"),
        pairs(&[
            ("/more", "unknown_member"),
            ("/units/0/codes", "unknown_member"),
            ("/units/0/kind", "not_allowed")
        ])
    );
    import(&stage, "", "text/csv", b"kind,name\nplant,\xff\n".to_vec()).await.problem("malformed_csv");
    import(&stage, "", "text/plain", "kind").await.problem("unsupported_media_type");
    import(&stage, "?dryrun=true", "text/csv", "kind\n").await.problem("invalid_parameter");
    let large = vec![b' '; (4 << 20) + 1];
    import(&stage, "", "text/csv", large).await.problem("payload_too_large");
    assert_eq!(stage.get("export").await.json(), json!({ "units": [] }));
    let body = json!({ "units": [] });
    stage.world.post(&at("import"), &stage.user, &body).await.problem("forbidden");
}
