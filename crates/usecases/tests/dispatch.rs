//! A run that finds a worker free is claimed for it by the commit that queues it; everything else stays as it is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use support::{acme, acme_with_admin, progress, queued, status, work_off};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Slug, Status};
use tenantry_ports::{Assignment, DatabaseFault, Hired, Nudge};
use tenantry_testkit::{DatabaseCall, FailureMoment, TestPlatform};
use tenantry_usecases::provisioning::{Worked, carry_on, work_once};
use tenantry_usecases::tenants::{self, ConfirmError, CreateError, InitTenant};

/// Workers that are free, and what they are told.
#[derive(Default)]
struct Crew {
    free: Mutex<usize>,
    told: Mutex<Vec<Assignment>>,
}

struct Worker(Arc<Crew>);

struct Foreman(Arc<Crew>);

impl Nudge for Foreman {
    fn runs_are_due(&self) {}

    fn hire(&self) -> Option<Box<dyn Hired>> {
        let mut free = self.0.free.lock().unwrap();
        *free = free.checked_sub(1)?;
        Some(Box::new(Worker(Arc::clone(&self.0))))
    }
}

impl Hired for Worker {
    fn name(&self) -> &str {
        "hired"
    }

    fn begin(self: Box<Self>, assignment: Assignment) {
        self.0.told.lock().unwrap().push(assignment);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap() += 1;
    }
}

fn with_workers(free: usize) -> (TestPlatform, Arc<Crew>) {
    let (test, crew) = (TestPlatform::new(), Arc::new(Crew { free: Mutex::new(free), ..Crew::default() }));
    test.nudge_also(Arc::new(Foreman(Arc::clone(&crew))));
    (test, crew)
}

impl Crew {
    fn fetch(&self) -> Assignment {
        self.told.lock().unwrap().remove(0)
    }

    fn is_idle(&self) -> bool {
        self.told.lock().unwrap().is_empty() && *self.free.lock().unwrap() == 1
    }
}

fn queued_as(test: &TestPlatform, slug: &str) -> TenantId {
    let announced =
        tenants::init(&test.platform, InitTenant { slug: Slug::new(slug).unwrap(), ..acme() }).unwrap();
    tenants::confirm(&test.platform, announced.confirm_token.expose()).unwrap();
    announced.tenant
}

#[test]
fn a_free_worker_has_the_run_when_it_is_queued() {
    let (test, crew) = with_workers(1);
    let id = queued(&test);
    assert_eq!((status(&test, id), test.nudges()), (Status::Provisioning, 0));
    assert_eq!(work_once(&test.platform, "other").unwrap(), Worked::Idle, "it is leased");
    assert_eq!(carry_on(&test.platform, crew.fetch()).unwrap(), Worked::Finished(id));
    assert_eq!(status(&test, id), Status::Active);
    assert!(crew.is_idle());
}

#[test]
fn so_has_one_that_comes_with_an_admin_also_when_it_fails() {
    let (test, crew) = with_workers(1);
    let id = tenants::create(&test.platform, acme_with_admin()).unwrap().tenant.id;
    test.databases.fail(DatabaseCall::Create, FailureMoment::BeforeEffect, DatabaseFault::Lasting, 1);
    assert_eq!(carry_on(&test.platform, crew.fetch()).unwrap(), Worked::Finished(id));
    assert_eq!(status(&test, id), Status::Failed);
}

#[test]
fn without_a_free_worker_whoever_looks_finds_it() {
    let (test, crew) = with_workers(0);
    let id = queued(&test);
    assert_eq!((status(&test, id), test.nudges()), (Status::Queued, 1));
    work_off(&test);
    assert_eq!(status(&test, id), Status::Active);
    assert!(crew.told.lock().unwrap().is_empty());
}

#[test]
fn whoever_has_waited_longer_comes_first_and_the_other_is_looked_for() {
    let (test, crew) = with_workers(0);
    let first = queued_as(&test, "first");
    *crew.free.lock().unwrap() = 1;
    test.clock.advance(TimeDelta::seconds(1));
    let second = queued_as(&test, "second");
    assert_eq!((status(&test, second), test.nudges()), (Status::Queued, 2));
    assert_eq!(carry_on(&test.platform, crew.fetch()).unwrap(), Worked::Finished(first));
    work_off(&test);
    assert_eq!(status(&test, second), Status::Active);
}

#[test]
fn what_is_not_queued_is_nobodys_work() {
    let (test, crew) = with_workers(1);
    let announced = tenants::init(&test.platform, acme()).unwrap();
    let taken = tenants::create(&test.platform, acme_with_admin());
    assert!(matches!(taken, Err(CreateError::SlugTaken(_))));
    let token = announced.confirm_token.expose();
    tenants::confirm(&test.platform, token).unwrap();
    carry_on(&test.platform, crew.fetch()).unwrap();
    let again = tenants::confirm(&test.platform, token);
    assert!(matches!(again, Err(ConfirmError::AlreadyConfirmed { .. })));
    assert!(crew.is_idle());
}

#[test]
fn a_run_whose_worker_is_gone_goes_to_another_when_its_lease_has_expired() {
    let (test, crew) = with_workers(1);
    let id = queued(&test);
    let abandoned = crew.fetch();
    test.clock.advance(test.platform.policy.lease);
    assert_eq!(work_once(&test.platform, "other").unwrap(), Worked::Finished(id));
    assert_eq!(carry_on(&test.platform, abandoned).unwrap(), Worked::Lost(id));
    assert_eq!(progress(&test, id).runs.len(), 1);
    assert_eq!(status(&test, id), Status::Active);
}
