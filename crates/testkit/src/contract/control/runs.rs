//! Facts about provisioning runs: journal, queue and leases.

use std::collections::BTreeMap;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Direction, Run, RunKind, StepKind, StepStatus};
use tenantry_ports::{Claim, Constraint, PendingAdmin, StoreError};

use crate::contract::{Subject, conflict};
use crate::sample;

pub(super) const LEASE: TimeDelta = TimeDelta::seconds(10);
pub(super) const MOMENT: TimeDelta = TimeDelta::microseconds(1);

/// A new tenant with its first run, which nobody may claim yet.
pub(super) fn announced(subject: &dyn Subject, slug: &str, admin: Option<&PendingAdmin>) -> Run {
    let tenant = sample::tenant(slug);
    let kind = RunKind::Provision { with_admin: admin.is_some() };
    let run = Run { kind, ..sample::run(&tenant) };
    subject
        .control()
        .write(|tx| {
            tx.tenants().insert(&tenant)?;
            tx.runs().insert(&run, admin)
        })
        .expect("tenant and run are added");
    run
}

/// The same, claimable from `due` on.
pub(super) fn queued(subject: &dyn Subject, slug: &str, due: DateTime<Utc>) -> Run {
    let run = announced(subject, slug, None);
    enqueue(subject, &run, due);
    run
}

pub(super) fn enqueue(subject: &dyn Subject, run: &Run, due: DateTime<Utc>) {
    subject
        .control()
        .write(|tx| tx.runs().enqueue(run.tenant, run.number, due))
        .expect("the run is enqueued");
}

pub(super) fn claim(subject: &dyn Subject, now: DateTime<Utc>) -> Option<Claim> {
    subject.control().write(|tx| tx.runs().claim("worker-1", now, LEASE)).expect("claiming does not fail")
}

pub(super) fn claimed(subject: &dyn Subject, now: DateTime<Utc>) -> Claim {
    claim(subject, now).expect("a run is due")
}

pub(super) fn record(subject: &dyn Subject, claim: &Claim, until: DateTime<Utc>) -> Result<(), StoreError> {
    subject.control().write(|tx| tx.runs().record(&claim.lease, &claim.run, until))
}

pub(super) fn release(subject: &dyn Subject, claim: &Claim, due: DateTime<Utc>) -> Result<(), StoreError> {
    subject.control().write(|tx| tx.runs().release(&claim.lease, &claim.run, due))
}

pub(super) fn close(subject: &dyn Subject, claim: &Claim) -> Result<(), StoreError> {
    subject.control().write(|tx| tx.runs().close(&claim.lease, &claim.run))
}

pub(super) fn stored(subject: &dyn Subject, tenant: TenantId) -> Vec<Run> {
    subject.control().read(|tx| tx.runs().of_tenant(tenant)).expect("the runs are read")
}

/// A tenant's runs come back in order, each with its whole journal.
pub fn runs_and_journals_are_kept_in_order(subject: &dyn Subject) {
    let tenant = sample::tenant("acme");
    let mut runs = Vec::new();
    for number in 1..=3 {
        let kind = RunKind::Provision { with_admin: number != 2 };
        let mut run = Run { number, kind, ..sample::run(&tenant) };
        run.journal = sample::journal();
        if number == 2 {
            run.direction = Direction::Unwind;
        }
        runs.push(run);
    }
    subject
        .control()
        .write(|tx| {
            tx.tenants().insert(&tenant)?;
            // Not in order, so that it is not the order of insertion that is answered.
            [1, 0, 2].iter().try_for_each(|i: &usize| tx.runs().insert(&runs[*i], None))
        })
        .expect("the runs are added");
    assert_eq!(stored(subject, tenant.id), runs);
    let statuses: Vec<_> = runs[0].journal.iter().map(|record| record.status).collect();
    for status in ["Pending", "InProgress", "Success", "Failed", "RolledBack"] {
        assert!(
            statuses.contains(&StepStatus::parse(status).expect("a status")),
            "{status} is in the sample"
        );
    }
}

