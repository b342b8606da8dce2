use chrono::{DateTime, SubsecRound, Utc};
use rand::Rng as _;
use tenantry_ports::{Clock, Entropy, Ids};
use uuid::Uuid;

/// The system's wall clock, cut to whole microseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter of the port that replaces it")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// UUIDs from the system's clock and randomness.
///
/// Time-ordered ids ascend strictly within the process, across threads and when the wall clock is set back: they
/// share one counter.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter of the port that replaces it")]
    fn time_ordered(&self) -> Uuid {
        Uuid::now_v7()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the adapter of the port that replaces it")]
    fn random(&self) -> Uuid {
        Uuid::new_v4()
    }
}

/// A cryptographically secure generator per thread, seeded (and reseeded) by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        rand::rng().fill_bytes(buffer);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;

    use super::*;

    #[test]
    fn the_clock_has_whole_microseconds() {
        for _ in 0..1_000 {
            assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000, 0);
        }
    }

    #[test]
    fn time_ordered_ids_ascend_within_every_thread_and_never_repeat() {
        let made: Vec<Vec<Uuid>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..5_000).map(|_| SystemIds.time_ordered()).collect::<Vec<_>>()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for of_one_thread in &made {
            assert!(of_one_thread.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(of_one_thread.iter().all(|id| id.get_version_num() == 7));
        }
        assert_eq!(made.iter().flatten().collect::<BTreeSet<_>>().len(), 20_000);
    }

    #[test]
    fn random_ids_are_version_4_and_differ() {
        let ids: BTreeSet<_> = (0..1_000).map(|_| SystemIds.random()).collect();
        assert_eq!(ids.len(), 1_000);
        assert!(ids.iter().all(|id| id.get_version_num() == 4));
    }

    #[test]
    fn entropy_fills_the_whole_buffer_differently_each_time() {
        let mut a = [0; 64];
        let mut b = [0; 64];
        SystemEntropy.fill(&mut a);
        SystemEntropy.fill(&mut b);
        assert_ne!(a, b);
        assert_ne!(a[48..], [0; 16]);
        let unit = SystemEntropy.unit();
        assert!((0.0..1.0).contains(&unit));
    }
}
