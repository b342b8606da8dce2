//! Source 003, request by request and to the letter, in its order. What a section needs of those before it, it is handed.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tenantry_tests::{Client, Installation, Response, Tenantry, for_each_backend};

/// Section 1.
const PROVISION: &str = r#"{
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
}"#;

/// Section 2.
const LOGIN: &str = r#"{
  "email": "admin@acme.com",
  "password": "ChangeMe123!"
}"#;

/// Section 3, the request.
const CONFIGURE: &str = r#"{
  "tenantConfig": {
    "orgStructure": { "levels": 2, "notes": "CompanyCode > PurchasingGroup" },
    "businessVariants": [
      { "name": "Default", "code": "DEF" }
    ]
  },
  "processConfig": {
    "name": "Standard Tender",
    "processType": "TENDER",
    "steps": [
      { "stepName": "Draft", "requiredRole": "BUYER" },
      { "stepName": "Publish", "requiredRole": "ADMIN" },
      { "stepName": "Score", "requiredRole": "BUYER" },
      { "stepName": "Award", "requiredRole": "ADMIN" }
    ]
  }
}"#;

/// Section 3, what the curl command sends.
const CONFIGURE_BY_CURL: &str = r#"{
  "tenantConfig": {
    "orgStructure": { "levels": 2 },
    "businessVariants": [{"name":"Default","code":"DEF"}]
  },
  "processConfig": {
    "name": "Standard Tender",
    "processType": "TENDER",
    "steps": [
      { "stepName": "Draft", "requiredRole": "BUYER" },
      { "stepName": "Publish", "requiredRole": "ADMIN" }
    ]
  }
}"#;

fn post(client: &mut Client, path: &str, body: &str) -> Response {
    client.request("POST", path).header("Content-Type", "application/json").body(body).send()
}

/// Section 1: the tenant's id.
fn provision(tenantry: &Tenantry, api: &str) -> Value {
    let created = post(&mut tenantry.client(), &format!("{api}/tenants"), PROVISION).expect(201);
    assert!(created.header("Location").unwrap().starts_with(&format!("{api}/tenants/")));
    let created = created.json();
    let (tenant, admin) = (&created["tenant"], &created["adminUser"]);
    assert_eq!((&tenant["name"], &tenant["subdomain"]), (&json!("Acme Corp"), &json!("acme")));
    assert_eq!(
        (&admin["email"], &admin["username"], &admin["role"]),
        (&json!("admin@acme.com"), &json!("acmeadmin"), &json!("ADMIN"))
    );
    tenant["id"].clone()
}

/// Section 2: the admin, signed in.
fn login(tenantry: &Tenantry, api: &str) -> Client {
    let signed_in = post(&mut tenantry.client(), &format!("{api}/acme/auth/login"), LOGIN).expect(200);
    let set = signed_in.header("Set-Cookie").unwrap();
    assert!(set.starts_with("refreshToken=") && set.contains(&format!("Path={api}/acme/auth")), "{set}");
    tenantry.client().with_bearer(signed_in.json()["accessToken"].as_str().unwrap())
}

