//! Facts about the round that goes over all tenants' databases.

use std::sync::Barrier;
use std::thread;

use chrono::TimeDelta;
use tenantry_ports::{StoreError, StoreResult, UpkeepRound};

use crate::contract::Subject;
use crate::sample;

const LEASE: TimeDelta = TimeDelta::seconds(60);

fn claim(subject: &dyn Subject, now: i64) -> Option<UpkeepRound> {
    subject.control().write(|tx| tx.upkeep().claim("worker", sample::at(now), LEASE)).expect("a claim")
}

fn settle(subject: &dyn Subject, round: &UpkeepRound, due: i64) -> StoreResult<()> {
    subject.control().write(|tx| tx.upkeep().settle(round, sample::at(due)))
}

/// The next one goes on where the last one stopped, not before it is time, and from the beginning when it is over.
pub fn a_round_goes_on_where_it_was(subject: &dyn Subject) {
    let first = claim(subject, 0).expect("it is time from the beginning on");
    assert_eq!(first.after, None);
    let told = UpkeepRound { begun_at: sample::at(0), after: Some(sample::id()), ..first };
    settle(subject, &told, 10).expect("it is settled");
    assert_eq!(claim(subject, 9), None);
    let second = claim(subject, 10).expect("it is time");
    assert_eq!((second.begun_at, second.after), (told.begun_at, told.after));
    settle(subject, &UpkeepRound { after: None, ..second }, 100).expect("it is settled");
    let third = claim(subject, 100).expect("it is time");
    assert_eq!((third.begun_at, third.after), (told.begun_at, None));
    assert!(first.fence < second.fence && second.fence < third.fence);
}

/// The lease of who died at it ends, and then they cannot say any more how far it has come.
pub fn who_lost_the_round_settles_nothing(subject: &dyn Subject) {
    let lost = claim(subject, 0).expect("it is time");
    assert_eq!(claim(subject, 59), None);
    let mine = claim(subject, 60).expect("the lease is over");
    assert!(matches!(settle(subject, &lost, 0), Err(StoreError::Stale)));
    settle(subject, &mine, 200).expect("it is settled");
    assert!(matches!(settle(subject, &mine, 0), Err(StoreError::Stale)), "it was given back");
    assert_eq!(claim(subject, 199), None);
}

/// One makes the next turn.
pub fn of_two_who_claim_the_round_one_gets_it(subject: &dyn Subject) {
    let barrier = Barrier::new(2);
    let claims: Vec<_> = thread::scope(|threads| {
        let both = [(); 2].map(|()| {
            threads.spawn(|| {
                barrier.wait();
                claim(subject, 0)
            })
        });
        both.into_iter().map(|thread| thread.join().expect("it ends")).collect()
    });
    assert_eq!(claims.iter().flatten().count(), 1);
}