/// A deprovisioning is kept, claimed and recorded as one.
pub fn every_kind_of_run_is_kept(subject: &dyn Subject) {
    let first = announced(subject, "acme", Some(&sample::pending_admin()));
    let second = Run::deprovisioning(first.tenant, 2);
    subject
        .control()
        .write(|tx| {
            tx.runs().insert(&second, None)?;
            tx.runs().enqueue(second.tenant, second.number, sample::at(0))
        })
        .expect("the second run is queued");
    assert_eq!(stored(subject, first.tenant), [first.clone(), second.clone()]);

    let mut mine = claimed(subject, sample::at(0));
    assert_eq!(mine.run, second);
    mine.run.begin(StepKind::DropDatabase, sample::at(1));
    record(subject, &mine, sample::at(60)).expect("the lease holds");
    assert_eq!(stored(subject, first.tenant), [first, mine.run]);
}

/// A tenant without runs, and one that does not exist, have none.
pub fn a_tenant_sees_its_own_runs_only(subject: &dyn Subject) {
    let run = announced(subject, "acme", None);
    let other = announced(subject, "other", None);
    assert_eq!(stored(subject, run.tenant), [run]);
    assert_eq!(stored(subject, other.tenant), [other]);
    assert!(stored(subject, sample::id()).is_empty());
}

/// A tenant has one run of a number.
pub fn a_run_number_that_is_taken_is_a_conflict(subject: &dyn Subject) {
    let run = announced(subject, "acme", None);
    let again = subject.control().write(|tx| tx.runs().insert(&run, None));
    assert!(conflict(&again, Constraint::RunNumber), "{again:?}");
    assert_eq!(stored(subject, run.tenant), [run]);
}

/// A run that was not enqueued is nobody's.
pub fn a_run_is_claimed_only_after_it_was_enqueued(subject: &dyn Subject) {
    let run = announced(subject, "acme", None);
    assert_eq!(claim(subject, sample::at(1_000_000)), None);
    enqueue(subject, &run, sample::at(0));
    assert_eq!(claimed(subject, sample::at(0)).run, run);
}

/// A run is not claimed before it is due.
pub fn a_run_is_not_claimed_before_it_is_due(subject: &dyn Subject) {
    let run = queued(subject, "acme", sample::at(60));
    assert_eq!(claim(subject, sample::at(60) - MOMENT), None);
    assert_eq!(claimed(subject, sample::at(60)).run, run);
}

/// Who has waited longest is first.
pub fn the_run_longest_due_is_claimed_first(subject: &dyn Subject) {
    let last = queued(subject, "last", sample::at(30));
    let first = queued(subject, "first", sample::at(10));
    let middle = queued(subject, "middle", sample::at(20));
    let order: Vec<_> = (0..3).map(|_| claimed(subject, sample::at(40)).run.tenant).collect();
    assert_eq!(order, [first.tenant, middle.tenant, last.tenant]);
    assert_eq!(claim(subject, sample::at(40)), None);
}

/// A claim says which run it is, and brings the tenant and the admin that is to be created.
pub fn a_claim_brings_run_tenant_and_admin(subject: &dyn Subject) {
    let admin = sample::pending_admin();
    let with_admin = announced(subject, "with-admin", Some(&admin));
    let without = announced(subject, "without", None);
    enqueue(subject, &with_admin, sample::at(1));
    enqueue(subject, &without, sample::at(2));

    let first = claimed(subject, sample::at(3));
    assert_eq!((first.lease.tenant, first.lease.number), (with_admin.tenant, with_admin.number));
    assert_eq!((&first.run, first.admin.as_ref()), (&with_admin, Some(&admin)));
    let second = claimed(subject, sample::at(3));
    assert_eq!((&second.run, second.admin.as_ref()), (&without, None));
    for claim in [first, second] {
        let tenant = subject.control().read(|tx| tx.tenants().get(claim.lease.tenant)).expect("a look-up");
        assert_eq!(Some(claim.tenant), tenant);
    }
}

/// While a lease holds, nobody else gets the run; once it is over, somebody does, under a higher fence.
pub fn a_lease_excludes_others_until_it_is_over(subject: &dyn Subject) {
    let run = queued(subject, "acme", sample::at(0));
    let first = claimed(subject, sample::at(0));
    assert_eq!(claim(subject, sample::at(0) + LEASE - MOMENT), None);
    let second = claimed(subject, sample::at(0) + LEASE + MOMENT);
    assert_eq!(second.run, run);
    assert!(second.lease.fence > first.lease.fence);
}

