//! Everybody who may call: kinds of credentials, and what each of them is good for.

use std::collections::BTreeSet;

use serde_json::json;
use tenantry_domain::id::TenantId;
use tenantry_ports::Scope;
use tenantry_usecases::access::{Principal, authenticate};
use tenantry_usecases::tenants::{self, TenantRef};
use tenantry_usecases::{machine_tokens, signing_keys};

use super::super::World;
use super::table::Kind;

/// A kind of caller that belongs to a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// Somebody signed in as this.
    Admin,
    User,
    Vendor,
    /// A key with every scope.
    Key,
    /// An access token that was got with that key, for every scope.
    Token,
}

/// Everybody of another tenant that walls have to hold against. A new kind of credential is entered here.
pub(super) const STRANGERS: [Caller; 5] =
    [Caller::Admin, Caller::User, Caller::Vendor, Caller::Key, Caller::Token];

const PEOPLE: [Caller; 3] = [Caller::Admin, Caller::User, Caller::Vendor];

/// The callers of one tenant.
pub(super) struct Callers {
    operator: String,
    credentials: Vec<(Caller, String)>,
    scopes: Vec<Scoped>,
}

/// What has a scope alone, and what has all but that: keys, and tokens of a key that has every scope.
struct Scoped {
    scope: Scope,
    with: [String; 2],
    without: [String; 2],
}

/// Somebody who is registered as this, and their access token.
pub(super) struct Registered {
    pub(super) id: String,
    pub(super) token: String,
}

pub(super) async fn register(world: &World, slug: &str, name: &str, role: &str) -> Registered {
    let body = json!({
        "email": format!("{name}@{slug}.com"),
        "password": "SecurePassword123!",
        "firstName": name,
        "role": role
    });
    let reply = world.post(&format!("/api/v1/{slug}/auth/register"), &world.operator(), &body).await;
    assert_eq!(reply.status, 201, "{:?}", reply.bytes);
    let told = reply.json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    Registered { id: text(&told["user"]["id"]), token: text(&told["accessToken"]) }
}

/// A token got with this key, for these scopes.
pub(in super::super) fn token(world: &World, key: &str, scopes: &[Scope]) -> String {
    let platform = world.platform();
    signing_keys::ensure(platform).unwrap();
    let client = authenticate(platform, key).unwrap().unwrap();
    let Principal::Machine { key, .. } = client else { panic!("{client:?}") };
    let wanted = BTreeSet::from_iter(scopes.iter().copied());
    machine_tokens::issue(platform, &client, key, Some(wanted)).unwrap().token.expose().to_owned()
}

pub(in super::super) fn tenant_of(world: &World, slug: &str) -> TenantId {
    let reference = TenantRef::Slug(slug.parse().unwrap());
    tenants::find(world.platform(), &reference).unwrap().unwrap().id
}

impl Callers {
    pub(super) async fn of(world: &World, slug: &str) -> Self {
        let tenant = tenant_of(world, slug);
        let key = world.key(Some(tenant), &Scope::ALL);
        let mut credentials =
            vec![(Caller::Token, token(world, &key, &Scope::ALL)), (Caller::Key, key.clone())];
        for (caller, role) in PEOPLE.into_iter().zip(["ADMIN", "USER", "VENDOR"]) {
            let name = role.to_lowercase();
            credentials.push((caller, register(world, slug, &name, role).await.token));
        }
        let scopes = Scope::ALL.map(|scope| {
            let others: Vec<_> = Scope::ALL.into_iter().filter(|other| *other != scope).collect();
            let either = |scopes: &[Scope]| [world.key(Some(tenant), scopes), token(world, &key, scopes)];
            Scoped { scope, with: either(&[scope]), without: either(&others) }
        });
        Self { operator: world.operator(), credentials, scopes: scopes.into() }
    }

    /// What this caller presents.
    pub(super) fn credential(&self, caller: Caller) -> String {
        self.credentials.iter().find(|(kind, _)| *kind == caller).unwrap().1.clone()
    }

    /// Whoever may call an operation of this kind.
    pub(super) fn entitled(&self, kind: Kind) -> Vec<String> {
        match kind {
            Kind::Public | Kind::Own => vec![String::new()],
            Kind::Operator => vec![self.operator.clone()],
            Kind::Admin => vec![self.credential(Caller::Admin)],
            Kind::Staff => [Caller::Admin, Caller::User].map(|caller| self.credential(caller)).into(),
            Kind::Person => PEOPLE.map(|caller| self.credential(caller)).into(),
            Kind::Scope(scope) => {
                let mut entitled = self.scoped(scope).with.to_vec();
                entitled.push(self.credential(Caller::Admin));
                entitled
            }
        }
    }

    /// Those of the tenant's own who may not, and what they are told. Where it is about the caller as a person, the operator
    /// is nobody.
    pub(super) fn lacking(&self, kind: Kind) -> Vec<(String, &'static str)> {
        let forbidden = |callers: &[Caller]| -> Vec<_> {
            callers.iter().map(|caller| (self.credential(*caller), "forbidden")).collect()
        };
        match kind {
            Kind::Public | Kind::Own => Vec::new(),
            Kind::Operator => forbidden(&STRANGERS),
            Kind::Admin => forbidden(&[Caller::User, Caller::Vendor, Caller::Key, Caller::Token]),
            Kind::Staff => forbidden(&[Caller::Vendor, Caller::Key, Caller::Token]),
            Kind::Person => {
                let mut others = forbidden(&[Caller::Key, Caller::Token]);
                others.push((self.operator.clone(), "forbidden"));
                others
            }
            Kind::Scope(scope) => {
                let mut others = forbidden(&[Caller::User, Caller::Vendor]);
                others.extend(self.scoped(scope).without.clone().map(|machine| (machine, "missing_scope")));
                others
            }
        }
    }

    fn scoped(&self, scope: Scope) -> &Scoped {
        self.scopes.iter().find(|scoped| scoped.scope == scope).unwrap()
    }
}
