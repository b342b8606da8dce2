//! Facts about what operators see and do about runs: what is open, what was set aside, and what is called off.

use std::sync::Barrier;

use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Run, StepKind};
use tenantry_ports::{OpenRun, PendingAdmin, StoreError, StoreResult};

use super::runs::{
    LEASE, MOMENT, announced, claim, claimed, close, enqueue, queued, record, release, stored,
};
use crate::contract::Subject;
use crate::sample;

fn open(subject: &dyn Subject) -> Vec<OpenRun> {
    subject.control().read(|tx| tx.runs().open()).expect("the open runs are read")
}

fn set_aside(subject: &dyn Subject) -> Vec<(TenantId, u32)> {
    let aside = subject.control().read(|tx| tx.runs().set_aside()).expect("the runs set aside are read");
    assert!(aside.iter().all(|(_, _, reason)| !reason.is_empty()), "everything has its reason");
    aside.into_iter().map(|(tenant, number, _)| (tenant, number)).collect()
}

fn cancel(subject: &dyn Subject, run: &Run) -> StoreResult<()> {
    subject.control().write(|tx| tx.runs().cancel(run.tenant, run.number))
}

fn take_admin(subject: &dyn Subject, tenant: TenantId) -> Option<PendingAdmin> {
    subject.control().write(|tx| tx.runs().take_admin(tenant)).expect("taking does not fail")
}

/// A run that was queued at that second and can no longer be read.
fn spoilt(subject: &dyn Subject, slug: &str, second: i64) -> Run {
    let run = queued(subject, slug, sample::at(second));
    subject.spoil_run(run.tenant, run.number);
    run
}

/// What is not closed is listed by how long it has waited, with who works on it; what may not be claimed comes last.
pub fn open_runs_are_listed_by_how_long_they_have_waited(subject: &dyn Subject) {
    assert!(open(subject).is_empty());
    let held = announced(subject, "held", None);
    queued(subject, "closed", sample::at(1));
    close(subject, &claimed(subject, sample::at(1))).expect("the lease holds");
    let [last, leased, middle] =
        [30, 10, 20].map(|second| queued(subject, &format!("due-{second}"), sample::at(second)));
    let mine = claimed(subject, sample::at(12));
    assert_eq!(mine.run, leased);

    let entry = |run: &Run, due, lease| OpenRun { tenant: run.tenant, number: run.number, due, lease };
    let lease = Some(("worker-1".to_owned(), sample::at(12) + LEASE));
    let others = [
        entry(&middle, Some(sample::at(20)), None),
        entry(&last, Some(sample::at(30)), None),
        entry(&held, None, None),
    ];
    assert_eq!(open(subject)[0], entry(&leased, Some(sample::at(10)), lease));
    assert_eq!(open(subject)[1..], others);

    release(subject, &mine, sample::at(25)).expect("the lease holds");
    let due: Vec<_> = open(subject).into_iter().map(|run| (run.due, run.lease)).collect();
    assert_eq!(due[1], (Some(sample::at(25)), None), "nobody works on it any more");
}

/// A run that cannot be read stands in nobody's way: it is set aside, and the same claim gets the next one.
pub fn a_run_that_cannot_be_read_is_set_aside(subject: &dyn Subject) {
    let first = spoilt(subject, "first", 1);
    let second = spoilt(subject, "second", 2);
    let sound = queued(subject, "sound", sample::at(3));
    assert!(set_aside(subject).is_empty(), "nobody has come by yet");
    assert_eq!(claimed(subject, sample::at(5)).run, sound);
    let mut aside = [(first.tenant, first.number), (second.tenant, second.number)];
    aside.sort_unstable();
    let mut found = set_aside(subject);
    found.sort_unstable();
    assert_eq!(found, aside);
    assert_eq!(claim(subject, sample::at(5)), None);
    assert_eq!(set_aside(subject).len(), 2);
}

/// A run is as little use without its tenant.
pub fn a_run_whose_tenant_cannot_be_read_is_set_aside(subject: &dyn Subject) {
    let spoilt = queued(subject, "spoilt", sample::at(1));
    subject.spoil_tenant(spoilt.tenant);
    let sound = queued(subject, "sound", sample::at(2));
    assert_eq!(claimed(subject, sample::at(5)).run, sound);
    assert_eq!(set_aside(subject), [(spoilt.tenant, spoilt.number)]);
}

/// What was set aside is open still, waits for nobody, and is worked on by nobody.
pub fn what_was_set_aside_is_still_open(subject: &dyn Subject) {
    let spoilt = spoilt(subject, "spoilt", 1);
    let waiting = queued(subject, "waiting", sample::at(9));
    assert_eq!(claim(subject, sample::at(5)), None);
    let listed: Vec<_> = open(subject).into_iter().map(|run| (run.tenant, run.due, run.lease)).collect();
    assert_eq!(listed, [(waiting.tenant, Some(sample::at(9)), None), (spoilt.tenant, None, None)]);
}

