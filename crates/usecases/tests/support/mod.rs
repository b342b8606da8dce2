//! What the use cases' tests have in common: a tenant by the front door, worked on until it stands still.

#![allow(dead_code, reason = "every test file uses its own part of this")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chrono::TimeDelta;
use tenantry_domain::id::TenantId;
use tenantry_domain::people::Device;
use tenantry_domain::tenant::{Plan, Slug, Status, Tenant, TenantName};
use tenantry_ports::{
    PoolState, Secret, StoreError, TenantDatabases as _, TenantFilter, TenantScope, TenantStore,
    TenantStores as _,
};
use tenantry_testkit::{FakeSchemaCheck, TestPlatform, sample};
use tenantry_usecases::Policy;
use tenantry_usecases::fleet::{self, Member, Order};
use tenantry_usecases::provisioning::{Tended, Worked, tend_once, work_once};
use tenantry_usecases::sign_in::Login;
use tenantry_usecases::tenants::{self, Announced, CreateTenant, InitTenant, NewAdmin, Progress, TenantRef};

pub(crate) fn acme() -> InitTenant {
    InitTenant {
        name: TenantName::new("Acme Corporation").unwrap(),
        slug: Slug::new("acme").unwrap(),
        plan: Plan::Premium,
        contact_email: None,
        cluster: None,
    }
}

pub(crate) fn acme_with_admin() -> CreateTenant {
    let InitTenant { name, slug, plan, .. } = acme();
    let admin = NewAdmin {
        email: sample::email("Admin@acme.example"),
        username: None,
        password: Secret::new("ChangeMe123!"),
        first_name: None,
        last_name: None,
    };
    CreateTenant { name, slug, plan, config: None, admin, cluster: None }
}

/// An active acme with the admin `Admin@acme.example`.
pub(crate) fn acme_in_service(test: &TestPlatform) -> (Tenant, TenantScope) {
    let id = tenants::create(&test.platform, acme_with_admin()).unwrap().tenant.id;
    work_off(test);
    let tenant = tenants::find(&test.platform, &TenantRef::Id(id)).unwrap().unwrap();
    let scope = TenantScope::serving(&tenant).unwrap();
    (tenant, scope)
}

/// What somebody types in at a device that nobody has signed in from.
pub(crate) fn typed(email: &str, password: &str) -> Login {
    Login {
        email: sample::email(email),
        password: Secret::new(password),
        device: Device::new(Some("browser"), Some([192, 0, 2, 7].into())),
        network: Some([192, 0, 2, 7].into()),
        device_token: None,
        trace: "login".to_owned(),
    }
}

/// Announces and confirms acme.
pub(crate) fn queued(test: &TestPlatform) -> TenantId {
    let Announced { tenant, confirm_token } = tenants::init(&test.platform, acme()).unwrap();
    tenants::confirm(&test.platform, confirm_token.expose()).unwrap();
    tenant
}

/// Works until no run is open any more; a postponed run is waited for by moving the clock.
pub(crate) fn work_off(test: &TestPlatform) {
    loop {
        match work_once(&test.platform, "worker").unwrap() {
            Worked::Idle => return,
            Worked::Finished(_) => {}
            Worked::Postponed(_, due) => {
                test.clock.set(due.max(tenantry_ports::Clock::now(&*test.clock)));
            }
            Worked::Lost(tenant) => panic!("the run of {tenant} was lost"),
        }
    }
}

pub(crate) fn progress(test: &TestPlatform, id: TenantId) -> Progress {
    tenants::progress(&test.platform, id).unwrap().expect("the tenant is there")
}

pub(crate) fn status(test: &TestPlatform, id: TenantId) -> Status {
    progress(test, id).tenant.lifecycle.status()
}

/// An active acme.
pub(crate) fn active(test: &TestPlatform) -> TenantScope {
    let id = queued(test);
    work_off(test);
    let tenant = tenants::find(&test.platform, &TenantRef::Id(id)).unwrap().unwrap();
    TenantScope::serving(&tenant).unwrap()
}

