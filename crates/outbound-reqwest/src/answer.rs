//! What a siteverify answer means. Whatever is not plainly a yes or a no is neither.

use reqwest::StatusCode;
use serde::Deserialize;
use tenantry_ports::{CaptchaUnavailable, CaptchaVerdict};

/// Our own code for a challenge that was solved, but at somebody else's site.
const WRONG_HOSTNAME: &str = "wrong-hostname";

/// Codes that speak of us or of the provider, and never of the visitor.
const NOT_THE_VISITORS: [&str; 4] =
    ["missing-input-secret", "invalid-input-secret", "invalid-keys", "internal-error"];

/// How many codes are passed on, and how long one may be: more is no siteverify answer, but a mishap or a prank.
const MOST_CODES: usize = 16;
const LONGEST_CODE: usize = 64;

#[derive(Deserialize)]
struct Answer {
    success: bool,
    hostname: Option<String>,
    #[serde(rename = "error-codes")]
    error_codes: Option<Vec<String>>,
    score: Option<f64>,
    action: Option<String>,
}

/// Judges an answer; `hostname` is the site where the challenge has to have been solved, if that matters.
pub(crate) fn judge(
    status: StatusCode,
    body: &[u8],
    hostname: Option<&str>,
) -> Result<CaptchaVerdict, CaptchaUnavailable> {
    let unavailable = |detail: &str| Err(CaptchaUnavailable::new(detail));
    // A refusal may come as a 4xx; everything else has to be a success to be believed.
    if !status.is_success() && !status.is_client_error() {
        return unavailable(&format!("the provider answered with status {}", status.as_u16()));
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return unavailable(&format!(
            "the provider answered with status {} and what is no siteverify answer",
            status.as_u16()
        ));
    };
    if !answer.success {
        return refusal(answer.error_codes.unwrap_or_default());
    }
    if !status.is_success() {
        return unavailable(&format!("the provider said yes with status {}", status.as_u16()));
    }
    // reCAPTCHA v3 succeeds for everybody and leaves the judgement to the score.
    if answer.score.is_some() && answer.action.is_some() {
        return unavailable(
            "the provider gave a score instead of a verdict; a key with a challenge is needed",
        );
    }
    let elsewhere = |expected| !answer.hostname.is_some_and(|actual| actual.eq_ignore_ascii_case(expected));
    if hostname.is_some_and(elsewhere) {
        return Ok(CaptchaVerdict::Refused { codes: vec![WRONG_HOSTNAME.to_owned()] });
    }
    Ok(CaptchaVerdict::Passed)
}

fn refusal(mut codes: Vec<String>) -> Result<CaptchaVerdict, CaptchaUnavailable> {
    if let Some(ours) = NOT_THE_VISITORS.into_iter().find(|ours| codes.iter().any(|code| code == ours)) {
        return Err(CaptchaUnavailable::new(format!("the provider answered '{ours}'")));
    }
    codes.retain(|code| is_code(code));
    codes.truncate(MOST_CODES);
    Ok(CaptchaVerdict::Refused { codes })
}

fn is_code(text: &str) -> bool {
    (1..=LONGEST_CODE).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str, hostname: Option<&str>) -> Result<CaptchaVerdict, String> {
        judge(StatusCode::from_u16(status).unwrap(), body.as_bytes(), hostname).map_err(|error| error.detail)
    }

    fn refused(codes: &[&str]) -> Result<CaptchaVerdict, String> {
        Ok(CaptchaVerdict::Refused { codes: codes.iter().map(ToString::to_string).collect() })
    }

    #[test]
    fn a_refusal_with_a_status_of_its_own_is_a_refusal() {
        let body = r#"{"success":false,"error-codes":["bad-request"]}"#;
        assert_eq!(judged(400, body, None), refused(&["bad-request"]));
    }

    #[test]
    fn a_yes_counts_only_with_a_status_of_success() {
        let body = r#"{"success":true}"#;
        assert_eq!(judged(200, body, None), Ok(CaptchaVerdict::Passed));
        for status in [302, 304, 400, 403, 429, 500, 503] {
            assert!(judged(status, body, None).is_err(), "{status}");
        }
    }

    #[test]
    fn a_refusal_counts_only_from_a_provider_that_works() {
        assert!(judged(502, r#"{"success":false,"error-codes":["bad-request"]}"#, None).is_err());
    }

    #[test]
    fn the_real_providers_answers_are_understood() {
        for passed in [
            r#"{"success":true,"error-codes":[],"challenge_ts":"2026-08-01T10:00:00.000Z","hostname":"example.com",
                "action":"","cdata":"","metadata":{"interactive":false}}"#,
            r#"{"success":true,"challenge_ts":"2026-08-01T10:00:00.000000Z","hostname":"example.com","credit":true}"#,
            r#"{"success":true,"hostname":"example.com","score":0.1,"score_reason":["safe"]}"#,
            "{\n  \"success\": true,\n  \"challenge_ts\": \"2026-08-01T10:00:00Z\",\n  \"hostname\": \"example.com\"\n}",
        ] {
            assert_eq!(judged(200, passed, Some("example.com")), Ok(CaptchaVerdict::Passed), "{passed}");
        }
    }

    #[test]
    fn a_score_is_no_verdict() {
        let body = r#"{"success":true,"hostname":"example.com","score":0.1,"action":"submit"}"#;
        assert!(judged(200, body, None).unwrap_err().contains("a score instead of a verdict"));
    }

    #[test]
    fn hostnames_are_compared_whole_and_without_case() {
        let at = |hostname: &str| format!(r#"{{"success":true,"hostname":"{hostname}"}}"#);
        assert_eq!(judged(200, &at("Example.COM"), Some("example.com")), Ok(CaptchaVerdict::Passed));
        for other in ["", "evil.com", "example.com.evil.com", "www.example.com", "notexample.com"] {
            assert_eq!(judged(200, &at(other), Some("example.com")), refused(&[WRONG_HOSTNAME]), "{other}");
        }
        for without in [r#"{"success":true}"#, r#"{"success":true,"hostname":null}"#] {
            assert_eq!(judged(200, without, Some("example.com")), refused(&[WRONG_HOSTNAME]), "{without}");
        }
    }

    #[test]
    fn what_is_our_fault_is_not_told_to_the_visitor() {
        for ours in NOT_THE_VISITORS {
            let body = format!(r#"{{"success":false,"error-codes":["invalid-input-response","{ours}"]}}"#);
            assert_eq!(judged(200, &body, None), Err(format!("the provider answered '{ours}'")));
        }
    }

    #[test]
    fn codes_that_are_none_go_no_further() {
        let long = "x".repeat(LONGEST_CODE + 1);
        let body = format!(
            r#"{{"success":false,"error-codes":["timeout-or-duplicate","","two words","a\nline","<b>","{long}"]}}"#
        );
        assert_eq!(judged(200, &body, None), refused(&["timeout-or-duplicate"]));
        let many = vec!["\"code\""; MOST_CODES + 1].join(",");
        let body = format!(r#"{{"success":false,"error-codes":[{many}]}}"#);
        assert_eq!(judged(200, &body, None), refused(&["code"; MOST_CODES]));
    }
}
