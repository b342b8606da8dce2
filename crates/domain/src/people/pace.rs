use chrono::{DateTime, TimeDelta, Utc};

/// How fast attempts to sign in may follow each other: some at once, then ever slower, but never slower than a limit, so
/// that whoever waits that long gets a turn, however many strangers try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How many failures have no consequence.
    pub free: u32,
    /// The wait after the first one that has; it doubles with each further one.
    pub first: TimeDelta,
    /// The longest wait.
    pub longest: TimeDelta,
    /// After how long without a failure all of them are forgotten.
    pub memory: TimeDelta,
}

/// The attempts that somebody, or somewhere, has failed at. An attempt counts as failed until it has succeeded, so that many
/// at once gain nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many.
    pub failures: u32,
    /// When the last one was.
    pub last: DateTime<Utc>,
}

impl Pace {
    /// At one account, from devices that have not signed in to it before; and at one account from one device that has.
    pub const ACCOUNT: Self = Self {
        free: 5,
        first: TimeDelta::seconds(1),
        longest: TimeDelta::minutes(15),
        memory: TimeDelta::hours(24),
    };

    /// From one address, behind which there may be many people.
    pub const ADDRESS: Self = Self {
        free: 50,
        first: TimeDelta::seconds(1),
        longest: TimeDelta::minutes(5),
        memory: TimeDelta::hours(1),
    };

    /// From everywhere together: once there are far more failures than people make, strangers take turns.
    pub const EVERYWHERE: Self = Self {
        free: 1000,
        first: TimeDelta::milliseconds(50),
        longest: TimeDelta::milliseconds(100),
        memory: TimeDelta::minutes(5),
    };

    /// From when on the next attempt may be made.
    pub fn opens_at(&self, tally: Tally) -> DateTime<Utc> {
        match tally.failures.checked_sub(self.free) {
            None | Some(0) => tally.last,
            Some(over) => {
                let doubled = 1_i32.checked_shl(over - 1).filter(|factor| *factor > 0);
                let wait = doubled.and_then(|factor| self.first.checked_mul(factor));
                tally.last + wait.unwrap_or(self.longest).min(self.longest)
            }
        }
    }

    /// Until when the next attempt has to wait at `now`; none if it has not.
    pub fn waits(&self, tally: Tally, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        Some(self.opens_at(tally)).filter(|opens_at| now < *opens_at)
    }

    /// The tally after one more at `now`.
    #[must_use]
    pub fn counted(&self, tally: Tally, now: DateTime<Utc>) -> Tally {
        let failures = if now - tally.last >= self.memory { 0 } else { tally.failures };
        Tally { failures: failures.saturating_add(1), last: now.max(tally.last) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(10) + TimeDelta::seconds(seconds)
    }

    #[test]
    fn the_wait_doubles_from_the_first_that_counts_up_to_the_longest() {
        for (failures, expected) in
            [(0, 0), (5, 0), (6, 1), (7, 2), (8, 4), (15, 512), (16, 900), (40, 900), (u32::MAX, 900)]
        {
            let tally = Tally { failures, last: at(0) };
            assert_eq!(Pace::ACCOUNT.opens_at(tally), at(expected), "{failures}");
            assert_eq!(Pace::ACCOUNT.waits(tally, at(expected)), None, "{failures}");
            if expected > 0 {
                assert_eq!(Pace::ACCOUNT.waits(tally, at(expected - 1)), Some(at(expected)), "{failures}");
            }
        }
    }

    #[test]
    fn failures_are_forgotten_after_a_quiet_time() {
        let tally = Tally { failures: 9, last: at(0) };
        let day = 24 * 3600;
        assert_eq!(Pace::ACCOUNT.counted(tally, at(day - 1)), Tally { failures: 10, last: at(day - 1) });
        assert_eq!(Pace::ACCOUNT.counted(tally, at(day)), Tally { failures: 1, last: at(day) });
        assert_eq!(Pace::ACCOUNT.counted(Tally::default(), at(0)), Tally { failures: 1, last: at(0) });
    }

    /// Whoever tries a thousand times a second for an hour is let through so often as one can count.
    #[test]
    fn a_flood_gets_few_attempts_through() {
        let (mut tally, mut through) = (Tally::default(), 0);
        for second in 0..3600 {
            if Pace::ACCOUNT.waits(tally, at(second)).is_none() {
                tally = Pace::ACCOUNT.counted(tally, at(second));
                through += 1;
            }
        }
        assert!((5..25).contains(&through), "{through}");
    }
}
