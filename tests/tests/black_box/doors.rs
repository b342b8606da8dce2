//! Both doors to a tenant, as the source documents show them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenantry_tests::{Backend, Installation, Tenantry, for_each_backend};

use crate::steps::{confirm, init, settled, status};

fn step_names(status: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    status["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (text(&step["step"]), text(&step["status"])))
        .collect()
}

#[test]
fn init_confirm_and_status_lead_to_an_active_tenant_in_time() {
    for_each_backend(|backend| {
        let tenantry = Tenantry::start(backend);
        let (id, token) = init(&tenantry, "acme");
        let before = status(&tenantry, &id);
        assert_eq!(before["status"], "PENDING_VALIDATION");
        assert_eq!((&before["tenantSlug"], &before["dbName"]), (&Value::Null, &Value::Null));
        let confirmed = Instant::now();
        confirm(&tenantry, &token);
        let after = settled(&tenantry, &id);
        assert!(confirmed.elapsed() < Duration::from_secs(20), "far from the second or two it takes");
        assert_eq!((&after["status"], &after["tenantSlug"]), (&json!("Active"), &json!("acme")));
        let name = format!("{}acme", tenantry.installation().database_prefix());
        assert_eq!(after["dbName"], name);
        let expected = ["Init", "CreateDatabase", "ApplyMigrations", "SeedData"]
            .map(|step| (step.to_owned(), "Success".to_owned()));
        assert_eq!(step_names(&after), expected);
        assert_eq!(tenantry.installation().tenant_databases(), [name]);
    });
}

#[test]
fn a_token_works_once_and_a_slug_has_one_tenant() {
    for_each_backend(|backend| {
        let tenantry = Tenantry::start(backend);
        let (_, token) = init(&tenantry, "acme");
        let body = json!({ "name": "Another Acme", "slug": "acme", "plan": "Basic" });
        let taken = tenantry.client().post("/provision/tenants/init", &body).expect(409).json();
        assert_eq!((&taken["title"], &taken["code"]), (&json!("Slug Already Exists"), &json!("slug_taken")));
        assert_eq!(taken["detail"], "A tenant with slug 'acme' already exists");
        confirm(&tenantry, &token);
        let again = tenantry.client().request("POST", "/provision/tenants/confirm").bearer(&token).send();
        again.expect(409);
        let forged = tenantry.client().request("POST", "/provision/tenants/confirm").bearer("a.b.c").send();
        assert_eq!(forged.expect(401).json()["title"], "Invalid Token");
    });
}

#[test]
fn concurrent_inits_of_one_slug_have_one_winner() {
    for_each_backend(|backend| {
        let tenantry = Tenantry::start(backend);
        let body = json!({ "name": "Acme Corporation", "slug": "acme", "plan": "Basic" });
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let one = || tenantry.client().post("/provision/tenants/init", &body).status;
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(one)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 15, "{statuses:?}");
    });
}

#[test]
fn a_tenant_with_its_admin_is_ready_when_the_answer_comes_and_the_admin_signs_in() {
    for_each_backend(|backend| {
        let tenantry = Tenantry::start(backend);
        let body = json!({
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
        let created = tenantry.client().post("/api/v1/tenants", &body).expect(201).json();
        assert_eq!(
            (&created["tenant"]["name"], &created["tenant"]["subdomain"]),
            (&json!("Acme Corp"), &json!("acme"))
        );
        let admin = &created["adminUser"];
        assert_eq!(
            (&admin["email"], &admin["username"], &admin["role"]),
            (&json!("admin@acme.com"), &json!("acmeadmin"), &json!("ADMIN"))
        );

        let credentials = json!({ "email": "admin@acme.com", "password": "ChangeMe123!" });
        let login = tenantry.client().post("/api/v1/acme/auth/login", &credentials).expect(200);
        let cookie = login.header("Set-Cookie").unwrap();
        for part in ["refreshToken=", "HttpOnly", "SameSite=Strict"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let signed_in = login.json();
        assert_eq!(signed_in["user"]["id"], admin["id"]);
        let token = signed_in["accessToken"].as_str().unwrap();
        let mut person = tenantry.client().with_bearer(token);
        person.get("/api/v1/tenants/acme/accounts").expect(200);
        let key = json!({ "name": "website", "scopes": ["accounts:read"] });
        let key = person.post("/api/v1/tenants/acme/api-keys", &key).expect(201).json();
        let mut machine = tenantry.client().with_header("X-API-Key", key["key"].as_str().unwrap());
        machine.get("/api/v1/tenants/acme/accounts").expect(200);
        machine.get("/api/v1/tenants/acme/configs").expect(403);

        for (email, password) in [("admin@acme.com", "wrong password"), ("nobody@acme.com", "ChangeMe123!")] {
            let wrong = json!({ "email": email, "password": password });
            tenantry.client().post("/api/v1/acme/auth/login", &wrong).expect(401);
        }
        tenantry.client().post("/api/v1/tenants", &body).expect(409);
    });
}

#[test]
fn a_foreign_database_of_the_name_fails_the_tenant_and_stays() {
    for_each_backend(|backend| {
        let installation = Installation::new(backend);
        let tenantry = installation.start();
        let name = format!("{}acme", installation.database_prefix());
        let untouched: Box<dyn Fn()> = match backend {
            Backend::Sqlite => {
                let directory = installation.directory().join("data/tenants");
                std::fs::create_dir_all(&directory).unwrap();
                let file = directory.join(format!("{name}.db"));
                std::fs::write(&file, "somebody else's").unwrap();
                Box::new(move || assert_eq!(std::fs::read_to_string(&file).unwrap(), "somebody else's"))
            }
            Backend::Postgres(server) => {
                server.query("postgres", &format!("CREATE DATABASE {name}")).unwrap();
                server.query(&name, "CREATE TABLE theirs (id int)").unwrap();
                let name = name.clone();
                Box::new(move || assert!(server.query(&name, "SELECT * FROM theirs").is_ok()))
            }
        };
        let (id, token) = init(&tenantry, "acme");
        confirm(&tenantry, &token);
        let failed = settled(&tenantry, &id);
        assert_eq!((&failed["status"], &failed["dbName"]), (&json!("Failed"), &Value::Null));
        let step = failed["steps"].as_array().unwrap().last().unwrap();
        assert_eq!((&step["step"], &step["status"]), (&json!("CreateDatabase"), &json!("Failed")));
        assert_eq!(step["errorCode"], "database_name_taken");
        untouched();
        assert_eq!(installation.tenant_databases(), [name]);
        // The slug is free again; its database is still somebody else's.
        init(&tenantry, "acme");
    });
}
