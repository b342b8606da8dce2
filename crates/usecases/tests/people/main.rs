//! People: signing in, staying signed in, signing out, and who sees to them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../support/mod.rs"]
mod support;

mod guesses;
mod passwords;
mod rotation;
mod sessions;
mod users;
mod work;

use std::sync::Arc;

use serde_json::Value;
pub(crate) use support::wish;
use support::{acme_in_service, typed};
use tenantry_domain::people::Role;
use tenantry_domain::tenant::Tenant;
use tenantry_ports::{AccessClaims, Secret, StoreError, TenantScope};
use tenantry_testkit::{FakeSchemaCheck, TestPlatform};
use tenantry_usecases::Policy;
use tenantry_usecases::access::{Principal, authenticate};
use tenantry_usecases::sign_in::{LoginError, SignedIn, login};
use tenantry_usecases::users::{RegisterUser, register};

/// A tenant with an admin, who is `Admin@acme.example`.
pub(crate) struct Acme {
    pub(crate) test: TestPlatform,
    pub(crate) tenant: Tenant,
    pub(crate) scope: TenantScope,
}

pub(crate) const ADMIN: &str = "admin@acme.example";
pub(crate) const PASSWORD: &str = "ChangeMe123!";

impl Acme {
    pub(crate) fn new() -> Self {
        Self::with(Policy::default())
    }

    pub(crate) fn with(policy: Policy) -> Self {
        let test = TestPlatform::with(policy, Arc::new(FakeSchemaCheck::content()));
        let (tenant, scope) = acme_in_service(&test);
        Self { test, tenant, scope }
    }

    pub(crate) fn login(&self, email: &str, password: &str) -> Result<SignedIn, LoginError> {
        login(&self.test.platform, &self.scope, &typed(email, password))
    }

    pub(crate) fn admin(&self) -> SignedIn {
        self.login(ADMIN, PASSWORD).unwrap()
    }

    /// Registers `<name>@acme.example` with this role, who then signs in.
    pub(crate) fn person(&self, name: &str, role: Role) -> SignedIn {
        let platform = &self.test.platform;
        let wish = RegisterUser { role, ..wish(name) };
        register(platform, &self.tenant, &self.scope, wish, |_, _| Value::Null).unwrap();
        self.login(&format!("{name}@acme.example"), "SecurePassword123!").unwrap()
    }

    /// Who has this access token.
    pub(crate) fn who(&self, token: &Secret) -> Option<AccessClaims> {
        match authenticate(&self.test.platform, token.expose()).unwrap() {
            Some(Principal::Person(claims)) => Some(claims),
            other => {
                assert_eq!(other, None);
                None
            }
        }
    }

    /// The events of the log after the first so many, by type, with their data.
    pub(crate) fn events(&self, after: i64) -> Vec<(String, Value)> {
        let store = self.test.platform.stores.open(&self.scope).unwrap();
        let entries = store.read::<_, StoreError>(|tx| tx.log().page(after, 100)).unwrap();
        entries.into_iter().map(|entry| (entry.event.event_type.to_string(), entry.event.data)).collect()
    }

    pub(crate) fn log_length(&self) -> i64 {
        self.events(0).len() as i64
    }
}
