//! When what failed is tried again.

use std::time::Duration;

use chrono::TimeDelta;
use tenantry_ports::Channel;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The waits after the first failed attempt and the following ones, in seconds: Standard Webhooks' list, three days and a
/// half.
const WEBHOOK: [u64; 9] =
    [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/// A mail that is two days late helps nobody.
const MAIL: [u64; 6] = [MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 24 * HOUR];

/// How long to wait after the failure of `attempt` (1 for the first): as listed, no shorter than the receiver asked for, no
/// longer than `longest`, and a fifth more or less than listed as `jitter` in 0..=1 has it. None: it was the last one.
pub(super) fn wait(
    channel: Channel,
    attempt: u32,
    longest: Duration,
    jitter: f64,
    asked_for: Option<Duration>,
) -> Option<TimeDelta> {
    let list: &[u64] = match channel {
        Channel::Mail => &MAIL,
        Channel::Webhook => &WEBHOOK,
    };
    let listed = list.get(usize::try_from(attempt.saturating_sub(1)).ok()?)?;
    let wait = Duration::from_secs(*listed).min(longest).mul_f64(0.8 + 0.4 * jitter.clamp(0.0, 1.0));
    let wait = wait.max(asked_for.unwrap_or_default().min(longest));
    // Whole microseconds, which is what stores keep.
    i64::try_from(wait.as_micros()).ok().map(TimeDelta::microseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * HOUR);

    fn seconds(channel: Channel, longest: Duration, jitter: f64) -> Vec<i64> {
        let waits = (1..).map_while(|attempt| wait(channel, attempt, longest, jitter, None));
        waits.map(|wait| wait.num_seconds()).collect()
    }

    #[test]
    fn webhooks_are_tried_as_standard_webhooks_says() {
        let list = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
        assert_eq!(seconds(Channel::Webhook, DAY, 0.5), list);
        assert_eq!(seconds(Channel::Webhook, DAY, 0.0), list.map(|seconds| seconds * 8 / 10));
        assert_eq!(seconds(Channel::Webhook, DAY, 1.0), list.map(|seconds| seconds * 12 / 10));
    }

    #[test]
    fn mails_are_given_up_after_two_days() {
        assert_eq!(seconds(Channel::Mail, DAY, 0.5), [60, 300, 1_800, 7_200, 21_600, 86_400]);
    }

    #[test]
    fn the_operator_says_how_long_a_wait_may_be() {
        let minute = Duration::from_secs(MINUTE);
        assert_eq!(seconds(Channel::Webhook, minute, 0.5), [5, 60, 60, 60, 60, 60, 60, 60, 60]);
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_but_not_for_ever() {
        let asked = |seconds| {
            let asked = Some(Duration::from_secs(seconds));
            wait(Channel::Webhook, 2, DAY, 0.5, asked).unwrap().num_seconds()
        };
        assert_eq!(asked(0), 300);
        assert_eq!(asked(299), 300);
        assert_eq!(asked(3_600), 3_600);
        assert_eq!(asked(u64::MAX), 86_400);
    }
}
