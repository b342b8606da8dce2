use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use tenantry_ports::Clock;

use crate::sample;

/// A clock that stands still until it is told otherwise.
#[derive(Debug)]
pub struct FakeClock(Mutex<DateTime<Utc>>);

impl FakeClock {
    /// A clock that says [`sample::now`].
    pub fn new() -> Self {
        Self::at(sample::now())
    }

    /// A clock that says `now`, in whole microseconds.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(Mutex::new(now.trunc_subsecs(6)))
    }

    /// Sets the clock, forwards or back, in whole microseconds.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now.trunc_subsecs(6);
    }

    /// Lets this much time pass, and says what time it is then.
    pub fn advance(&self, by: TimeDelta) -> DateTime<Utc> {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = (*now + by).trunc_subsecs(6);
        *now
    }
}

impl Default for FakeClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_only_when_told() {
        let clock = FakeClock::new();
        let start = clock.now();
        assert_eq!(clock.now(), start);
        assert_eq!(clock.advance(TimeDelta::minutes(15)), start + TimeDelta::minutes(15));
        assert_eq!(clock.now(), start + TimeDelta::minutes(15));
        clock.set(start - TimeDelta::days(1));
        assert_eq!(clock.now(), start - TimeDelta::days(1));
    }

    #[test]
    fn it_says_whole_microseconds() {
        let clock = FakeClock::at(DateTime::from_timestamp_nanos(1_234_567_890));
        assert_eq!(clock.now(), DateTime::from_timestamp_nanos(1_234_567_000));
        clock.advance(TimeDelta::nanoseconds(999));
        assert_eq!(clock.now(), DateTime::from_timestamp_nanos(1_234_567_000));
    }
}
