//! Whatever happens on the way, a tenant ends in `Active` with its database, or in `Failed` with nothing left.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use support::{acme, acme_with_admin, active, progress, queued, status, work_off};
use tenantry_domain::config::demo;
use tenantry_domain::people::role_config;
use tenantry_domain::tenant::{Run, Settings, Slug, Status, StepKind, StepStatus};
use tenantry_ports::{Claim, Clock, DatabaseFault, StoreError};
use tenantry_testkit::{DatabaseCall, FailureMoment, FakeClock, FakeSchemaCheck, TestPlatform, sample};
use tenantry_usecases::Policy;
use tenantry_usecases::provisioning::{Worked, work_once};
use tenantry_usecases::tenants::{self, ConfirmError, CreateError, CreateTenant, InitError, TenantRef};

const MOMENTS: [FailureMoment; 2] = [FailureMoment::BeforeEffect, FailureMoment::AfterEffect];
const EFFECTS: [(DatabaseCall, StepKind); 3] = [
    (DatabaseCall::Create, StepKind::CreateDatabase),
    (DatabaseCall::Migrate, StepKind::ApplyMigrations),
    (DatabaseCall::Write, StepKind::SeedData),
];

fn steps(test: &TestPlatform, id: tenantry_domain::id::TenantId) -> Vec<(StepKind, u32, StepStatus)> {
    let progress = progress(test, id);
    progress
        .runs
        .iter()
        .flat_map(|run| &run.journal)
        .map(|step| (step.kind, step.attempt, step.status))
        .collect()
}

#[test]
fn a_confirmed_tenant_becomes_active_with_a_seeded_database() {
    let test = TestPlatform::new();
    let id = queued(&test);
    assert_eq!((status(&test, id), test.nudges()), (Status::Queued, 1));
    assert!(test.world.existing().is_empty(), "nothing is made before the worker comes");
    assert_eq!(work_once(&test.platform, "worker").unwrap(), Worked::Finished(id));
    assert_eq!(status(&test, id), Status::Active);
    let names: Vec<_> =
        test.world.existing().into_iter().map(|(name, owner)| (name.to_string(), owner)).collect();
    assert_eq!(names, [("ecom_tenant_acme".to_owned(), Some(id))]);
    let expected = [StepKind::Init, StepKind::CreateDatabase, StepKind::ApplyMigrations, StepKind::SeedData];
    assert_eq!(steps(&test, id), expected.map(|kind| (kind, 1, StepStatus::Success)));
}

#[test]
fn a_new_tenant_has_default_settings_with_the_role_templates_and_a_demonstration_config() {
    let test = TestPlatform::new();
    let store = test.platform.stores.open(&active(&test)).unwrap();
    let (settings, configs) = store
        .read::<_, StoreError>(|tx| Ok((tx.settings().get()?.unwrap(), tx.configs().page(None, 10)?)))
        .unwrap();
    assert_eq!(settings, Settings::default());
    assert_eq!(settings.roles, role_config().roles);
    assert_eq!(configs.iter().map(|head| head.id.as_str()).collect::<Vec<_>>(), [demo::DEMO_CONFIG_ID]);
}

#[test]
fn a_tenant_created_with_its_admin_takes_the_same_road() {
    let test = TestPlatform::new();
    let created = tenants::create(&test.platform, acme_with_admin()).unwrap();
    work_off(&test);
    assert_eq!(status(&test, created.tenant.id), Status::Active);
    assert_eq!(
        steps(&test, created.tenant.id).last(),
        Some(&(StepKind::CreateAdmin, 1, StepStatus::Success))
    );
    let tenant = tenants::find(&test.platform, &TenantRef::Id(created.tenant.id)).unwrap().unwrap();
    let store = test.platform.stores.open(&tenantry_ports::TenantScope::serving(&tenant).unwrap()).unwrap();
    let (admin, log) = store
        .read::<_, StoreError>(|tx| {
            Ok((tx.users().credentials(&sample::email("admin@ACME.example"))?, tx.log().page(0, 10)?))
        })
        .unwrap();
    assert_eq!(admin.unwrap().user.id, created.admin.id);
    let events: Vec<_> = log.iter().map(|entry| entry.event.event_type.to_string()).collect();
    assert_eq!(events, ["user.created"]);
}

