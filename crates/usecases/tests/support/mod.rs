//! What the use cases' tests have in common: a tenant by the front door, worked on until it stands still.

#![allow(dead_code, reason = "every test file uses its own part of this")]

use std::sync::Arc;
use tenantry_domain::id::TenantId;
use tenantry_domain::people::Device;
use tenantry_domain::tenant::{Plan, Slug, Status, Tenant, TenantName};
use tenantry_ports::{PoolState, Secret, StoreError, TenantFilter, TenantScope};

use tenantry_testkit::{FakeSchemaCheck, TestPlatform, sample};
use tenantry_usecases::Policy;
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