/// Section 3.
fn configure(admin: &mut Client, api: &str, tenant: &Value) {
    let path = format!("{api}/acme/config/basis");
    let first = post(admin, &path, CONFIGURE).expect(200).json();
    let mut expected: Value = serde_json::from_str(CONFIGURE).unwrap();
    for (member, prefix) in [("tenantConfig", "tc_"), ("processConfig", "pc_")] {
        let told = &first[member];
        assert!(told["id"].as_str().unwrap().starts_with(prefix));
        assert_eq!(told["createdAt"], told["updatedAt"]);
        assert_eq!(told["createdAt"].as_str().unwrap().len(), "2025-01-01T00:00:00.000Z".len());
        for given in ["id", "createdAt", "updatedAt"] {
            expected[member][given] = told[given].clone();
        }
        expected[member]["tenantId"] = tenant.clone();
    }
    assert_eq!(first, expected);
    let second = post(admin, &path, CONFIGURE_BY_CURL).expect(200).json();
    for member in ["tenantConfig", "processConfig"] {
        let (before, after) = (&first[member], &second[member]);
        assert_eq!((&before["id"], &before["createdAt"]), (&after["id"], &after["createdAt"]));
        assert_ne!(before["updatedAt"], after["updatedAt"]);
    }
    assert_eq!(second["tenantConfig"]["orgStructure"], json!({ "levels": 2 }));
    assert_eq!(second["processConfig"]["steps"].as_array().unwrap().len(), 2);
    assert_eq!(post(admin, &path, CONFIGURE_BY_CURL).expect(200).json(), second, "nothing is different");

    let history = admin.get(&format!("{path}/history")).expect(200).json();
    let changes = history["items"].as_array().unwrap();
    assert_eq!((changes.len(), &changes[0]["version"]), (2, &json!(2)));
    assert_eq!(changes[0]["before"], changes[1]["after"]);
    let restored = post(admin, &format!("{path}/restore"), r#"{"version":1}"#).expect(200);
    assert_eq!(restored.header("ETag"), Some("\"3\""));
    assert_eq!(restored.json()["tenantConfig"]["orgStructure"], first["tenantConfig"]["orgStructure"]);
}

/// Its notes: what it answers to whom.
fn refusals(tenantry: &Tenantry, admin: &mut Client, api: &str) {
    let path = format!("{api}/acme/config/basis");
    let mut nobody = tenantry.client();
    post(&mut nobody, &path, CONFIGURE).expect(401);
    for missing in
        [format!("{api}/config/basis"), format!("{api}//config/basis"), format!("{api}/A/config/basis")]
    {
        for client in [&mut nobody, &mut *admin] {
            let problem = post(client, &missing, CONFIGURE).expect(400).json();
            assert_eq!(problem["title"], "Missing tenant context");
        }
    }
    let unknown = format!("{api}/nowhere/config/basis");
    assert_eq!(tenantry.operator().get(&unknown).expect(400).json()["title"], "Missing tenant context");
    nobody.get(&unknown).expect(401);
    let people = [("USER", 200), ("VENDOR", 403)];
    for (role, status) in people {
        let person =
            json!({ "email": format!("{role}@acme.com"), "password": "SecurePassword123!", "role": role });
        let registered = admin.post(&format!("{api}/acme/auth/register"), &person).expect(201).json();
        let mut client = tenantry.client().with_bearer(registered["accessToken"].as_str().unwrap());
        client.get(&path).expect(status);
        post(&mut client, &path, CONFIGURE).expect(403);
    }
}

fn walk(tenantry: &Tenantry, api: &str) {
    let tenant = provision(tenantry, api);
    let mut admin = login(tenantry, api);
    configure(&mut admin, api, &tenant);
    refusals(tenantry, &mut admin, api);
}

#[test]
fn the_requests_are_answered_as_the_source_shows() {
    for_each_backend(|backend| walk(&Tenantry::start(backend), "/api/v1"));
}

#[test]
fn everything_is_the_same_below_another_prefix() {
    for_each_backend(|backend| {
        let installation = Installation::with(backend, &[("TENANTRY__SERVER__API_PREFIX", "tenancy/v2")]);
        let tenantry = installation.start();
        walk(&tenantry, "/tenancy/v2");
        let mut client = tenantry.client();
        post(&mut client, "/api/v1/acme/auth/login", LOGIN).expect(404);
        let document = client.get("/openapi.json").expect(200);
        assert!(!document.text().contains("/api/v1") && document.text().contains("/tenancy/v2/tenants"));
        client.get("/swagger/").expect(200);
        // What the source has outside of the prefix stays there.
        let order = json!({ "name": "Beta Ltd", "slug": "beta", "plan": "Basic" });
        let announced = client.post("/provision/tenants/init", &order).expect(200).json();
        let token = announced["confirmToken"].as_str().unwrap();
        let confirmed = client.request("POST", "/provision/tenants/confirm").bearer(token).send();
        let status = confirmed.expect(200).json()["statusEndpoint"].as_str().unwrap().to_owned();
        assert_eq!(client.get(&format!("{status}?wait=30")).expect(200).json()["slug"], Value::Null);
    });
}

#[test]
fn of_concurrent_upserts_over_replicas_one_is_the_first_and_the_others_are_the_same() {
    for_each_backend(|backend| {
        let installation = Installation::new(backend);
        let (one, two) = (installation.start(), installation.start());
        provision(&one, "/api/v1");
        let admin = login(&one, "/api/v1").bearer().to_owned();
        let answers: BTreeSet<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|n| {
                    let mut client = [&one, &two][n % 2].client().with_bearer(&admin);
                    scope.spawn(move || {
                        post(&mut client, "/api/v1/acme/config/basis", CONFIGURE)
                            .expect(200)
                            .text()
                            .to_owned()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(answers.len(), 1, "{answers:#?}");
        let mut client = two.client().with_bearer(&admin);
        let history = client.get("/api/v1/acme/config/basis/history").expect(200).json();
        assert_eq!(history["items"].as_array().unwrap().len(), 1);
        let processes = client.get("/api/v1/acme/config/processes").expect(200).json();
        assert_eq!(processes["items"].as_array().unwrap().len(), 1);
    });
}
