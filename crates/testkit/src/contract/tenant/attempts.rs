//! Facts about attempts to sign in, which a tenant's database and the control database count alike.

use std::sync::{Arc, Barrier};

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::people::{Pace, Tally};
use tenantry_ports::{AttemptRepository, ControlStore, StoreError, StoreResult, TenantStore};

use crate::contract::{Subject, store};
use crate::sample;

const KEY: [u8; 32] = [7; 32];
const PACE: Pace = Pace {
    free: 3,
    first: TimeDelta::seconds(1),
    longest: TimeDelta::seconds(4),
    memory: TimeDelta::seconds(100),
};

/// Either database.
enum Counter {
    Tenant(Arc<dyn TenantStore>),
    Control(Arc<dyn ControlStore>),
}

impl Counter {
    fn write<T>(&self, work: impl FnOnce(&mut dyn AttemptRepository) -> StoreResult<T>) -> StoreResult<T> {
        match self {
            Self::Tenant(store) => store.write(|tx| work(tx.attempts())),
            Self::Control(store) => store.write(|tx| work(tx.attempts())),
        }
    }

    fn take(&self, key: [u8; 32], seconds: i64) -> Option<DateTime<Utc>> {
        self.write(|attempts| attempts.take(&key, &PACE, sample::at(seconds))).expect("an answer")
    }

    fn count(&self, key: [u8; 32], seconds: i64) {
        self.write(|attempts| attempts.count(&key, &PACE, sample::at(seconds))).expect("it is counted");
    }

    fn any_over(&self, seconds: i64) -> bool {
        let now = sample::at(seconds);
        let found = match self {
            Self::Tenant(store) => store.read(|tx| tx.attempts().any_over(now)),
            Self::Control(store) => store.read(|tx| tx.attempts().any_over(now)),
        };
        found.expect("an answer")
    }

    fn find(&self, keys: &[[u8; 32]]) -> Vec<([u8; 32], Tally)> {
        let found = match self {
            Self::Tenant(store) => store.read(|tx| tx.attempts().find(keys)),
            Self::Control(store) => store.read(|tx| tx.attempts().find(keys)),
        };
        let mut found = found.expect("an answer");
        found.sort_unstable_by_key(|(key, _)| *key);
        found
    }
}

fn on_both(subject: &dyn Subject, fact: impl Fn(&Counter)) {
    fact(&Counter::Tenant(store(subject).0));
    fact(&Counter::Control(subject.control()));
}

/// So many are free; then each wait is twice the one before, up to the longest.
pub fn attempts_are_counted_until_they_come_too_early(subject: &dyn Subject) {
    on_both(subject, |counter| {
        for _ in 0..4 {
            assert_eq!(counter.take(KEY, 0), None);
        }
        for (early, opens_at) in [(0, 1), (1, 3), (3, 7), (7, 11), (11, 15)] {
            assert_eq!(counter.take(KEY, early), Some(sample::at(opens_at)), "{early}");
            assert_eq!(counter.take(KEY, opens_at), None, "{opens_at}");
        }
    });
}

/// However many come too early, the wait stays as it is.
pub fn what_comes_too_early_is_not_counted(subject: &dyn Subject) {
    on_both(subject, |counter| {
        (0..4).for_each(|_| assert_eq!(counter.take(KEY, 0), None));
        for _ in 0..20 {
            assert_eq!(counter.take(KEY, 0), Some(sample::at(1)));
        }
        assert_eq!(counter.find(&[KEY]), [(KEY, Tally { failures: 4, last: sample::now() })]);
        assert_eq!(counter.take(KEY, 1), None);
    });
}

/// After the pace's memory one begins anew, and after a success as well.
pub fn failures_are_forgotten_after_a_quiet_time_or_when_told_to(subject: &dyn Subject) {
    on_both(subject, |counter| {
        (0..10).for_each(|_| counter.count(KEY, 0));
        assert_eq!(counter.take(KEY, 99), None);
        assert_eq!(counter.find(&[KEY])[0].1.failures, 11);
        assert_eq!(counter.take(KEY, 199), None);
        assert_eq!(counter.find(&[KEY])[0].1.failures, 1);
        (0..10).for_each(|_| counter.count(KEY, 199));
        counter.write(|attempts| attempts.forget(&KEY)).expect("they are forgotten");
        assert_eq!(counter.find(&[KEY]), []);
        assert_eq!(counter.take(KEY, 199), None);
        counter.write(|attempts| attempts.forget(&[8; 32])).expect("nothing is forgotten");
    });
}

/// Each key has its own count; unknown ones are left out.
pub fn attempts_are_found_by_their_keys(subject: &dyn Subject) {
    on_both(subject, |counter| {
        let keys: [[u8; 32]; 4] = std::array::from_fn(|i| [i as u8; 32]);
        counter.count(keys[1], 5);
        counter.count(keys[1], 6);
        counter.count(keys[2], 7);
        let tally = |failures, seconds| Tally { failures, last: sample::at(seconds) };
        assert_eq!(counter.find(&keys), [(keys[1], tally(2, 6)), (keys[2], tally(1, 7))]);
        assert_eq!(counter.find(&keys[2..]), [(keys[2], tally(1, 7))]);
        assert_eq!(counter.find(&[]), []);
    });
}

/// What is forgotten is removed a little at a time, what was forgotten first before the rest; what is remembered stays.
pub fn only_forgotten_attempts_are_removed(subject: &dyn Subject) {
    on_both(subject, |counter| {
        let keys: [[u8; 32]; 4] = std::array::from_fn(|i| [i as u8; 32]);
        for (key, seconds) in keys.iter().zip([3, 2, 1, 50]) {
            counter.count(*key, seconds);
        }
        let any = |seconds| counter.any_over(seconds);
        let remove = |seconds, limit| {
            counter.write(|attempts| attempts.remove_over(sample::at(seconds), limit)).expect("some go")
        };
        assert!(!any(100) && any(101));
        assert_eq!(remove(100, 10), 0);
        assert_eq!(remove(110, 2), 2);
        let left: Vec<_> = counter.find(&keys).into_iter().map(|(key, _)| key).collect();
        assert_eq!(left, [keys[0], keys[3]]);
        assert_eq!((remove(110, 2), any(110)), (1, false));
        assert_eq!(counter.find(&keys)[0].0, keys[3]);
    });
}

/// What is rolled back is not counted.
pub fn an_attempt_that_is_rolled_back_was_never_made(subject: &dyn Subject) {
    on_both(subject, |counter| {
        let outcome = counter.write(|attempts| {
            attempts.take(&KEY, &PACE, sample::now())?;
            Err::<(), _>(StoreError::Stale)
        });
        assert!(matches!(outcome, Err(StoreError::Stale)));
        assert_eq!(counter.find(&[KEY]), []);
    });
}

/// A thousand at once are no better than one after the other.
pub fn of_concurrent_attempts_only_the_free_ones_are_let_through(subject: &dyn Subject) {
    on_both(subject, |counter| {
        let start = Barrier::new(16);
        let through: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        (0..2).filter(|_| counter.take(KEY, 0).is_none()).count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert_eq!(through, 4);
    });
}
