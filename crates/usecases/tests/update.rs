//! Changing what is known of a tenant, and following what becomes of one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use support::{acme_with_admin, progress, queued, status, work_off};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Lifecycle, Plan, Status, StepRecord, TenantName};
use tenantry_ports::{Clock as _, DatabaseFault, Nudge};
use tenantry_testkit::{DatabaseCall, FailureMoment, TestPlatform, sample};
use tenantry_usecases::provisioning::work_once;
use tenantry_usecases::tenants::{self, Progress, Target, TenantChange, UpdateError};

const fn any(tenant: TenantId) -> Target<'static> {
    Target { tenant, version: None, by: "operator" }
}

fn renamed(name: &str) -> TenantChange {
    TenantChange { name: Some(TenantName::new(name).unwrap()), ..TenantChange::default() }
}

#[test]
fn what_is_given_changes_and_the_rest_stays() {
    let test = TestPlatform::new();
    let id = queued(&test);
    work_off(&test);
    let before = progress(&test, id).tenant;
    test.clock.advance(TimeDelta::seconds(1));
    let change =
        TenantChange { contact_email: Some(Some(sample::email("new@acme.example"))), ..renamed("Acme Inc") };
    let after = tenants::update(&test.platform, any(id), change).unwrap();
    assert_eq!(after, progress(&test, id).tenant);
    assert_eq!((after.name.as_str(), after.plan), ("Acme Inc", before.plan));
    assert_eq!((after.version, after.updated_at), (before.version + 1, test.clock.now()));
    assert_eq!(after.lifecycle, before.lifecycle);
    let cleared =
        TenantChange { contact_email: Some(None), plan: Some(Plan::Basic), ..TenantChange::default() };
    let after = tenants::update(&test.platform, any(id), cleared).unwrap();
    assert_eq!((after.contact_email, after.plan), (None, Plan::Basic));
}

#[test]
fn no_difference_is_no_change() {
    let test = TestPlatform::new();
    let id = queued(&test);
    let before = progress(&test, id).tenant;
    for nothing in [TenantChange::default(), renamed(before.name.as_str())] {
        assert_eq!(tenants::update(&test.platform, any(id), nothing).unwrap(), before);
    }
    assert_eq!(progress(&test, id).tenant, before);
}

#[test]
fn a_tenant_that_changed_since_or_is_gone_is_not_changed() {
    let test = TestPlatform::new();
    let id = queued(&test);
    let version = progress(&test, id).tenant.version;
    let stale = Target { tenant: id, version: Some(version - 1), by: "operator" };
    let refused = tenants::update(&test.platform, stale, renamed("Acme Inc"));
    assert!(matches!(refused, Err(UpdateError::Stale)));
    assert!(
        tenants::update(&test.platform, Target { version: Some(version), ..stale }, renamed("Acme Inc"))
            .is_ok()
    );
    let nobody = tenants::update(&test.platform, any(sample::id()), renamed("Acme Inc"));
    assert!(matches!(nobody, Err(UpdateError::NoSuchTenant)));
}

#[test]
fn a_tenant_that_a_worker_is_at_is_left_alone() {
    let test = TestPlatform::new();
    let id = queued(&test);
    test.databases.fail(DatabaseCall::Create, FailureMoment::BeforeEffect, DatabaseFault::Passing, 1);
    work_once(&test.platform, "worker").unwrap();
    let refused = tenants::update(&test.platform, any(id), renamed("Acme Inc"));
    assert!(matches!(refused, Err(UpdateError::InWork(Status::Provisioning))), "{refused:?}");
    test.clock.advance(TimeDelta::minutes(1));
    work_off(&test);
    assert_eq!(status(&test, id), Status::Active, "and the worker finishes");
}

#[test]
fn one_that_waits_for_its_end_may_be_given_less_time_but_not_more() {
    let test = TestPlatform::new();
    let id = queued(&test);
    work_off(&test);
    let told = tenants::deprovision(&test.platform, any(id), Some(TimeDelta::days(2))).unwrap();
    let longer = tenants::deprovision(&test.platform, any(id), Some(TimeDelta::days(3)));
    assert!(matches!(longer, Err(tenants::ChangeError::Refused(_))), "{longer:?}");
    assert_eq!(progress(&test, id).tenant, told);
    tenants::deprovision(&test.platform, any(id), Some(TimeDelta::zero())).unwrap();
    assert_eq!(progress(&test, id).runs.len(), 2, "its run only comes up sooner");
    work_off(&test);
    assert_eq!(status(&test, id), Status::Deleted);
}

/// Notes how a tenant looks whenever it is said to have changed.
struct Onlooker {
    test: TestPlatform,
    seen: Mutex<Vec<Progress>>,
}

impl Nudge for Onlooker {
    fn runs_are_due(&self) {}

    fn tenant_changed(&self, tenant: TenantId) {
        self.seen.lock().unwrap().push(progress(&self.test, tenant));
    }
}

/// What there is to see of a tenant.
fn sight(progress: &Progress) -> (Lifecycle, Vec<StepRecord>) {
    let journal = progress.runs.iter().flat_map(|run| run.journal.iter().cloned());
    (progress.tenant.lifecycle.clone(), journal.collect())
}

#[test]
fn every_change_is_told_after_its_commit_and_makes_the_revision_larger() {
    let test = Arc::new(Onlooker { test: TestPlatform::new(), seen: Mutex::default() });
    let platform = &test.test.platform;
    test.test.nudge_also(Arc::clone(&test) as _);
    let lasting =
        |call| test.test.databases.fail(call, FailureMoment::BeforeEffect, DatabaseFault::Lasting, 1);
    let passing =
        |call| test.test.databases.fail(call, FailureMoment::AfterEffect, DatabaseFault::Passing, 1);
    passing(DatabaseCall::Create);
    lasting(DatabaseCall::Migrate);
    passing(DatabaseCall::Remove);
    let tenant = tenants::create(platform, acme_with_admin()).unwrap().tenant;
    let announced = progress(&test.test, tenant.id);
    work_off(&test.test);
    let target = any(tenant.id);
    tenants::retry(platform, target).unwrap();
    work_off(&test.test);
    tenants::suspend(platform, target).unwrap();
    tenants::resume(platform, target).unwrap();
    tenants::deprovision(platform, target, None).unwrap();
    tenants::restore(platform, target).unwrap();
    tenants::deprovision(platform, target, Some(TimeDelta::zero())).unwrap();
    passing(DatabaseCall::Remove);
    work_off(&test.test);

    let seen = test.seen.lock().unwrap();
    let statuses: Vec<_> = seen.iter().map(|seen| seen.tenant.lifecycle.status()).collect();
    for status in [Status::Provisioning, Status::Failed, Status::Queued, Status::Active, Status::Deleted] {
        assert!(statuses.contains(&status), "{status} was not told: {statuses:?}");
    }
    assert_eq!(
        sight(seen.last().unwrap()),
        sight(&progress(&test.test, tenant.id)),
        "the last change is told, too"
    );
    let sights = std::iter::once(&announced).chain(seen.iter());
    for (before, after) in sights.clone().zip(sights.skip(1)) {
        let (older, newer) = (before.revision(), after.revision());
        assert!(older <= newer, "{before:?} {after:?}");
        assert_eq!(older == newer, sight(before) == sight(after), "{before:?} {after:?}");
    }
}
