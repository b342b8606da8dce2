//! What the use cases' tests have in common: a tenant by the front door, worked on until it stands still.

#![allow(dead_code, reason = "every test file uses its own part of this")]

use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Plan, Slug, Status, TenantName};
use tenantry_ports::{Secret, TenantScope};
use tenantry_testkit::{TestPlatform, sample};
use tenantry_usecases::provisioning::{Worked, work_once};
use tenantry_usecases::tenants::{self, Announced, CreateTenant, InitTenant, NewAdmin, Progress, TenantRef};

pub(crate) fn acme() -> InitTenant {
    InitTenant {
        name: TenantName::new("Acme Corporation").unwrap(),
        slug: Slug::new("acme").unwrap(),
        plan: Plan::Premium,
        contact_email: None,
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
    CreateTenant { name, slug, plan, config: None, admin }
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
