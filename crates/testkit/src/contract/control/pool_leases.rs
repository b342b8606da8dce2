//! Facts about working on the warm pool's databases: making, keeping and removing them.

use std::collections::BTreeMap;
use std::sync::{Barrier, Mutex};

use chrono::{DateTime, Utc};
use tenantry_ports::{PoolLease, PoolState, PooledDatabase, StoreError, StoreResult};

use super::pool::{all, claim_ready, make_ready, ordered, ready, take, taken_by, tenant, until, write};
use super::runs::MOMENT;
use crate::contract::{Subject, pooled};
use crate::sample;

fn renew(subject: &dyn Subject, lease: PoolLease, until: DateTime<Utc>) -> StoreResult<()> {
    write(subject, |tx| tx.pool().renew(lease, until))
}

fn delete(subject: &dyn Subject, lease: PoolLease) -> StoreResult<()> {
    write(subject, |tx| tx.pool().delete(lease))
}

fn claim_abandoned(subject: &dyn Subject, now: DateTime<Utc>) -> Option<(PooledDatabase, PoolLease)> {
    let until = now + (until() - sample::now());
    write(subject, |tx| tx.pool().claim_abandoned(now, until)).expect("claiming does not fail")
}

fn stale<T>(outcome: &StoreResult<T>) -> bool {
    matches!(outcome, Err(StoreError::Stale))
}

/// All that this lease could do is refused.
fn assert_over(subject: &dyn Subject, lease: PoolLease) {
    let before = all(subject);
    assert!(stale(&renew(subject, lease, sample::at(5_000))));
    assert!(stale(&make_ready(subject, lease, "9")));
    assert!(stale(&delete(subject, lease)));
    assert_eq!(all(subject), before);
}

/// What nobody finished by the time they had is somebody else's, under a higher fence; the former maker has lost it, for
/// good.
pub fn what_was_abandoned_is_claimed_under_a_higher_fence(subject: &dyn Subject) {
    let database = pooled(subject);
    let zombie = ordered(subject, &database, sample::at(10));
    assert_eq!(claim_abandoned(subject, sample::at(10) - MOMENT), None);
    let (found, heir) = claim_abandoned(subject, sample::at(10) + MOMENT).expect("it was abandoned");
    assert_eq!((&found, heir.id), (&database, database.id));
    assert!(heir.fence > zombie.fence);
    assert_over(subject, zombie);
    assert_eq!(claim_abandoned(subject, sample::at(11)), None, "the heir has time of its own");

    let (_, second_heir) = claim_abandoned(subject, sample::at(100)).expect("it was abandoned again");
    assert!(second_heir.fence > heir.fence);
    assert_over(subject, zombie);
    assert_over(subject, heir);
    make_ready(subject, second_heir, "1").expect("its lease is unharmed");
    assert_eq!(claim_abandoned(subject, sample::at(5_000)), None, "what is ready is not abandoned");
}

/// What was left alone for longest comes first, whatever its age.
pub fn what_was_abandoned_first_is_claimed_first(subject: &dyn Subject) {
    let mut expected = BTreeMap::new();
    for (age, left_at) in [(1, 30), (2, 10), (3, 20), (4, 500)] {
        let database = PooledDatabase { created_at: sample::at(age), ..pooled(subject) };
        ordered(subject, &database, sample::at(left_at));
        expected.insert(left_at, database);
    }
    for left_at in [10, 20, 30] {
        let claimed = claim_abandoned(subject, sample::at(40)).map(|(database, _)| database);
        assert_eq!(claimed.as_ref(), expected.get(&left_at));
    }
    assert_eq!(claim_abandoned(subject, sample::at(40)), None);
}

/// A renewed lease keeps others off for longer.
pub fn a_renewed_lease_keeps_others_off(subject: &dyn Subject) {
    let database = pooled(subject);
    let lease = ordered(subject, &database, sample::at(10));
    renew(subject, lease, sample::at(50)).expect("the lease holds");
    assert_eq!(all(subject), [(database, PoolState::InWork { until: sample::at(50) })]);
    assert_eq!(claim_abandoned(subject, sample::at(50) - MOMENT), None);
    renew(subject, lease, sample::at(60)).expect("nobody has taken over");
    assert!(claim_abandoned(subject, sample::at(60)).is_some());
    assert_over(subject, lease);
}

/// Who was slow, but whom nobody replaced, has lost nothing: the register has no clock.
pub fn a_lease_that_is_over_but_not_taken_over_still_writes(subject: &dyn Subject) {
    let (made, gone) = (pooled(subject), pooled(subject));
    let first = ordered(subject, &made, sample::at(-500));
    let second = ordered(subject, &gone, sample::at(-500));
    make_ready(subject, first, "1").expect("nobody took it over");
    delete(subject, second).expect("nobody took it over");
    assert_eq!(all(subject), [(made, PoolState::Ready { schema: "1".to_owned() })]);
}

