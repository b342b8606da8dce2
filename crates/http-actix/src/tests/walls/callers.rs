//! Everybody who may call: kinds of credentials, and what each of them is good for.

use tenantry_domain::id::TenantId;
use tenantry_domain::people::Role;
use tenantry_ports::{AccessClaims, Clock as _, Scope};
use tenantry_testkit::sample;
use tenantry_usecases::tenants::{self, TenantRef};

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
}

/// Everybody of another tenant that walls have to hold against. A new kind of credential is entered here.
pub(super) const STRANGERS: [Caller; 4] = [Caller::Admin, Caller::User, Caller::Vendor, Caller::Key];

/// The callers of one tenant.
pub(super) struct Callers {
    tenant: TenantId,
    operator: String,
    credentials: Vec<(Caller, String)>,
    /// For each scope a key that has it alone.
    keys: Vec<(Scope, String)>,
}

impl Callers {
    pub(super) fn of(world: &World, slug: &str) -> Self {
        let reference = TenantRef::Slug(slug.parse().unwrap());
        let tenant = tenants::find(world.platform(), &reference).unwrap().unwrap().id;
        let person = |role| {
            let now = world.test.clock.now();
            let claims = AccessClaims {
                user: sample::id(),
                tenant,
                role,
                session: sample::id(),
                issued_at: now,
                expires_at: now + chrono::TimeDelta::minutes(10),
            };
            world.platform().tokens.access(&claims).expose().to_owned()
        };
        let credentials = STRANGERS.map(|caller| {
            let credential = match caller {
                Caller::Admin => person(Role::Admin),
                Caller::User => person(Role::User),
                Caller::Vendor => person(Role::Vendor),
                Caller::Key => world.key(Some(tenant), &Scope::ALL),
            };
            (caller, credential)
        });
        let keys = Scope::ALL.map(|scope| (scope, world.key(Some(tenant), &[scope])));
        Self { tenant, operator: world.operator(), credentials: credentials.into(), keys: keys.into() }
    }

    /// What this caller presents.
    pub(super) fn credential(&self, caller: Caller) -> String {
        self.credentials.iter().find(|(kind, _)| *kind == caller).unwrap().1.clone()
    }

    /// Whoever may call an operation of this kind.
    pub(super) fn entitled(&self, kind: Kind) -> Vec<String> {
        match kind {
            Kind::Public => vec![String::new()],
            Kind::Operator => vec![self.operator.clone()],
            Kind::Admin => vec![self.credential(Caller::Admin)],
            Kind::Scope(scope) => {
                let key = self.keys.iter().find(|(has, _)| *has == scope).unwrap().1.clone();
                vec![key, self.credential(Caller::Admin)]
            }
        }
    }

    /// Those of the tenant's own who may not, and what they are told.
    pub(super) fn lacking(&self, world: &World, kind: Kind) -> Vec<(String, &'static str)> {
        let people = [Caller::User, Caller::Vendor].map(|caller| (self.credential(caller), "forbidden"));
        let others = match kind {
            Kind::Public => return Vec::new(),
            Kind::Operator => vec![
                (self.credential(Caller::Admin), "forbidden"),
                (self.credential(Caller::Key), "forbidden"),
            ],
            Kind::Admin => vec![(self.credential(Caller::Key), "forbidden")],
            Kind::Scope(scope) => {
                let others: Vec<_> = Scope::ALL.into_iter().filter(|other| *other != scope).collect();
                vec![(world.key(Some(self.tenant), &others), "missing_scope")]
            }
        };
        people.into_iter().chain(others).collect()
    }
}
