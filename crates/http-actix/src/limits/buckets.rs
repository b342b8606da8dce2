use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::RateLimit;
use super::bucket::{Bucket, Share, Standing};

/// How many buckets are kept, about 30 MiB of them. Whose was used longest ago loses it to a newcomer, and finds a full one
/// when it comes back: a flood from everywhere costs memory up to here, and nobody is refused because of it.
const CAPACITY: u64 = 65_536;

/// Time that only goes on. The wall clock will not do: set back by an hour, it would keep everybody out for an hour.
#[derive(Clone)]
pub(crate) struct Ticks(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Ticks {
    /// The system's.
    pub(crate) fn of_system() -> Self {
        let start = Instant::now();
        Self::new(move || start.elapsed())
    }

    /// What `elapsed` says has passed since any moment before.
    pub(crate) fn new(elapsed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(elapsed))
    }

    /// What has passed since that moment.
    pub(crate) fn now(&self) -> Duration {
        (self.0)()
    }
}

impl fmt::Debug for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticks({:?})", (self.0)())
    }
}

/// One bucket of tokens per key, which fills as time passes. A key may have a rate of its own.
pub(crate) struct Buckets<K> {
    buckets: Cache<K, Arc<Kept>>,
    ticks: Ticks,
}

struct Kept {
    bucket: Bucket,
    /// How long it takes to fill.
    window: Duration,
}

impl<K: Hash + Eq + Clone + Send + Sync + 'static> Buckets<K> {
    /// No buckets yet; whoever comes first finds a full one.
    pub(crate) fn new(ticks: Ticks) -> Self {
        Self::with_capacity(CAPACITY, ticks)
    }

    fn with_capacity(capacity: u64, ticks: Ticks) -> Self {
        let buckets = Cache::builder()
            .max_capacity(capacity)
            .eviction_policy(EvictionPolicy::lru())
            .expire_after(FullAgain)
            .build();
        Self { buckets, ticks }
    }

    /// Takes one token from the bucket of this key, if there is one: `Ok`, or else `Err`, with how it stands then. None if
    /// there is no limit.
    pub(crate) fn take(&self, key: &K, limit: RateLimit) -> Option<Result<Standing, Standing>> {
        (!limit.is_none()).then(|| self.take_part(key, limit, Share::ALL))
    }

    /// The same from a bucket that gives this part of what the limit says, of which there has to be one.
    pub(crate) fn take_part(&self, key: &K, limit: RateLimit, share: Share) -> Result<Standing, Standing> {
        let new = || Arc::new(Kept { bucket: Bucket::full(), window: limit.window() });
        self.buckets.get_with_by_ref(key, new).bucket.take(limit, share, self.ticks.now())
    }

    /// Puts back what was taken from the bucket of this key, and was of no use.
    pub(crate) fn give_back(&self, key: &K) {
        if let Some(kept) = self.buckets.get(key) {
            kept.bucket.give_back();
        }
    }
}

/// Forgets a bucket that nobody has used for as long as it takes to fill: it is as good as new.
struct FullAgain;

impl<K> Expiry<K, Arc<Kept>> for FullAgain {
    fn expire_after_create(&self, _: &K, kept: &Arc<Kept>, _: Instant) -> Option<Duration> {
        Some(kept.window)
    }

    fn expire_after_read(
        &self,
        _: &K,
        kept: &Arc<Kept>,
        _: Instant,
        _: Option<Duration>,
        _: Instant,
    ) -> Option<Duration> {
        Some(kept.window)
    }

    fn expire_after_update(
        &self,
        _: &K,
        kept: &Arc<Kept>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(kept.window)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;

    const LIMIT: RateLimit = RateLimit { per_minute: 6, burst: 3 };

    /// Buckets over a clock of tenths of a second that a test moves.
    fn buckets(capacity: u64) -> (Buckets<u32>, Arc<AtomicU64>) {
        let clock = Arc::<AtomicU64>::default();
        let hand = Arc::clone(&clock);
        let ticks = Ticks::new(move || Duration::from_millis(100 * hand.load(Ordering::SeqCst)));
        (Buckets::with_capacity(capacity, ticks), clock)
    }

    /// Whether it was let in, how many are left, and the tenths of a second until the reset.
    fn take(buckets: &Buckets<u32>, key: u32) -> (bool, u32, u128) {
        let taken = buckets.take(&key, LIMIT).unwrap();
        let (Ok(standing) | Err(standing)) = taken;
        (taken.is_ok(), standing.remaining, standing.reset.as_millis() / 100)
    }

    #[test]
    fn a_burst_is_let_in_and_then_one_whenever_one_is_due() {
        let (buckets, clock) = buckets(10);
        assert_eq!(take(&buckets, 1), (true, 2, 100));
        assert_eq!(take(&buckets, 1), (true, 1, 200));
        assert_eq!(take(&buckets, 1), (true, 0, 300));
        assert_eq!(take(&buckets, 1), (false, 0, 100));
        clock.store(99, Ordering::SeqCst);
        assert_eq!(take(&buckets, 1), (false, 0, 1), "and being refused costs nothing");
        clock.store(100, Ordering::SeqCst);
        assert_eq!(take(&buckets, 1), (true, 0, 300));
        assert_eq!(take(&buckets, 1), (false, 0, 100));
        clock.store(100_000, Ordering::SeqCst);
        assert_eq!(take(&buckets, 1), (true, 2, 100), "no more than a burst is saved up");
    }

    #[test]
    fn everybody_has_a_bucket_of_their_own() {
        let (buckets, _) = buckets(10);
        for key in 0..3 {
            assert_eq!((0..5).filter(|_| take(&buckets, key).0).count(), 3, "{key}");
        }
    }

    #[test]
    fn without_a_rate_there_is_no_limit() {
        let (buckets, _) = buckets(10);
        assert_eq!((0..1000).find_map(|_| buckets.take(&1, RateLimit::NONE)), None);
        assert_eq!(buckets.buckets.iter().count(), 0);
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let (buckets, _) = buckets(10);
        buckets.give_back(&1);
        while take(&buckets, 1).0 {}
        buckets.give_back(&1);
        assert_eq!([take(&buckets, 1).0, take(&buckets, 1).0], [true, false]);
    }

    #[test]
    fn a_flood_of_keys_keeps_no_more_than_so_many_and_refuses_no_newcomer() {
        let (buckets, _) = buckets(100);
        for key in 0..20_000 {
            assert!(take(&buckets, key).0, "{key}");
        }
        buckets.buckets.run_pending_tasks();
        let kept: BTreeSet<u32> = buckets.buckets.iter().map(|(key, _)| *key).collect();
        assert_eq!(kept, BTreeSet::from_iter(19_900..20_000), "those who came last");
    }

    #[test]
    fn of_concurrent_takers_as_many_are_let_in_as_there_are_tokens() {
        let (buckets, _) = buckets(10);
        let taken: usize = thread::scope(|scope| {
            let takers: Vec<_> =
                (0..4).map(|_| scope.spawn(|| (0..100).filter(|_| take(&buckets, 1).0).count())).collect();
            takers.into_iter().map(|taker| taker.join().unwrap()).sum()
        });
        assert_eq!(taken, 3);
    }

    #[test]
    fn the_systems_ticks_go_on() {
        let ticks = Ticks::of_system();
        let before = ticks.now();
        assert!(ticks.now() >= before);
    }
}
