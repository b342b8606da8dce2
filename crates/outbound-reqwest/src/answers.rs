//! What is taken from whoever answers: as much as is useful, as text that can be shown.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Response;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// So much of an answer is read even if less is kept, in bytes: a connection can be used again once its answer was read.
const READ: usize = 16 * 1024;

/// The longest value of a header that is kept, in bytes.
const MAX_VALUE: usize = 256;

/// The headers of an answer that say something to whoever looks for a fault.
const TOLD: [&str; 6] = ["content-type", "date", "location", "retry-after", "server", "x-request-id"];

/// The first `length` bytes of the body, as far as it comes: the status has said what matters.
pub(crate) async fn excerpt(response: &mut Response, length: usize) -> String {
    let (mut kept, mut read) = (Vec::new(), 0);
    while read < length.max(READ) {
        let Ok(Some(part)) = response.chunk().await else { break };
        read += part.len();
        kept.extend_from_slice(&part[..part.len().min(length - kept.len())]);
    }
    printable(&kept)
}

/// The headers that are told of.
pub(crate) fn headers(headers: &HeaderMap) -> Vec<(&'static str, String)> {
    let value = |name: &'static str| {
        let value = headers.get(name)?.as_bytes();
        Some((name, printable(&value[..value.len().min(MAX_VALUE)])))
    };
    TOLD.into_iter().filter_map(value).collect()
}

fn printable(bytes: &[u8]) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    String::from_utf8_lossy(bytes).chars().map(printable).collect::<String>().trim().to_owned()
}

/// For how long an answer asks to be left alone: seconds, or a date.
pub(crate) fn retry_after(headers: &HeaderMap, at: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => (DateTime::parse_from_rfc2822(text).ok()?.to_utc() - at).to_std().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_for_patience_says_for_how_long_or_until_when() {
        let at = DateTime::parse_from_rfc3339("2026-03-01T12:00:00Z").unwrap().to_utc();
        for (text, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 01 Mar 2026 12:01:30 GMT", Some(90)),
            ("Sun, 01 Mar 2026 11:59:59 GMT", None),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            assert_eq!(retry_after(&headers, at), expected.map(Duration::from_secs), "{text:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), at), None);
    }
}