#[test]
fn a_lasting_fault_at_any_effect_leaves_nothing() {
    for (call, kind) in EFFECTS {
        for moment in MOMENTS {
            let test = TestPlatform::new();
            test.databases.fail(call, moment, DatabaseFault::Lasting, 1);
            let id = queued(&test);
            work_off(&test);
            assert_eq!(status(&test, id), Status::Failed, "{call:?} {moment:?}");
            assert!(test.world.existing().is_empty(), "{call:?} {moment:?}");
            let steps = steps(&test, id);
            assert!(steps.contains(&(kind, 1, StepStatus::Failed)), "{steps:?}");
            let others = steps.iter().filter(|step| ![StepKind::Init, kind].contains(&step.0));
            assert!(others.clone().all(|step| step.2 == StepStatus::RolledBack), "{steps:?}");
            tenants::init(&test.platform, acme()).expect("the slug is free again");
        }
    }
}

#[test]
fn a_passing_fault_at_any_effect_is_got_over() {
    for (call, kind) in EFFECTS {
        for moment in MOMENTS {
            let test = TestPlatform::new();
            test.databases.fail(call, moment, DatabaseFault::Passing, 3);
            let id = queued(&test);
            work_off(&test);
            assert_eq!(status(&test, id), Status::Active, "{call:?} {moment:?}");
            let attempts: Vec<_> = steps(&test, id).into_iter().filter(|step| step.0 == kind).collect();
            let expected = [StepStatus::Failed, StepStatus::Failed, StepStatus::Failed, StepStatus::Success];
            assert!(attempts.iter().map(|step| step.2).eq(expected), "every attempt is kept: {attempts:?}");
        }
    }
}

/// The status of every attempt at `CreateAdmin`, and the tenant's, after a fault in that step alone.
fn fault_at_the_admin(
    moment: FailureMoment,
    fault: DatabaseFault,
) -> (TestPlatform, Status, Vec<StepStatus>) {
    let test = TestPlatform::new();
    // The first write seeds, the second one creates the admin.
    test.databases.before(DatabaseCall::Write, || {});
    test.databases.fail(DatabaseCall::Write, moment, fault, 1);
    let id = tenants::create(&test.platform, acme_with_admin()).unwrap().tenant.id;
    work_off(&test);
    let attempts = steps(&test, id).into_iter().filter(|step| step.0 == StepKind::CreateAdmin);
    let attempts = attempts.map(|step| step.2).collect();
    let status = status(&test, id);
    (test, status, attempts)
}

#[test]
fn a_lasting_fault_at_the_admin_leaves_nothing_and_a_passing_one_is_got_over() {
    for moment in MOMENTS {
        let (test, status, attempts) = fault_at_the_admin(moment, DatabaseFault::Lasting);
        assert_eq!((status, &attempts[..]), (Status::Failed, &[StepStatus::Failed][..]), "{moment:?}");
        assert!(test.world.existing().is_empty(), "{moment:?}");

        let (test, status, attempts) = fault_at_the_admin(moment, DatabaseFault::Passing);
        let expected = [StepStatus::Failed, StepStatus::Success];
        assert_eq!((status, &attempts[..]), (Status::Active, &expected[..]), "{moment:?}");
        assert_eq!(test.world.existing().len(), 1, "{moment:?}");
    }
}

#[test]
fn a_passing_fault_that_does_not_pass_fails_in_the_end() {
    let test = TestPlatform::new();
    test.databases.fail(DatabaseCall::Create, FailureMoment::AfterEffect, DatabaseFault::Passing, 99);
    let id = queued(&test);
    work_off(&test);
    assert_eq!(status(&test, id), Status::Failed);
    assert!(test.world.existing().is_empty());
    assert_eq!(test.databases.calls(DatabaseCall::Create), 6);
}

