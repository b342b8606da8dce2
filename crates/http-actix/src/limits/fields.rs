//! What callers are told, in the fields of the IETF's draft "RateLimit header fields for HTTP" (structured fields).

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

use super::{Policy, RateLimit, Standing};
use crate::problem::{Code, Problem};

/// How a caller stands: `"orders";r=59;t=1`.
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// What it is measured by: `"orders";q=60;w=60`.
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What of a policy callers are told: so many requests within so many seconds. Exactly, `q` at once and from then on as
/// many per `w` seconds.
pub(crate) fn policy(policy: Policy, limit: RateLimit) -> String {
    format!("\"{}\";q={};w={}", policy.name(), limit.burst, seconds(limit.window()))
}

/// How somebody stands: `r` requests are left, and in `t` seconds there are more, all of them if there are some now.
fn standing(policy: Policy, standing: Standing) -> String {
    format!("\"{}\";r={};t={}", policy.name(), standing.remaining, wait(standing))
}

/// Adds both fields.
pub(super) fn tell(headers: &mut HeaderMap, of: Policy, limit: RateLimit, stands: Standing) {
    for (name, text) in [(RATE_LIMIT_POLICY, policy(of, limit)), (RATE_LIMIT, standing(of, stands))] {
        // Made of ASCII.
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
}

/// Why a request is not taken.
pub(super) fn refusal(policy: Policy, limit: RateLimit, stands: Standing) -> Problem {
    let wait = wait(stands);
    let detail = format!(
        "Too many requests from your address: {} at once and {} a minute are taken; try again in {wait} s",
        limit.burst, limit.per_minute
    );
    Problem::new(Code::RateLimited, detail)
        .with("violated-policies", vec![policy.name()])
        .with_header(RETRY_AFTER, HeaderValue::from(wait))
}

/// After how many seconds to come again.
fn wait(standing: Standing) -> u64 {
    seconds(standing.reset).max(1)
}

/// Whole seconds, rounded up: whoever waits so long does not come too early.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_up() {
        for (millis, expected) in [(0, 0), (1, 1), (1000, 1), (1001, 2), (59_999, 60)] {
            assert_eq!(seconds(Duration::from_millis(millis)), expected);
        }
    }

    #[test]
    fn a_policy_says_what_a_full_bucket_holds_and_in_how_long_it_fills() {
        for (per_minute, burst, expected) in [
            (60, 60, "\"orders\";q=60;w=60"),
            (6, 3, "\"orders\";q=3;w=30"),
            (7, 3, "\"orders\";q=3;w=26"),
            (6000, 1, "\"orders\";q=1;w=1"),
        ] {
            assert_eq!(policy(Policy::Orders, RateLimit { per_minute, burst }), expected);
        }
    }
}