/// Recording keeps the journal and holds the lease for longer.
pub fn recording_keeps_the_journal_and_the_lease(subject: &dyn Subject) {
    queued(subject, "acme", sample::at(0));
    let mut mine = claimed(subject, sample::at(0));
    mine.run.begin(StepKind::CreateDatabase, sample::at(1));
    record(subject, &mine, sample::at(60)).expect("the lease holds");
    assert_eq!(stored(subject, mine.run.tenant), [mine.run.clone()]);
    assert_eq!(claim(subject, sample::at(60) - MOMENT), None);

    mine.run.succeed(StepKind::CreateDatabase, sample::ODD_TEXT, sample::at(2));
    mine.run.direction = Direction::Unwind;
    record(subject, &mine, sample::at(60)).expect("the lease holds");
    assert_eq!(stored(subject, mine.run.tenant), [mine.run.clone()]);
    let next = claimed(subject, sample::at(60) + MOMENT);
    assert_eq!(next.run, mine.run, "the next worker carries on from the journal");
}

/// A worker that was slow, but whose run nobody took over, has lost nothing.
pub fn a_lease_that_is_over_but_not_taken_over_still_writes(subject: &dyn Subject) {
    queued(subject, "acme", sample::at(0));
    let mine = claimed(subject, sample::at(0));
    record(subject, &mine, sample::at(1)).expect("the lease holds");
    // The store has no clock: only another claim ends a lease.
    record(subject, &mine, sample::at(500)).expect("nobody took it over");
    assert_eq!(claim(subject, sample::at(400)), None);
}

/// A renewed lease keeps others off for longer, and the journal as it is; a zombie renews nothing.
pub fn a_renewed_lease_keeps_others_off(subject: &dyn Subject) {
    queued(subject, "acme", sample::at(0));
    let mine = claimed(subject, sample::at(0));
    renew(subject, &mine, sample::at(60)).expect("the lease holds");
    assert_eq!(claim(subject, sample::at(60) - MOMENT), None);
    assert_eq!(stored(subject, mine.run.tenant), std::slice::from_ref(&mine.run));
    let heir = claimed(subject, sample::at(60));
    assert!(matches!(renew(subject, &mine, sample::at(500)), Err(StoreError::Stale)));
    renew(subject, &heir, sample::at(90)).expect("the heir's lease is unharmed");
}

fn renew(subject: &dyn Subject, claim: &Claim, until: DateTime<Utc>) -> Result<(), StoreError> {
    subject.control().write(|tx| tx.runs().renew(&claim.lease, until))
}

/// A lease holds until it is taken over, given back or done with, however long that takes.
pub fn a_lease_holds_until_somebody_ends_it(subject: &dyn Subject) {
    queued(subject, "acme", sample::at(0));
    let first = claimed(subject, sample::at(0));
    holds(subject, &first).expect("it was just made");
    holds(subject, &first).expect("asking changes nothing");
    let second = claimed(subject, sample::at(0) + LEASE + MOMENT);
    assert!(matches!(holds(subject, &first), Err(StoreError::Stale)), "taken over");
    holds(subject, &second).expect("it is the heir's");
    release(subject, &second, sample::at(90)).expect("the lease holds");
    assert!(matches!(holds(subject, &second), Err(StoreError::Stale)), "given back");
    let third = claimed(subject, sample::at(90));
    close(subject, &third).expect("the lease holds");
    assert!(matches!(holds(subject, &third), Err(StoreError::Stale)), "done with");
}

fn holds(subject: &dyn Subject, claim: &Claim) -> Result<(), StoreError> {
    subject.control().read(|tx| tx.runs().holds(&claim.lease))
}

/// A zombie whose run was taken over writes nothing, by none of the three ways.
pub fn a_zombie_is_fenced_off(subject: &dyn Subject) {
    queued(subject, "acme", sample::at(0));
    let mut zombie = claimed(subject, sample::at(0));
    let heir = claimed(subject, sample::at(60));
    zombie.run.begin(StepKind::CreateDatabase, sample::at(61));
    assert!(matches!(record(subject, &zombie, sample::at(500)), Err(StoreError::Stale)));
    assert!(matches!(release(subject, &zombie, sample::at(61)), Err(StoreError::Stale)));
    assert!(matches!(close(subject, &zombie), Err(StoreError::Stale)));
    assert_eq!(stored(subject, heir.run.tenant), std::slice::from_ref(&heir.run));
    record(subject, &heir, sample::at(90)).expect("the heir's lease is unharmed");
}

