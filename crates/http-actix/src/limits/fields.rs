//! What callers are told, in the fields of the IETF's draft "RateLimit header fields for HTTP" (structured fields).

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

use super::tenants::Exhausted;
use super::{Policy, RateLimit, Standing, Standings};
use crate::problem::{Code, Problem};

/// The limit of a tenant, all its callers together.
const TENANT: &str = "tenant";
/// That of one of them.
const CALLER: &str = "caller";

/// How a caller stands: `"orders";r=59;t=1`.
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// What it is measured by: `"orders";q=60;w=60`.
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What of a policy callers are told: so many requests within so many seconds. Exactly, `q` at once and from then on as
/// many per `w` seconds.
pub(crate) fn policy(policy: Policy, limit: RateLimit) -> String {
    item(policy.name(), limit)
}

fn item(policy: &str, limit: RateLimit) -> String {
    format!("\"{policy}\";q={};w={}", limit.burst, seconds(limit.window()))
}

/// How somebody stands: `r` requests are left, and in `t` seconds there are more, all of them if there are some now.
fn stood(policy: &str, standing: Standing) -> String {
    format!("\"{policy}\";r={};t={}", standing.remaining, wait(standing))
}

/// What callers of a tenant are told of its limit and of their own: lists of two.
pub(crate) fn tell_caller(headers: &mut HeaderMap, standings: Standings) {
    let Standings { tenant: (limit, stands), caller } = standings;
    let mut policies = item(TENANT, limit);
    let mut fields = stood(TENANT, stands);
    if let Some((limit, stands)) = caller {
        policies = format!("{policies}, {}", item(CALLER, limit));
        fields = format!("{fields}, {}", stood(CALLER, stands));
    }
    append(headers, [(RATE_LIMIT_POLICY, policies), (RATE_LIMIT, fields)]);
}

/// Why a caller's request is not taken.
pub(super) fn refuse_caller(exhausted: Exhausted, standings: Standings) -> Problem {
    let (policy, (limit, stands)) = match (exhausted, standings.caller) {
        (Exhausted::Caller, Some(caller)) => (CALLER, caller),
        _ => (TENANT, standings.tenant),
    };
    let whose = if policy == CALLER { "with this credential" } else { "for the tenant" };
    refuse(policy, whose, limit, stands)
}

/// Adds both fields.
pub(super) fn tell(headers: &mut HeaderMap, of: Policy, limit: RateLimit, stands: Standing) {
    append(headers, [(RATE_LIMIT_POLICY, policy(of, limit)), (RATE_LIMIT, stood(of.name(), stands))]);
}

/// Where there is a field of the name already, both count.
fn append(headers: &mut HeaderMap, fields: [(HeaderName, String); 2]) {
    for (name, text) in fields {
        // Made of ASCII.
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.append(name, value);
        }
    }
}

/// Why a request is not taken.
pub(super) fn refusal(policy: Policy, limit: RateLimit, stands: Standing) -> Problem {
    refuse(policy.name(), "from your address", limit, stands)
}

fn refuse(policy: &'static str, whose: &str, limit: RateLimit, stands: Standing) -> Problem {
    let wait = wait(stands);
    let detail = format!(
        "Too many requests {whose}: {} at once and {} a minute are taken; try again in {wait} s",
        limit.burst, limit.per_minute
    );
    Problem::new(Code::RateLimited, detail)
        .with("violated-policies", vec![policy])
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