/// Once somebody has seen to it, what was set aside is queued and claimed like any other run; if nobody has, it is set
/// aside again.
pub fn what_was_set_aside_is_claimed_once_it_is_queued_again(subject: &dyn Subject) {
    let run = spoilt(subject, "acme", 1);
    for _ in 0..2 {
        enqueue(subject, &run, sample::at(1));
        assert!(set_aside(subject).is_empty());
        assert_eq!(claim(subject, sample::at(5)), None);
        assert_eq!(set_aside(subject), [(run.tenant, run.number)]);
    }
    subject.mend_run(run.tenant, run.number);
    assert_eq!(claim(subject, sample::at(5)), None, "nobody has queued it");
    enqueue(subject, &run, sample::at(9));
    assert!(set_aside(subject).is_empty());
    assert_eq!(claim(subject, sample::at(9) - MOMENT), None, "it is not due yet");
    let mine = claimed(subject, sample::at(9));
    assert_eq!(mine.run, run);
    close(subject, &mine).expect("the lease holds");
    assert!(set_aside(subject).is_empty());
}

/// Whoever was at work on a run before it was set aside has lost it.
pub fn setting_aside_fences_a_zombie_off(subject: &dyn Subject) {
    let run = queued(subject, "acme", sample::at(0));
    let zombie = claimed(subject, sample::at(0));
    subject.spoil_run(run.tenant, run.number);
    assert_eq!(claim(subject, sample::at(60)), None);
    assert_eq!(set_aside(subject), [(run.tenant, run.number)]);
    assert!(matches!(record(subject, &zombie, sample::at(500)), Err(StoreError::Stale)));
    assert!(matches!(release(subject, &zombie, sample::at(61)), Err(StoreError::Stale)));
    assert!(matches!(close(subject, &zombie), Err(StoreError::Stale)));
    subject.mend_run(run.tenant, run.number);
    enqueue(subject, &run, sample::at(70));
    let heir = claimed(subject, sample::at(70));
    assert!(heir.lease.fence > zombie.lease.fence);
    assert!(matches!(record(subject, &zombie, sample::at(500)), Err(StoreError::Stale)));
}

/// A run that nobody works on is called off, whether it waits for its time, for an operator or for nothing; its journal
/// stays.
pub fn a_run_nobody_works_on_is_cancelled(subject: &dyn Subject) {
    let aside = spoilt(subject, "aside", 1);
    assert_eq!(claim(subject, sample::at(2)), None);
    let given_back = queued(subject, "given-back", sample::at(2));
    release(subject, &claimed(subject, sample::at(2)), sample::at(3)).expect("the lease holds");
    let due = queued(subject, "due", sample::at(4));
    let held = announced(subject, "held", None);
    let other = queued(subject, "other", sample::at(8));

    for run in [&aside, &given_back, &due, &held] {
        cancel(subject, run).expect("nobody works on it");
        let again = subject.control().write(|tx| tx.runs().enqueue(run.tenant, 1, sample::at(5)));
        assert!(matches!(again, Err(StoreError::Stale)), "it is closed");
    }
    assert!(set_aside(subject).is_empty());
    let left: Vec<_> = open(subject).into_iter().map(|run| run.tenant).collect();
    assert_eq!(left, [other.tenant]);
    assert_eq!(claim(subject, sample::at(7)), None);
    assert_eq!(claimed(subject, sample::at(8)).run, other);
    for run in [given_back, due, held] {
        assert_eq!(stored(subject, run.tenant), [run]);
    }
}

/// A run that is being worked on is not called off, even if its worker has been silent for long; nor is one that is done
/// with or was never there.
pub fn a_leased_closed_or_unknown_run_is_not_cancelled(subject: &dyn Subject) {
    let run = queued(subject, "acme", sample::at(0));
    let mut mine = claimed(subject, sample::at(0));
    assert!(matches!(cancel(subject, &run), Err(StoreError::Stale)), "leased");
    mine.run.begin(StepKind::CreateDatabase, sample::at(1));
    record(subject, &mine, sample::at(60)).expect("the lease is unharmed");
    close(subject, &mine).expect("the lease holds");
    assert!(matches!(cancel(subject, &run), Err(StoreError::Stale)), "closed");
    let unknown = Run { number: 2, ..run.clone() };
    assert!(matches!(cancel(subject, &unknown), Err(StoreError::Stale)), "unknown");

    let twice = announced(subject, "twice", None);
    cancel(subject, &twice).expect("nobody works on it");
    assert!(matches!(cancel(subject, &twice), Err(StoreError::Stale)), "closed");
    assert_eq!(stored(subject, run.tenant), [mine.run]);
}