/// A run that was given back is claimable from the moment named, and no longer its old holder's.
pub fn a_released_run_is_claimed_again_when_due(subject: &dyn Subject) {
    queued(subject, "acme", sample::at(0));
    let mut first = claimed(subject, sample::at(0));
    first.run.begin(StepKind::CreateDatabase, sample::at(1));
    release(subject, &first, sample::at(5)).expect("the lease holds");
    assert!(matches!(record(subject, &first, sample::at(500)), Err(StoreError::Stale)), "it was given back");
    assert_eq!(claim(subject, sample::at(5) - MOMENT), None);
    let second = claimed(subject, sample::at(5));
    assert_eq!(second.run, first.run);
    assert!(second.lease.fence > first.lease.fence);
}

/// A closed run is never claimed again, and its journal stays.
pub fn a_closed_run_is_done_with(subject: &dyn Subject) {
    queued(subject, "acme", sample::at(0));
    let mut mine = claimed(subject, sample::at(0));
    mine.run.begin(StepKind::CreateDatabase, sample::at(1));
    mine.run.succeed(StepKind::CreateDatabase, "created", sample::at(2));
    close(subject, &mine).expect("the lease holds");
    assert_eq!(claim(subject, sample::at(1_000_000)), None);
    assert_eq!(stored(subject, mine.run.tenant), [mine.run.clone()]);
    assert!(matches!(record(subject, &mine, sample::at(500)), Err(StoreError::Stale)), "it is closed");
    assert!(matches!(close(subject, &mine), Err(StoreError::Stale)), "it is closed");
}

/// What is closed is not taken up again, and what is not there cannot be.
pub fn a_closed_or_unknown_run_is_not_enqueued(subject: &dyn Subject) {
    let run = queued(subject, "acme", sample::at(0));
    let mine = claimed(subject, sample::at(0));
    close(subject, &mine).expect("the lease holds");
    for number in [run.number, run.number + 1] {
        let outcome = subject.control().write(|tx| tx.runs().enqueue(run.tenant, number, sample::at(1)));
        assert!(matches!(outcome, Err(StoreError::Stale)), "{outcome:?}");
    }
    assert_eq!(claim(subject, sample::at(1_000_000)), None);
}

/// Who claims and then fails has claimed nothing.
pub fn a_claim_that_is_rolled_back_was_never_made(subject: &dyn Subject) {
    let run = queued(subject, "acme", sample::at(0));
    let outcome: Result<(), StoreError> = subject.control().write(|tx| {
        assert!(tx.runs().claim("worker-1", sample::at(0), LEASE)?.is_some());
        Err(StoreError::Stale)
    });
    assert!(outcome.is_err());
    assert_eq!(claimed(subject, sample::at(0)).run, run);
}

/// Many workers at once get every run, and each exactly once.
pub fn concurrent_workers_get_each_run_exactly_once(subject: &dyn Subject) {
    const WORKERS: usize = 8;
    const RUNS: usize = 100;
    let mut expected = BTreeMap::new();
    subject
        .control()
        .write(|tx| {
            for i in 0..RUNS {
                let tenant = sample::tenant(&format!("tenant-{i:03}"));
                let run = sample::run(&tenant);
                tx.tenants().insert(&tenant)?;
                tx.runs().insert(&run, None)?;
                tx.runs().enqueue(run.tenant, run.number, sample::at(0))?;
                expected.insert(tenant.id, 1);
            }
            Ok::<_, StoreError>(())
        })
        .expect("the runs are queued");

    let claims = Mutex::new(BTreeMap::new());
    let count = || claims.lock().expect("no panic").len();
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (claims, count) = (&claims, &count);
            scope.spawn(move || {
                let name = format!("worker-{worker}");
                // Claiming may come back empty-handed while others hold what is due; it may never fail.
                for _ in 0..RUNS * WORKERS * 10 {
                    if count() == RUNS {
                        break;
                    }
                    let claim = subject
                        .control()
                        .write(|tx| tx.runs().claim(&name, sample::at(1), LEASE))
                        .expect("claiming does not fail");
                    if let Some(claim) = claim {
                        *claims.lock().expect("no panic").entry(claim.lease.tenant).or_insert(0) += 1;
                    }
                }
            });
        }
    });
    assert_eq!(claims.into_inner().expect("no panic"), expected);
    assert_eq!(claim(subject, sample::at(1)), None);
}