/// Saying that a database is ready gives it back: its maker has no more to say, before and after it was taken.
pub fn a_lease_ends_when_the_database_is_ready(subject: &dyn Subject) {
    let acme = tenant(subject, "acme");
    let database = pooled(subject);
    let lease = ordered(subject, &database, until());
    make_ready(subject, lease, "1").expect("the lease holds");
    assert_over(subject, lease);
    assert!(take(subject, acme).is_some());
    assert_over(subject, lease);
}

/// What is ready can be claimed to look after it, under a higher fence, and given back with another schema or removed.
pub fn what_is_ready_is_claimed_to_look_after_it(subject: &dyn Subject) {
    let acme = tenant(subject, "acme");
    let database = pooled(subject);
    let first = ordered(subject, &database, until());
    make_ready(subject, first, "1").expect("the lease holds");
    let second = claim_ready(subject, database.id).expect("it is ready");
    assert!(second.id == database.id && second.fence > first.fence);
    assert_over(subject, first);
    assert_eq!(all(subject), [(database.clone(), PoolState::InWork { until: until() })]);
    assert_eq!(claim_ready(subject, database.id), None, "it is being looked after");
    make_ready(subject, second, "2").expect("the lease holds");

    assert_eq!(take(subject, acme), None, "nobody has use for the old schema");
    let third = claim_ready(subject, database.id).expect("it is ready");
    delete(subject, third).expect("the lease holds");
    assert!(all(subject).is_empty());
    assert_over(subject, third);
    assert_eq!(claim_ready(subject, database.id), None, "it is gone");
}

/// Whoever looks after a database dies like anybody else.
pub fn what_was_claimed_when_ready_can_be_abandoned(subject: &dyn Subject) {
    let database = ready(subject, 0);
    let zombie = claim_ready(subject, database.id).expect("it is ready");
    assert_eq!(claim_abandoned(subject, until() - MOMENT), None);
    let (found, heir) = claim_abandoned(subject, until()).expect("it was abandoned");
    assert!(found == database && heir.fence > zombie.fence);
    assert_over(subject, zombie);
}

/// What a tenant has taken is not claimed any more, by nobody.
pub fn what_was_taken_is_not_claimed(subject: &dyn Subject) {
    let acme = tenant(subject, "acme");
    let database = ready(subject, 0);
    let taken = take(subject, acme);
    assert_eq!(claim_ready(subject, database.id), None);
    assert_eq!(claim_abandoned(subject, sample::at(1_000_000)), None);
    assert_eq!(taken_by(subject, acme), taken);
}

/// Of those who want one database for a tenant, to look after it, or to remove it, one gets it.
pub fn of_taker_and_keeper_one_wins(subject: &dyn Subject) {
    for i in 0..20 {
        let tenant = tenant(subject, &format!("tenant-{i}"));
        let database = ready(subject, i);
        let start = Barrier::new(2);
        let (taken, lease) = std::thread::scope(|scope| {
            let keeper = scope.spawn(|| {
                start.wait();
                claim_ready(subject, database.id)
            });
            start.wait();
            (take(subject, tenant), keeper.join().expect("no panic"))
        });
        match (&taken, lease) {
            (Some(taken), None) => assert_eq!(taken.database, database),
            (None, Some(lease)) => delete(subject, lease).expect("the lease holds"),
            both => panic!("{both:?}"),
        }
    }
}

/// Many keepers at once get what was abandoned, each something else.
pub fn concurrent_keepers_get_each_abandoned_database_once(subject: &dyn Subject) {
    const KEEPERS: usize = 4;
    const DATABASES: usize = 24;
    for _ in 0..DATABASES {
        ordered(subject, &pooled(subject), sample::at(0));
    }
    let claims = Mutex::new(BTreeMap::new());
    let count = || claims.lock().expect("no panic").len();
    std::thread::scope(|scope| {
        for _ in 0..KEEPERS {
            scope.spawn(|| {
                for _ in 0..DATABASES * KEEPERS * 10 {
                    if count() == DATABASES {
                        break;
                    }
                    if let Some((database, _)) = claim_abandoned(subject, sample::at(1)) {
                        *claims.lock().expect("no panic").entry(database.id).or_insert(0) += 1;
                    }
                }
            });
        }
    });
    let claims = claims.into_inner().expect("no panic");
    assert_eq!(claims.len(), DATABASES);
    assert!(claims.values().all(|times| *times == 1), "{claims:?}");
}
