//! Facts about nonces.

use std::sync::Barrier;
use std::thread;

use tenantry_ports::{NonceUse, StoreError};

use crate::contract::Subject;
use crate::sample;

const NONCE: [u8; 32] = [7; 32];

fn used(subject: &dyn Subject, hash: [u8; 32], now: i64, until: i64) -> NonceUse {
    subject
        .control()
        .write(|tx| tx.nonces().remember(&hash, sample::at(now), sample::at(until)))
        .expect("the nonce is remembered")
}

/// So many hashes that have nothing in common.
fn hashes(count: u8) -> Vec<[u8; 32]> {
    (0..count).map(|first| std::array::from_fn(|i| first.wrapping_add(31_u8.wrapping_mul(i as u8)))).collect()
}

/// The first use is told to be that, and every later one not to be.
pub fn a_nonce_is_first_once(subject: &dyn Subject) {
    assert_eq!(used(subject, NONCE, 0, 600), NonceUse::First);
    for now in [0, 1, 599] {
        assert_eq!(used(subject, NONCE, now, 600), NonceUse::Again, "{now}");
    }
}

/// Another nonce is another nonce, however alike they look.
pub fn nonces_are_told_apart_by_every_byte(subject: &dyn Subject) {
    assert_eq!(used(subject, NONCE, 0, 600), NonceUse::First);
    for at in 0..32 {
        let mut other = NONCE;
        other[at] = 0;
        assert_eq!(used(subject, other, 0, 600), NonceUse::First, "{at}");
        assert_eq!(used(subject, other, 0, 600), NonceUse::Again, "{at}");
    }
}

/// A moment before its end a nonce is known, at its end it is as if it had never been; also among many.
pub fn a_nonce_is_remembered_until_it_expires_and_no_longer(subject: &dyn Subject) {
    let others = hashes(200);
    for (i, hash) in others.iter().enumerate() {
        assert_eq!(used(subject, *hash, 0, 10 + i as i64 % 3), NonceUse::First);
    }
    assert_eq!(used(subject, NONCE, 0, 600), NonceUse::First);
    assert_eq!(used(subject, NONCE, 599, 600), NonceUse::Again);
    assert_eq!(used(subject, NONCE, 600, 700), NonceUse::First);
    assert_eq!(used(subject, NONCE, 699, 700), NonceUse::Again);
    for hash in others {
        assert_eq!(used(subject, hash, 600, 700), NonceUse::First);
        assert_eq!(used(subject, hash, 600, 700), NonceUse::Again);
    }
}

/// Using it again neither prolongs nor shortens how long it is remembered.
pub fn a_nonce_keeps_the_time_it_was_first_remembered_until(subject: &dyn Subject) {
    assert_eq!(used(subject, NONCE, 0, 600), NonceUse::First);
    assert_eq!(used(subject, NONCE, 1, 9_000), NonceUse::Again);
    assert_eq!(used(subject, NONCE, 2, 3), NonceUse::Again);
    assert_eq!(used(subject, NONCE, 599, 9_000), NonceUse::Again);
    assert_eq!(used(subject, NONCE, 600, 700), NonceUse::First);
}

/// What was not committed did not happen.
pub fn a_nonce_that_is_rolled_back_was_never_used(subject: &dyn Subject) {
    let outcome = subject.control().write(|tx| {
        let first = tx.nonces().remember(&NONCE, sample::at(0), sample::at(600))?;
        assert_eq!(first, NonceUse::First);
        Err::<(), _>(StoreError::Stale)
    });
    assert!(matches!(outcome, Err(StoreError::Stale)), "{outcome:?}");
    assert_eq!(used(subject, NONCE, 0, 600), NonceUse::First);
}

/// However many try at once, it is the first time for one of them; also where one that expired is in the way.
pub fn of_concurrent_uses_of_one_nonce_one_is_first(subject: &dyn Subject) {
    const THREADS: usize = 8;
    assert_eq!(used(subject, NONCE, 0, 10), NonceUse::First);
    for round in 1..=3 {
        let start = Barrier::new(THREADS);
        let uses: Vec<NonceUse> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        used(subject, NONCE, round * 10, round * 10 + 10)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        let first = uses.iter().filter(|used| **used == NonceUse::First).count();
        assert_eq!(first, 1, "round {round}: {uses:?}");
    }
}

/// Clearing away what expired is in nobody's way.
pub fn concurrent_uses_of_different_nonces_are_all_first(subject: &dyn Subject) {
    for hash in hashes(100) {
        assert_eq!(used(subject, hash, 0, 10), NonceUse::First);
    }
    thread::scope(|scope| {
        for thread in 0..8_u8 {
            scope.spawn(move || {
                for number in 0..10_u8 {
                    let mut hash = [200; 32];
                    hash[..2].copy_from_slice(&[thread, number]);
                    assert_eq!(used(subject, hash, 20, 30), NonceUse::First, "{thread} {number}");
                }
            });
        }
    });
}

/// It takes a unit of work that may write.
pub fn a_reader_remembers_nothing(subject: &dyn Subject) {
    let outcome = subject.control().read(|tx| tx.nonces().remember(&NONCE, sample::at(0), sample::at(600)));
    assert!(matches!(outcome, Err(StoreError::Failed(_))), "{outcome:?}");
    assert_eq!(used(subject, NONCE, 0, 600), NonceUse::First);
}
