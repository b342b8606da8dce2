use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::RateLimit;

/// How somebody's bucket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// How many more would be taken right now.
    pub(crate) remaining: u32,
    /// In how long there is one more, if there is none; else in how long the bucket is full.
    pub(crate) reset: Duration,
}

/// Which part of a limit is this process's to give: of the rate and, apart from it, of what is taken at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    /// In parts of [`WHOLE`](Self::WHOLE).
    pub(crate) rate: u32,
    /// In parts of [`WHOLE`](Self::WHOLE).
    pub(crate) burst: u32,
}

impl Share {
    /// What there is in all.
    pub(crate) const WHOLE: u32 = 1 << 16;
    /// Everything.
    pub(crate) const ALL: Self = Self { rate: Self::WHOLE, burst: Self::WHOLE };
}

/// One token, in what is counted: a rate of one a minute, whole, adds [`Share::WHOLE`] of it in a nanosecond. So nothing is
/// ever rounded.
const TOKEN: u128 = 60_000_000_000 * Share::WHOLE as u128;

/// A bucket of tokens, which fills as time passes; full at first. By which limit, is said with every use, so that another one
/// counts at once and leaves in it what there is.
#[derive(Debug)]
pub(crate) struct Bucket(Mutex<Level>);

#[derive(Debug)]
struct Level {
    level: u128,
    at: Duration,
}

impl Bucket {
    pub(crate) const fn full() -> Self {
        Self(Mutex::new(Level { level: u128::MAX, at: Duration::ZERO }))
    }

    /// Takes a token, if there is one: `Ok`, or else `Err`, with how it stands then.
    pub(crate) fn take(&self, limit: RateLimit, share: Share, now: Duration) -> Result<Standing, Standing> {
        self.with(limit, share, now, |level| {
            let left = level.checked_sub(TOKEN);
            *level = left.unwrap_or(*level);
            left.is_some()
        })
    }

    /// How it stands, without taking anything.
    pub(crate) fn look(&self, limit: RateLimit, share: Share, now: Duration) -> Standing {
        let (Ok(standing) | Err(standing)) = self.with(limit, share, now, |level| *level >= TOKEN);
        standing
    }

    /// Puts a token back that was of no use.
    pub(crate) fn give_back(&self) {
        let mut level = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        level.level = level.level.saturating_add(TOKEN);
    }

    fn with(
        &self,
        limit: RateLimit,
        share: Share,
        now: Duration,
        act: impl FnOnce(&mut u128) -> bool,
    ) -> Result<Standing, Standing> {
        let rate = (u128::from(limit.per_minute) * u128::from(share.rate)).max(1);
        // Somebody has to be let in at some time.
        let capacity =
            (u128::from(limit.burst) * u128::from(share.burst) * (TOKEN / u128::from(Share::WHOLE)))
                .max(TOKEN);
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_sub(bucket.at).as_nanos();
        bucket.at = now.max(bucket.at);
        let mut level = bucket.level.saturating_add(passed.saturating_mul(rate)).min(capacity);
        let taken = act(&mut level);
        bucket.level = level;
        drop(bucket);
        let remaining = u32::try_from(level / TOKEN).unwrap_or(u32::MAX);
        let missing = if taken { capacity - level } else { TOKEN - level };
        let reset = Duration::from_nanos(u64::try_from(missing.div_ceil(rate)).unwrap_or(u64::MAX));
        let standing = Standing { remaining, reset };
        if taken { Ok(standing) } else { Err(standing) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: RateLimit = RateLimit { per_minute: 60, burst: 9 };
    const THIRD: Share = Share { rate: Share::WHOLE / 3, burst: Share::WHOLE / 3 };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn taken(bucket: &Bucket, limit: RateLimit, share: Share, seconds: u64) -> usize {
        (0..100).take_while(|_| bucket.take(limit, share, at(seconds)).is_ok()).count()
    }

    #[test]
    fn three_thirds_are_never_more_than_the_whole() {
        let buckets: [Bucket; 3] = std::array::from_fn(|_| Bucket::full());
        let all = |seconds| buckets.iter().map(|bucket| taken(bucket, LIMIT, THIRD, seconds)).sum::<usize>();
        assert!((6..=9).contains(&all(0)), "what is taken at once");
        let later: usize = (1..=60).map(all).sum();
        assert!((57..=62).contains(&later), "{later} in a minute");
    }

    #[test]
    fn another_limit_counts_at_once_and_leaves_what_there_is() {
        let bucket = Bucket::full();
        assert_eq!(taken(&bucket, LIMIT, Share::ALL, 0), 9);
        let wider = RateLimit { per_minute: 120, burst: 100 };
        assert_eq!(taken(&bucket, wider, Share::ALL, 0), 0, "a wider bucket is not a full one");
        assert_eq!(taken(&bucket, wider, Share::ALL, 2), 4);
        assert_eq!(taken(&bucket, wider, Share::ALL, 60), 100);
        let bucket = Bucket::full();
        assert_eq!(bucket.take(wider, Share::ALL, at(0)).unwrap().remaining, 99);
        assert_eq!(taken(&bucket, LIMIT, Share::ALL, 0), 9, "what does not fit is lost");
    }

    #[test]
    fn looking_takes_nothing_and_what_is_given_back_is_there_again() {
        let bucket = Bucket::full();
        for _ in 0..3 {
            assert_eq!(bucket.look(LIMIT, Share::ALL, at(0)), Standing { remaining: 9, reset: at(0) });
        }
        assert_eq!(taken(&bucket, LIMIT, Share::ALL, 0), 9);
        assert_eq!(bucket.look(LIMIT, Share::ALL, at(0)), Standing { remaining: 0, reset: at(1) });
        bucket.give_back();
        assert_eq!(taken(&bucket, LIMIT, Share::ALL, 0), 1);
    }

    #[test]
    fn the_largest_limits_are_kept_exactly() {
        let most = RateLimit { per_minute: u32::MAX, burst: u32::MAX };
        assert_eq!(most.window(), Duration::from_secs(60));
        let bucket = Bucket::full();
        assert_eq!(bucket.take(most, Share::ALL, at(0)).unwrap().remaining, u32::MAX - 1);
        assert_eq!(bucket.take(most, Share::ALL, Duration::MAX).unwrap().remaining, u32::MAX - 1);
        let slow = RateLimit { per_minute: 1, ..most };
        assert_eq!(slow.window(), Duration::from_nanos(u64::MAX), "as long as can be said");
    }

    #[test]
    fn the_smallest_share_of_the_smallest_limit_still_lets_somebody_in() {
        let (least, share) = (RateLimit { per_minute: 1, burst: 1 }, Share { rate: 1, burst: 1 });
        assert_eq!(taken(&Bucket::full(), least, share, 0), 1);
    }
}
