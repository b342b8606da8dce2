use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How long to wait after the first attempt that failed, the second and so on: the list of Standard Webhooks.
const WAITS: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(14),
    TimeDelta::hours(20),
    TimeDelta::hours(24),
];

/// How many attempts are made of one delivery, the first among them.
pub const ATTEMPTS: u32 = WAITS.len() as u32 + 1;

/// After at most so many attempts what failed holds up what came after it about the same account, so that the endpoint hears of
/// one thing after the other. What fails more often is overtaken: something that an endpoint cannot digest would otherwise hold
/// up an account for days.
pub const HOLDS_UP: u32 = 2;

/// How long an endpoint may fail without a single success before it is disabled.
pub const PATIENCE: TimeDelta = TimeDelta::days(5);

/// The longest that an endpoint is left alone because it asked for it.
pub const LONGEST_REST: TimeDelta = TimeDelta::hours(24);

/// How long an endpoint that is overloaded is left alone if it does not say.
const REST: TimeDelta = TimeDelta::seconds(10);

/// How long to wait after so many attempts, none of which succeeded; none if that was the last. Every wait is up to a fifth
/// shorter or longer than the list says, as `jitter` (`0.0..1.0`) has it, so that what failed together does not come again
/// together; and no shorter than the endpoint asks for, up to [`LONGEST_REST`].
pub fn wait(attempts: u32, jitter: f64, asked: Option<Duration>) -> Option<TimeDelta> {
    let listed = *WAITS.get(usize::try_from(attempts.checked_sub(1)?).ok()?)?;
    let micros = listed.num_microseconds()? as f64 * (0.8 + 0.4 * jitter);
    Some(TimeDelta::microseconds(micros as i64).max(bounded(asked)))
}

/// Until when an endpoint is to be left alone altogether that answered with this status: one that has too much to do, or
/// that stands behind something that cannot reach it.
pub fn rest(status: u16, asked: Option<Duration>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    matches!(status, 429 | 502 | 504).then(|| now + bounded(asked).max(REST))
}

fn bounded(asked: Option<Duration>) -> TimeDelta {
    let asked = asked.map_or(TimeDelta::zero(), |asked| TimeDelta::from_std(asked).unwrap_or(LONGEST_REST));
    asked.min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_are_those_of_standard_webhooks() {
        let waits: Vec<_> = (1..).map_while(|attempts| wait(attempts, 0.5, None)).collect();
        let seconds: Vec<_> = waits.iter().map(TimeDelta::num_seconds).collect();
        assert_eq!(seconds, [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
        assert_eq!(waits.len() as u32 + 1, ATTEMPTS);
        assert_eq!(wait(0, 0.5, None), None);
    }

    #[test]
    fn jitter_is_a_fifth_at_most_either_way() {
        for (attempts, listed) in (1..).zip(WAITS) {
            let millis = listed.num_milliseconds();
            assert_eq!(wait(attempts, 0.0, None).unwrap().num_milliseconds(), millis * 4 / 5);
            let longest = wait(attempts, 0.999_999, None).unwrap().num_milliseconds();
            assert!((millis * 119 / 100..=millis * 6 / 5).contains(&longest), "{longest}");
        }
    }

    #[test]
    fn an_endpoint_is_left_alone_for_as_long_as_it_asks_and_no_longer_than_a_day() {
        let minute = Some(Duration::from_secs(60));
        assert_eq!(wait(1, 0.5, minute), Some(TimeDelta::seconds(60)));
        assert_eq!(wait(2, 0.5, minute), Some(TimeDelta::minutes(5)));
        assert_eq!(wait(1, 0.5, Some(Duration::MAX)), Some(LONGEST_REST));
        let now = DateTime::UNIX_EPOCH;
        for status in [429, 502, 504] {
            assert_eq!(rest(status, minute, now), Some(now + TimeDelta::seconds(60)));
            assert_eq!(rest(status, None, now), Some(now + REST));
            assert_eq!(rest(status, Some(Duration::MAX), now), Some(now + LONGEST_REST));
        }
        assert_eq!(rest(503, minute, now), None);
    }
}