#[test]
fn an_undo_goes_on_until_it_has_succeeded() {
    for moment in MOMENTS {
        let test = TestPlatform::new();
        test.databases.fail(DatabaseCall::Migrate, FailureMoment::BeforeEffect, DatabaseFault::Lasting, 1);
        test.databases.fail(DatabaseCall::Remove, moment, DatabaseFault::Passing, 3);
        let id = queued(&test);
        work_off(&test);
        assert_eq!(status(&test, id), Status::Failed);
        assert!(test.world.existing().is_empty());
        assert_eq!(test.databases.calls(DatabaseCall::Remove), 4);
    }
}

#[test]
fn an_undo_that_fails_for_good_holds_the_slug_and_asks_for_attention() {
    let test = TestPlatform::new();
    test.databases.fail(DatabaseCall::Migrate, FailureMoment::BeforeEffect, DatabaseFault::Lasting, 1);
    test.databases.fail(DatabaseCall::Remove, FailureMoment::BeforeEffect, DatabaseFault::Lasting, 1);
    let id = queued(&test);
    work_off(&test);
    assert_eq!(status(&test, id), Status::Failed);
    assert!(matches!(tenants::init(&test.platform, acme()), Err(InitError::SlugTaken(_))));
}

#[test]
fn a_foreign_database_of_the_name_is_neither_adopted_nor_dropped() {
    let test = TestPlatform::new();
    let id = queued(&test);
    let database = progress(&test, id).tenant.database;
    test.world.make_foreign(&database);
    work_off(&test);
    assert_eq!(status(&test, id), Status::Failed);
    assert_eq!(test.world.existing(), [(database, None)]);
    let failure = progress(&test, id).runs[0].failure().unwrap().code.clone();
    assert_eq!(failure, "database_name_taken");
}

#[test]
fn a_run_that_a_dead_worker_left_anywhere_is_carried_on() {
    // A worker that panics in the middle of an effect is as dead as a killed one: its lease stays.
    for (call, _) in EFFECTS {
        for moment in MOMENTS {
            let test = TestPlatform::new();
            let id = queued(&test);
            test.databases.die(call, moment);
            let died =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work_once(&test.platform, "first")));
            assert!(died.is_err());
            assert_eq!(work_once(&test.platform, "second").unwrap(), Worked::Idle, "the lease still holds");
            test.clock.advance(test.platform.policy.lease + TimeDelta::microseconds(1));
            assert_eq!(work_once(&test.platform, "second").unwrap(), Worked::Finished(id));
            assert_eq!(status(&test, id), Status::Active, "{call:?} {moment:?}");
            assert!(steps(&test, id).iter().all(|step| step.1 == 1), "it is the same attempt");
        }
    }
}

#[test]
fn a_worker_whose_run_was_taken_over_changes_nothing_any_more() {
    let test = Arc::new(TestPlatform::new());
    let id = queued(&test);
    let meanwhile = Arc::clone(&test);
    test.databases.before(DatabaseCall::Migrate, move || {
        meanwhile.clock.advance(TimeDelta::minutes(5));
        assert_eq!(work_once(&meanwhile.platform, "second").unwrap(), Worked::Finished(id));
    });
    assert_eq!(work_once(&test.platform, "first").unwrap(), Worked::Lost(id));
    assert_eq!(status(&test, id), Status::Active);
    assert!(steps(&test, id).iter().all(|step| step.2 == StepStatus::Success));
}

/// A clock that counts how often it is asked.
struct CountingClock(Arc<FakeClock>, AtomicUsize);

impl Clock for CountingClock {
    fn now(&self) -> DateTime<Utc> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.now()
    }
}

#[test]
fn a_step_that_takes_long_keeps_its_lease() {
    let lease = TimeDelta::milliseconds(30);
    let mut test =
        TestPlatform::with(Policy { lease, ..Policy::default() }, Arc::new(FakeSchemaCheck::content()));
    let clock = Arc::new(CountingClock(Arc::clone(&test.clock), AtomicUsize::new(0)));
    Arc::get_mut(&mut test.platform).unwrap().clock = clock.clone();
    let test = Arc::new(test);
    let id = queued(&test);
    let (meanwhile, begun) = (Arc::clone(&test), test.clock.now());
    test.databases.before(DatabaseCall::Create, move || {
        meanwhile.clock.advance(lease / 2);
        // Two more questions, and the lease was renewed at least once after the first.
        let asked = clock.1.load(Ordering::SeqCst);
        while clock.1.load(Ordering::SeqCst) < asked + 2 {
            std::thread::yield_now();
        }
        let late = begun + lease + TimeDelta::milliseconds(1);
        let claim = meanwhile.platform.control.write(|tx| tx.runs().claim("second", late, lease));
        assert_eq!(claim.unwrap(), None::<Claim>);
    });
    assert_eq!(work_once(&test.platform, "first").unwrap(), Worked::Finished(id));
}

