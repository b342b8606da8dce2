//! Two workers at the same work, stopped before every call of a port, with leases that expire and deaths in between: in every
//! order of events nothing is made twice, nothing is dropped that is in service, and in the end everything is as it should be.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod ports;
mod stage;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;

use chrono::TimeDelta;
use ports::on_stage;
use proptest::prelude::*;
use stage::Stage;
use support::{acme_with_admin, come_to_rest, hollow, tend, work_off};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{DatabaseName, Lifecycle, Status, Tenant};
use tenantry_ports::{DatabaseFault, PoolState, PooledDatabase, StoreError, TenantFilter};
use tenantry_testkit::{DatabaseCall, FailureMoment, FakeSchemaCheck, TestPlatform};
use tenantry_usecases::Policy;
use tenantry_usecases::doctor::{Severity, examine};
use tenantry_usecases::provisioning::{Tended, Worked, tend_once, work_once};
use tenantry_usecases::tenants::{self, Target};

/// What there is to do, and in what circumstances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// A tenant with an admin; so many databases are ready.
    Tenant { pool: usize },
    /// The same, and the admin cannot be made.
    Failing { pool: usize },
    /// The same, and somebody else's database has the name.
    Nameless { pool: usize },
    /// The end of a tenant in service, whose slug is ordered again as soon as it is free.
    End,
    /// An empty pool is filled.
    Fill,
    /// A full pool is emptied by one, whose settings are others than those of the rest.
    Empty,
}

const WORKS: [Work; 9] = [
    Work::Tenant { pool: 0 },
    Work::Tenant { pool: 1 },
    Work::Failing { pool: 0 },
    Work::Failing { pool: 1 },
    Work::Nameless { pool: 0 },
    Work::Nameless { pool: 1 },
    Work::End,
    Work::Fill,
    Work::Empty,
];

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// This worker makes its next calls, so many at most.
    Go(usize, usize),
    /// It dies.
    Die(usize),
    /// All leases expire.
    Expire,
}

/// All calls that it still makes.
const TO_THE_END: usize = 1_000;

/// What the workers did.
struct Outcome {
    /// How many calls each made.
    calls: Vec<usize>,
}

/// A platform with some work to do.
fn prepared(work: Work) -> TestPlatform {
    let pool_size = match work {
        Work::Tenant { pool } | Work::Failing { pool } | Work::Nameless { pool } => pool,
        Work::End => 0,
        Work::Fill | Work::Empty => 2,
    };
    // Nobody lives long enough to renew it.
    let policy = Policy { pool_size, lease: TimeDelta::minutes(10), ..Policy::default() };
    let test = TestPlatform::with(policy, Arc::new(FakeSchemaCheck::content()));
    if work == Work::Fill {
        return test;
    }
    tend(&test);
    if work == Work::Empty {
        return test;
    }
    let tenant = tenants::create(&test.platform, acme_with_admin()).unwrap().tenant;
    match work {
        Work::Failing { .. } => {
            let lasting = DatabaseFault::Lasting;
            if test.platform.policy.pool_size == 0 {
                // The demonstration data are seeded first.
                test.databases.before(DatabaseCall::Write, || {});
            }
            test.databases.fail(DatabaseCall::Write, FailureMoment::BeforeEffect, lasting, 12);
        }
        Work::Nameless { .. } => test.world.make_foreign(&tenant.database),
        Work::End => {
            work_off(&test);
            let target = Target { tenant: tenant.id, version: None, by: "operator" };
            tenants::deprovision(&test.platform, target, Some(TimeDelta::zero())).unwrap();
        }
        _ => {}
    }
    test
}

/// Plays it, looks after every call whether all is well, and again when everything has come to rest.
fn play(work: Work, workers: usize, events: &[Event]) -> Outcome {
    let test = prepared(work);
    let stage = Stage::new();
    let cast: Vec<_> = (0..workers).map(|number| enter(&test, &stage, work, number)).collect();
    let mut calls = vec![0; workers];
    let mut watched = Watched::default();
    for event in events {
        match *event {
            Event::Go(worker, most) => {
                for _ in 0..most {
                    if !stage.step(worker) {
                        break;
                    }
                    calls[worker] += 1;
                    watched.look(&test);
                }
            }
            Event::Die(worker) => {
                stage.kill(worker);
            }
            Event::Expire => expire(&test),
        }
    }
    for worker in 0..workers {
        stage.kill(worker);
    }
    cast.into_iter().for_each(|thread| thread.join().expect("no worker panics"));
    expire(&test);
    come_to_rest(&test);
    watched.look(&test);
    watched.look_at_the_end(&test, work);
    Outcome { calls }
}

fn expire(test: &TestPlatform) {
    test.clock.advance(test.platform.policy.lease + TimeDelta::seconds(1));
}

fn enter(test: &TestPlatform, stage: &Arc<Stage>, work: Work, number: usize) -> JoinHandle<()> {
    let policy = match work {
        Work::Empty if number == 0 => Policy { pool_size: 0, ..test.platform.policy.clone() },
        _ => test.platform.policy.clone(),
    };
    let platform = on_stage(&test.platform, stage, policy);
    let tends = matches!(work, Work::Fill | Work::Empty);
    let on = stage.clone();
    let (_, thread) = stage.enter(move || {
        // As the real ones, it looks again as long as there was something to do, but never sleeps.
        let is_busy = || match tends {
            true => matches!(tend_once(&platform), Ok(Tended::Done)),
            false => {
                !matches!(work_once(&platform, "worker"), Ok(Worked::Idle | Worked::Postponed(..)) | Err(_))
            }
        };
        while {
            // What it takes for now is when it begins.
            on.call(|| ());
            is_busy()
        } {}
    });
    thread
}