/// A run is called off together with whatever else is written, or not at all.
pub fn a_run_is_cancelled_with_the_rest_of_its_unit_of_work(subject: &dyn Subject) {
    let run = announced(subject, "acme", None);
    let expired = |version| {
        subject.control().write(|tx| {
            let mut tenant = tx.tenants().get(run.tenant)?.expect("the tenant is there");
            tenant.version = version;
            tx.runs().cancel(run.tenant, run.number)?;
            tx.tenants().update(&tenant)
        })
    };
    assert!(matches!(expired(7), Err(StoreError::Stale)));
    assert_eq!(open(subject).len(), 1, "it waits as before");
    expired(2).expect("nobody changed the tenant");
    assert!(open(subject).is_empty());
}

/// Where a worker and an operator come for a run at once, one of them gets it.
pub fn a_run_is_claimed_or_cancelled_and_never_both(subject: &dyn Subject) {
    for i in 0..20 {
        let run = queued(subject, &format!("tenant-{i}"), sample::at(0));
        let start = Barrier::new(2);
        let (claimed, cancelled) = std::thread::scope(|scope| {
            let operator = scope.spawn(|| {
                start.wait();
                cancel(subject, &run)
            });
            start.wait();
            (claim(subject, sample::at(0)), operator.join().expect("no panic"))
        });
        match (&claimed, &cancelled) {
            (None, Ok(())) => assert!(open(subject).is_empty()),
            (Some(claim), Err(StoreError::Stale)) => close(subject, claim).expect("the lease holds"),
            both => panic!("{both:?}"),
        }
    }
}

/// A run's admin outlives the run, and is there until somebody takes it, which happens once.
pub fn a_pending_admin_is_taken_once(subject: &dyn Subject) {
    let [admin, other] = [sample::pending_admin(), sample::pending_admin()];
    let run = announced(subject, "acme", Some(&admin));
    let others = announced(subject, "other", Some(&other));
    let without = announced(subject, "without", None);
    enqueue(subject, &run, sample::at(0));
    let mine = claimed(subject, sample::at(0));
    release(subject, &mine, sample::at(1)).expect("the lease holds");
    let mine = claimed(subject, sample::at(1));
    assert_eq!(mine.admin.as_ref(), Some(&admin), "giving a run back keeps the admin");
    close(subject, &mine).expect("the lease holds");

    assert_eq!(take_admin(subject, run.tenant), Some(admin), "closing it does, too");
    assert_eq!(take_admin(subject, run.tenant), None);
    assert_eq!(take_admin(subject, without.tenant), None);
    assert_eq!(take_admin(subject, sample::id()), None);
    cancel(subject, &others).expect("nobody works on it");
    assert_eq!(take_admin(subject, others.tenant), Some(other), "and calling it off");
}

/// An admin goes from the run that failed to the next one, and the former is without.
pub fn an_admin_moves_to_the_next_run(subject: &dyn Subject) {
    let run = announced(subject, "acme", Some(&sample::pending_admin()));
    enqueue(subject, &run, sample::at(0));
    close(subject, &claimed(subject, sample::at(0))).expect("the lease holds");
    let retry = Run { number: 2, ..run.clone() };
    let moved = subject.control().write(|tx| {
        let admin = tx.runs().take_admin(run.tenant)?;
        tx.runs().insert(&retry, admin.as_ref())?;
        tx.runs().enqueue(retry.tenant, retry.number, sample::at(2))?;
        Ok::<_, StoreError>(admin)
    });
    let admin = moved.expect("the second run is queued");
    assert!(admin.is_some());
    let next = claimed(subject, sample::at(2));
    assert_eq!((next.lease.number, &next.admin), (2, &admin));
    assert_eq!(stored(subject, run.tenant), [run.clone(), retry]);
    assert_eq!(take_admin(subject, run.tenant), admin);
    assert_eq!(take_admin(subject, run.tenant), None);
}

/// Of many who take an admin at once, one gets it. Who takes it and then fails has not taken it.
pub fn of_concurrent_takers_one_gets_the_admin(subject: &dyn Subject) {
    let admin = sample::pending_admin();
    let run = announced(subject, "acme", Some(&admin));
    let outcome: StoreResult<()> = subject.control().write(|tx| {
        assert!(tx.runs().take_admin(run.tenant)?.is_some());
        Err(StoreError::Stale)
    });
    assert!(outcome.is_err());
    let start = Barrier::new(8);
    let taken: Vec<_> = std::thread::scope(|scope| {
        let takers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    take_admin(subject, run.tenant)
                })
            })
            .collect();
        takers.into_iter().filter_map(|taker| taker.join().expect("no panic")).collect()
    });
    assert_eq!(taken, [admin]);
}
