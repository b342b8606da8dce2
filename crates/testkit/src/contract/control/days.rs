//! Facts about when tenants' accounts are looked at.

use std::collections::BTreeMap;
use std::sync::Mutex;

use chrono::TimeDelta;
use tenantry_domain::id::TenantId;
use tenantry_ports::{DayLook, StoreError, StoreResult};

use crate::contract::Subject;
use crate::sample;

const LEASE: TimeDelta = TimeDelta::seconds(60);

fn note(subject: &dyn Subject, tenant: TenantId, seconds: i64) {
    subject.control().write(|tx| tx.days().note(tenant, sample::at(seconds))).expect("the look is noted");
}

fn claim(subject: &dyn Subject, seconds: i64) -> Option<DayLook> {
    let claimed = subject.control().write(|tx| tx.days().claim("worker", sample::at(seconds), LEASE));
    claimed.expect("claiming does not fail")
}

fn settle(subject: &dyn Subject, look: &DayLook, next: Option<i64>) -> StoreResult<()> {
    subject.control().write(|tx| tx.days().settle(look, next.map(sample::at)))
}

/// A look comes when it is due and not before, the one that is longest due first.
pub fn looks_come_when_they_are_due(subject: &dyn Subject) {
    let (early, late) = (sample::id(), sample::id());
    note(subject, late, 20);
    note(subject, early, 10);
    assert_eq!(claim(subject, 9), None);
    let first = claim(subject, 20).expect("one is due");
    assert_eq!((first.tenant, first.at), (early, sample::at(10)));
    let second = claim(subject, 20).expect("another one is due");
    assert_eq!((second.tenant, second.at), (late, sample::at(20)));
    assert_eq!(claim(subject, 20), None);
}

/// However often a look is noted, it is there once, also while somebody has it; another time is another look.
pub fn a_look_is_there_once(subject: &dyn Subject) {
    let tenant = sample::id();
    note(subject, tenant, 10);
    note(subject, tenant, 10);
    let look = claim(subject, 10).expect("it is due");
    note(subject, tenant, 10);
    note(subject, tenant, 11);
    assert_eq!(claim(subject, 10), None);
    assert_eq!(claim(subject, 11).map(|look| look.at), Some(sample::at(11)));
    settle(subject, &look, None).expect("it is over");
    assert_eq!(claim(subject, 11), None);
}

/// What was looked at is over, and the next look is there; noted before, it stays.
pub fn a_settled_look_is_over_and_the_next_is_there(subject: &dyn Subject) {
    let tenant = sample::id();
    note(subject, tenant, 10);
    note(subject, tenant, 30);
    let look = claim(subject, 10).expect("it is due");
    settle(subject, &look, Some(20)).expect("it is over");
    let next = claim(subject, 20).expect("the next one is due");
    assert_eq!((next.tenant, next.at), (tenant, sample::at(20)));
    settle(subject, &next, Some(30)).expect("it is over");
    let last = claim(subject, 30).expect("the last one is due");
    settle(subject, &last, None).expect("it is over");
    assert_eq!(claim(subject, 1_000_000), None);
}

/// Nobody else gets a look before the lease is over, and then whoever had it settles nothing.
pub fn a_zombie_settles_no_look(subject: &dyn Subject) {
    let tenant = sample::id();
    note(subject, tenant, 0);
    let zombie = claim(subject, 0).expect("it is due");
    assert_eq!(claim(subject, 59), None);
    let look = claim(subject, 60).expect("the lease is over");
    assert!(look.fence > zombie.fence && look.at == zombie.at);
    let late = settle(subject, &zombie, Some(5));
    assert!(matches!(late, Err(StoreError::Stale)), "{late:?}");
    settle(subject, &look, None).expect("it is over");
    let again = settle(subject, &look, None);
    assert!(matches!(again, Err(StoreError::Stale)), "{again:?}");
    assert_eq!(claim(subject, 1_000_000), None);
}

/// What is rolled back was never claimed or noted.
pub fn a_look_that_is_rolled_back_never_was(subject: &dyn Subject) {
    note(subject, sample::id(), 0);
    let undone = subject.control().write(|tx| {
        tx.days().note(sample::id(), sample::at(0))?;
        tx.days().claim("worker", sample::at(0), LEASE)?;
        tx.days().claim("worker", sample::at(0), LEASE)?;
        Err::<(), _>(StoreError::Stale)
    });
    assert!(matches!(undone, Err(StoreError::Stale)));
    assert!(claim(subject, 0).is_some_and(|look| look.fence == 1));
    assert_eq!(claim(subject, 0), None);
}

/// Many at once get every look, and each exactly once.
pub fn concurrent_claimers_get_each_look_once(subject: &dyn Subject) {
    const WORKERS: usize = 4;
    const LOOKS: usize = 40;
    let noted: BTreeMap<TenantId, usize> = (0..LOOKS).map(|_| (sample::id(), 1)).collect();
    let all = subject.control().write(|tx| {
        noted.keys().try_for_each(|tenant| tx.days().note(*tenant, sample::at(0)))?;
        Ok::<_, StoreError>(())
    });
    all.expect("the looks are noted");
    let claimed = Mutex::new(BTreeMap::new());
    let count = || claimed.lock().expect("no panic").len();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                // Claiming may come back empty-handed while others hold what is due.
                for _ in 0..LOOKS * WORKERS * 10 {
                    if count() == LOOKS {
                        break;
                    }
                    if let Some(look) = claim(subject, 1) {
                        *claimed.lock().expect("no panic").entry(look.tenant).or_insert(0) += 1;
                    }
                }
            });
        }
    });
    assert_eq!(claimed.into_inner().expect("no panic"), noted);
}
