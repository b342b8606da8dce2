//! Everybody who may call: kinds of credentials, and what each of them is good for.

use std::sync::atomic::{AtomicUsize, Ordering};

use tenantry_domain::id::{SessionId, TenantId, UserId};
use tenantry_domain::people::{Role, User};
use tenantry_domain::tenant::Tenant;
use tenantry_ports::{AccessClaims, Clock as _, Scope, StoreError, TenantScope};
use tenantry_testkit::sample;
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
    /// A token that was got for such a key.
    OAuth,
}

/// Everybody of another tenant that walls have to hold against. A new kind of credential is entered here.
pub(super) const STRANGERS: [Caller; 5] =
    [Caller::Admin, Caller::User, Caller::Vendor, Caller::Key, Caller::OAuth];

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
        let tenant = tenant(world, slug).id;
        let person = |role| {
            let (user, session) = somebody(world, slug, role);
            let now = world.test.clock.now();
            let claims = AccessClaims {
                user,
                tenant,
                role,
                session,
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
                Caller::OAuth => token(world, &world.key(Some(tenant), &Scope::ALL)),
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
            Kind::Person => vec![self.credential(Caller::Admin), self.credential(Caller::User)],
            Kind::Scope(scope) => {
                let key = self.keys.iter().find(|(has, _)| *has == scope).unwrap().1.clone();
                vec![key, self.credential(Caller::Admin)]
            }
        }
    }

    /// Those of the tenant's own who may not, and what they are told.
    pub(super) fn lacking(&self, world: &World, kind: Kind) -> Vec<(String, &'static str)> {
        let of = |caller| (self.credential(caller), "forbidden");
        let machines = [of(Caller::Key), of(Caller::OAuth)];
        let people = match kind {
            Kind::Person => Vec::new(),
            _ => vec![of(Caller::User), of(Caller::Vendor)],
        };
        let others = match kind {
            Kind::Public => return Vec::new(),
            Kind::Operator => machines.into_iter().chain([of(Caller::Admin)]).collect(),
            Kind::Person => machines.into_iter().chain([(self.operator.clone(), "forbidden")]).collect(),
            Kind::Admin => Vec::from(machines),
            Kind::Scope(scope) => {
                let others: Vec<_> = Scope::ALL.into_iter().filter(|other| *other != scope).collect();
                let key = world.key(Some(self.tenant), &others);
                vec![(token(world, &key), "missing_scope"), (key, "missing_scope")]
            }
        };
        people.into_iter().chain(others).collect()
    }
}

fn tenant(world: &World, slug: &str) -> Tenant {
    tenants::find(world.platform(), &TenantRef::Slug(slug.parse().unwrap())).unwrap().unwrap()
}

/// Somebody new of this tenant who is signed in.
pub(super) fn somebody(world: &World, slug: &str, role: Role) -> (UserId, SessionId) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let user = sample::user(&format!("walls{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    let user = User { role, ..user };
    let session = sample::session(&user);
    let scope = TenantScope::serving(&tenant(world, slug)).unwrap();
    let store = world.platform().stores.open(&scope).unwrap();
    store
        .write::<_, StoreError>(|tx| {
            tx.log().lock()?;
            tx.users().insert(&user, "no hash")?;
            tx.sessions().insert(&session)
        })
        .unwrap();
    (user.id, session.id)
}

/// What a machine gets for its key.
fn token(world: &World, key: &str) -> String {
    let client = authenticate(world.platform(), key).unwrap().unwrap();
    let Principal::Machine { key: id, .. } = &client else { panic!("{client:?}") };
    signing_keys::ensure(world.platform()).unwrap();
    machine_tokens::issue(world.platform(), &client, *id, None).unwrap().token.expose().to_owned()
}
