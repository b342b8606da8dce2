//! Signing in.

use actix_web::http::StatusCode;
use serde_json::json;
use tenantry_domain::people::Email;
use tenantry_domain::tenant::{Plan, Slug, TenantName};
use tenantry_ports::Secret;
use tenantry_usecases::tenants::{self, CreateTenant, NewAdmin};

use super::{World, pairs};
use crate::HttpSettings;

impl World {
    /// A tenant in service with the admin `admin@<slug>.com`, whose password is `ChangeMe123!`.
    pub(crate) fn tenant_with_admin(&self, slug: &str) -> tenantry_domain::id::TenantId {
        let command = CreateTenant {
            name: TenantName::new("Test Corp").unwrap(),
            slug: Slug::new(slug).unwrap(),
            plan: Plan::Basic,
            config: None,
            cluster: None,
            admin: NewAdmin {
                email: Email::new(format!("admin@{slug}.com")).unwrap(),
                username: None,
                password: Secret::new("ChangeMe123!"),
                first_name: None,
                last_name: None,
            },
        };
        let tenant = tenants::create(self.platform(), command).unwrap().tenant.id;
        self.work();
        tenant
    }

    /// The access token of that admin.
    pub(crate) async fn admin(&self, slug: &str) -> String {
        let body = json!({ "email": format!("admin@{slug}.com"), "password": "ChangeMe123!" });
        let reply = self.post(&format!("/api/v1/{slug}/auth/login"), "", &body).await;
        reply.json()["accessToken"].as_str().unwrap().to_owned()
    }
}

#[actix_web::test]
async fn it_answers_as_the_source_does_and_sets_the_cookie() {
    let world = World::new();
    let tenant = world.tenant_with_admin("acme");
    let body = json!({ "email": "ADMIN@acme.com", "password": "ChangeMe123!" });
    for spelling in ["acme".to_owned(), tenant.to_string()] {
        let reply = world.post(&format!("/api/v1/{spelling}/auth/login"), "", &body).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let body = reply.json();
        assert!(!body["accessToken"].as_str().unwrap().is_empty());
        assert_eq!(body["user"]["email"], "admin@acme.com");
        assert_eq!(body["user"]["username"], "admin");
        assert_eq!(body["user"]["role"], "ADMIN");
        assert_eq!(body["user"]["tenantId"], tenant.to_string());
        let cookie = reply.header("set-cookie").unwrap();
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        assert!(pair.strip_prefix("refreshToken=").is_some_and(|token| token.len() >= 32), "{cookie}");
        let mut attributes: Vec<_> = attributes.split("; ").collect();
        attributes.sort_unstable();
        let path = format!("Path=/api/v1/{spelling}/auth");
        assert_eq!(attributes, ["HttpOnly", "Max-Age=2592000", path.as_str(), "SameSite=Strict"], "{cookie}");
        assert!(
            !body.to_string().contains(pair.trim_start_matches("refreshToken=")),
            "the cookie alone has the token"
        );
    }
}

#[actix_web::test]
async fn beyond_loopback_the_cookie_goes_over_tls_alone() {
    let world = World::with(HttpSettings { secure_cookies: true, ..HttpSettings::default() });
    world.tenant_with_admin("acme");
    let body = json!({ "email": "admin@acme.com", "password": "ChangeMe123!" });
    let reply = world.post("/api/v1/acme/auth/login", "", &body).await;
    assert!(reply.header("set-cookie").unwrap().contains("; Secure"));
}

#[actix_web::test]
async fn whatever_is_wrong_the_answer_is_the_same() {
    let world = World::new();
    world.tenant_with_admin("acme");
    world.announced("waiting");
    let login = |email: &str, password: &str| json!({ "email": email, "password": password });
    let mut bodies = Vec::new();
    for (tenant, body) in [
        ("acme", login("admin@acme.com", "wrong")),
        ("acme", login("nobody@acme.com", "ChangeMe123!")),
        ("nowhere", login("admin@acme.com", "ChangeMe123!")),
        ("waiting", login("admin@acme.com", "ChangeMe123!")),
    ] {
        let reply = world.post(&format!("/api/v1/{tenant}/auth/login"), "", &body).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{tenant}");
        assert!(reply.header("set-cookie").is_none());
        let mut body = reply.problem("invalid_credentials");
        for differs in ["requestId", "instance"] {
            body.as_object_mut().unwrap().remove(differs);
        }
        bodies.push(body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}

#[actix_web::test]
async fn what_is_no_login_is_refused() {
    let world = World::new();
    let long = json!({ "email": "admin@acme.com", "password": "x".repeat(1025) });
    let reply = world.post("/api/v1/acme/auth/login", "", &long).await;
    assert_eq!(reply.findings("validation_failed"), pairs(&[("/password", "too_long")]));
    let reply = world.post("/api/v1/acme/auth/login", "", &json!({ "email": "x@", "pass": 1 })).await;
    assert_eq!(
        reply.findings("validation_failed"),
        pairs(&[("/email", "too_short"), ("/pass", "unknown_member"), ("/password", "required")])
    );
}