/// What may never be otherwise.
#[derive(Default)]
struct Watched {
    /// Tenants that were in service, with their databases.
    served: BTreeMap<TenantId, DatabaseName>,
}

impl Watched {
    fn look(&mut self, test: &TestPlatform) {
        let (tenants, pool) = registered(test);
        let existing = test.world.existing();
        let owned_by = |owner: TenantId| existing.iter().filter(move |(_, other)| *other == Some(owner));
        for tenant in &tenants {
            let taken = pool.iter().filter(
                |(_, state)| matches!(state, PoolState::Taken { tenant: taker, .. } if *taker == tenant.id),
            );
            let of_pool: usize = taken.map(|(pooled, _)| owned_by(TenantId::new(pooled.id)).count()).sum();
            let owned = owned_by(tenant.id).count() + of_pool;
            assert!(owned <= 1, "a tenant has {owned} databases: {existing:?}");
            match &tenant.lifecycle {
                Lifecycle::Active { .. } => {
                    assert_eq!(owned_by(tenant.id).count(), 1, "{:?} is in service", tenant.database);
                    self.served.insert(tenant.id, tenant.database.clone());
                }
                other if !other.holds_slug() => assert_eq!(owned, 0, "the slug is free: {existing:?}"),
                other => assert!(
                    !self.served.contains_key(&tenant.id) || other.status() == Status::Deprovisioning,
                    "who is in service stays so"
                ),
            }
        }
        for (pooled, _) in pool.iter().filter(|(_, state)| matches!(state, PoolState::Ready { .. })) {
            assert_eq!(owned_by(TenantId::new(pooled.id)).count(), 1, "what is ready is there");
        }
    }

    fn look_at_the_end(&self, test: &TestPlatform, work: Work) {
        let (tenants, pool) = registered(test);
        let expected = match work {
            Work::Tenant { .. } => Some(Status::Active),
            Work::Failing { .. } | Work::Nameless { .. } => Some(Status::Failed),
            Work::End => Some(Status::Deleted),
            Work::Fill | Work::Empty => None,
        };
        assert_eq!(tenants.first().map(|tenant| tenant.lifecycle.status()), expected);
        let foreign = test.world.existing().iter().filter(|(_, owner)| owner.is_none()).count();
        assert_eq!(foreign, usize::from(matches!(work, Work::Nameless { .. })));
        let is_ready = |state: &PoolState| matches!(state, PoolState::Ready { .. });
        assert!(pool.iter().all(|(_, state)| is_ready(state)), "{pool:?}");
        assert_eq!(pool.len(), test.platform.policy.pool_size);
        let wrong = examine(&test.platform).into_iter().filter(|symptom| symptom.severity != Severity::Ok);
        // The doctor does not like somebody else's database under a name of ours, and is right.
        let wrong: Vec<_> = wrong
            .filter(|symptom| !["foreign_database", "untagged_database"].contains(&symptom.code))
            .collect();
        assert_eq!(wrong, []);
        assert_eq!(hollow(test), Vec::<String>::new());
    }
}

fn registered(test: &TestPlatform) -> (Vec<Tenant>, Vec<(PooledDatabase, PoolState)>) {
    let control = &test.platform.control;
    let all = control.read::<_, StoreError>(|tx| {
        Ok((tx.tenants().page(&TenantFilter::default(), None, 100)?, tx.pool().all()?))
    });
    all.unwrap()
}

/// One worker is stopped before each of its calls, its lease expires, and another one takes over and is stopped before each
/// of its own; then they go on in either order, or die.
#[test]
fn wherever_two_workers_are_stopped_nothing_is_doubled_and_nothing_lost() {
    const TAILS: [&[Event]; 5] = [
        &[],
        &[Event::Go(0, TO_THE_END), Event::Go(1, TO_THE_END)],
        &[Event::Go(1, TO_THE_END), Event::Go(0, TO_THE_END)],
        // One makes a single call between two of the other's.
        &[Event::Go(0, 1), Event::Go(1, TO_THE_END), Event::Go(0, TO_THE_END)],
        // Whoever was taken over takes over again, while the other one sleeps.
        &[Event::Expire, Event::Go(0, TO_THE_END), Event::Go(1, TO_THE_END)],
    ];
    for work in WORKS {
        let alone = play(work, 1, &[Event::Go(0, TO_THE_END)]).calls[0];
        assert!(alone > 3, "{work:?} takes calls");
        for first in 0..=alone {
            let stopped = [Event::Go(0, first), Event::Expire];
            let second = play(work, 2, &[&stopped[..], &[Event::Go(1, TO_THE_END)]].concat()).calls[1];
            for number in 0..=second {
                for tail in TAILS {
                    play(work, 2, &[&stopped[..], &[Event::Go(1, number)], tail].concat());
                }
            }
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0_usize..3, 1_usize..6).prop_map(|(worker, calls)| Event::Go(worker, calls)),
        1 => (0_usize..3).prop_map(Event::Die),
        3 => Just(Event::Expire),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn however_three_workers_take_turns_nothing_is_doubled_and_nothing_lost(
        work in prop::sample::select(&WORKS[..]),
        events in prop::collection::vec(event(), 0..30),
    ) {
        play(work, 3, &events);
    }
}