/// A platform that keeps so many databases ready, with none made yet.
pub(crate) fn with_pool(size: usize) -> TestPlatform {
    let policy = Policy { pool_size: size, ..Policy::default() };
    TestPlatform::with(policy, Arc::new(FakeSchemaCheck::content()))
}

/// Looks after the pool until it is as it should be; what has to wait is waited for by moving the clock.
pub(crate) fn tend(test: &TestPlatform) {
    loop {
        match tend_once(&test.platform).unwrap() {
            Tended::Idle => return,
            Tended::Done => {}
            Tended::Postponed => {
                test.clock.advance(test.platform.policy.lease);
            }
        }
    }
}

/// Every invariant of the databases there are: each belongs to a tenant whose state owns one, or to the pool.
pub(crate) fn assert_no_orphans(test: &TestPlatform) {
    let registered = test
        .platform
        .control
        .read::<_, StoreError>(|tx| {
            let mut owners: Vec<TenantId> = tx
                .pool()
                .all()?
                .into_iter()
                .filter(|(_, state)| !matches!(state, PoolState::Taken { .. }))
                .map(|(pooled, _)| TenantId::new(pooled.id))
                .collect();
            let tenants = tx.tenants().page(&TenantFilter::default(), None, 1000)?;
            let owning = tenants.into_iter().filter(|tenant| {
                let status = tenant.lifecycle.status();
                matches!(status, Status::Active | Status::Suspended | Status::Deprovisioning)
            });
            owners.extend(owning.map(|tenant| tenant.id));
            Ok(owners)
        })
        .unwrap();
    for (name, owner) in test.world.existing() {
        assert!(owner.is_none_or(|owner| registered.contains(&owner)), "{name} belongs to nobody: {owner:?}");
    }
}

/// Brings the databases up to date that are not.
pub(crate) fn migrate(test: &TestPlatform) {
    let behind = fleet::behind(&test.platform).unwrap();
    fleet::migrate(&test.platform, behind, &Order { canary: None, parallel: 2 }, |_| {});
}

/// What workers do by themselves, until there is nothing left to do. Faults that are still to come, come now.
pub(crate) fn come_to_rest(test: &TestPlatform) {
    for _ in 0..1_000 {
        let worked = catch_unwind(AssertUnwindSafe(|| work_once(&test.platform, "another").unwrap()));
        let tended = catch_unwind(AssertUnwindSafe(|| tend_once(&test.platform).unwrap()));
        let expired = tenants::expire(&test.platform).unwrap();
        let _ = catch_unwind(AssertUnwindSafe(|| migrate(test)));
        let behind = fleet::behind(&test.platform).unwrap().len();
        test.clock.advance(test.platform.policy.lease + TimeDelta::seconds(1));
        let due = test.platform.control.read::<_, StoreError>(|tx| tx.runs().open()).unwrap();
        let now = tenantry_ports::Clock::now(&*test.clock);
        // Whoever is told to go is going later.
        let soon = due.iter().any(|run| run.due.is_some_and(|due| due < now + TimeDelta::days(1)));
        let quiet = matches!((&worked, &tended), (Ok(Worked::Idle), Ok(Tended::Idle)));
        if quiet && !soon && expired + behind == 0 {
            return;
        }
    }
    panic!("the workers do not come to rest");
}

/// The databases that are not what their notes say: of another schema, or without what they are seeded with.
pub(crate) fn hollow(test: &TestPlatform) -> Vec<String> {
    // Faults that are still to come are not to come now.
    let (databases, stores) = (test.world.databases(), test.world.stores());
    let is_whole = |member: &Member| {
        let store: Arc<dyn TenantStore> = stores.open(&member.scope).unwrap();
        let seeded = store.read::<_, StoreError>(|tx| Ok(tx.settings().get()?.is_some())).unwrap();
        seeded && databases.pending(&member.scope).unwrap() == 0
    };
    let every = fleet::every(&test.platform).unwrap();
    every.iter().filter(|member| !is_whole(member)).map(|member| member.name().to_owned()).collect()
}