#[test]
fn a_run_whose_tenant_cannot_start_does_not_hold_up_the_others() {
    let test = TestPlatform::new();
    let stuck = active(&test).tenant();
    let run = Run::announced(stuck, 2, false, "queued by mistake", test.clock.now());
    let queue = |due| {
        test.platform.control.write::<_, StoreError>(|tx| {
            tx.runs().insert(&run, None)?;
            tx.runs().enqueue(stuck, 2, due)
        })
    };
    queue(test.clock.now() - TimeDelta::hours(1)).unwrap();
    let created = CreateTenant { slug: Slug::new("globex").unwrap(), ..acme_with_admin() };
    let next = tenants::create(&test.platform, created).unwrap().tenant.id;
    assert!(matches!(work_once(&test.platform, "worker").unwrap(), Worked::Postponed(id, _) if id == stuck));
    assert_eq!(work_once(&test.platform, "worker").unwrap(), Worked::Finished(next));
    assert_eq!((status(&test, stuck), status(&test, next)), (Status::Active, Status::Active));
}

#[test]
fn of_many_confirmations_one_queues() {
    let test = TestPlatform::new();
    let announced = tenants::init(&test.platform, acme()).unwrap();
    let confirm = || tenants::confirm(&test.platform, announced.confirm_token.expose());
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(confirm)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let refused = |result: &Result<_, _>| matches!(result, Err(ConfirmError::AlreadyConfirmed { .. }));
    assert_eq!(results.iter().filter(|result| refused(result)).count(), 15);
    assert_eq!(test.nudges(), 1);
}

#[test]
fn a_token_that_ran_out_confirms_nothing_and_frees_its_slug() {
    let test = TestPlatform::new();
    let late = tenants::init(&test.platform, acme()).unwrap();
    assert!(matches!(tenants::init(&test.platform, acme()), Err(InitError::SlugTaken(_))));
    test.clock.advance(TimeDelta::minutes(15) + TimeDelta::microseconds(1));
    let refused = tenants::confirm(&test.platform, late.confirm_token.expose());
    assert!(matches!(refused, Err(ConfirmError::InvalidToken)));
    let next = tenants::init(&test.platform, acme()).expect("nobody is coming back for it");
    assert_eq!(status(&test, late.tenant), Status::Expired);
    assert_eq!(status(&test, next.tenant), Status::PendingValidation);
}

#[test]
fn the_admins_password_is_looked_at_before_anything_is_stored() {
    let test = TestPlatform::new();
    let mut command = acme_with_admin();
    command.admin.password = tenantry_ports::Secret::new("acme");
    let Err(CreateError::Invalid(findings)) = tenants::create(&test.platform, command) else {
        panic!("accepted")
    };
    let codes: Vec<_> = findings.iter().map(|finding| (finding.pointer.as_str(), &*finding.code)).collect();
    assert_eq!(codes, [("/admin/password", "too_short"), ("/admin/password", "guessable_password")]);
    tenants::init(&test.platform, acme()).expect("the slug was not taken");
}

#[test]
fn tenants_are_found_by_id_and_by_slug() {
    let test = TestPlatform::new();
    let scope = active(&test);
    for name in ["acme".to_owned(), scope.tenant().to_string()] {
        let found = tenants::find(&test.platform, &name.parse().unwrap()).unwrap().unwrap();
        assert_eq!(found.id, scope.tenant());
        assert!(found.updated_at <= test.clock.now());
    }
    assert!(tenants::find(&test.platform, &"other".parse().unwrap()).unwrap().is_none());
    assert!("No Slug".parse::<TenantRef>().is_err());
}
