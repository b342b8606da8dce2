//! How handlers answer.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use schemars::JsonSchema;
use serde::Serialize;

use crate::problem::{Internal, Problem};

/// What bodies are sent as.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A JSON body.
pub(crate) fn json(
    mut response: HttpResponseBuilder,
    body: &impl Serialize,
) -> Result<HttpResponse, Problem> {
    let bytes = serde_json::to_vec(body).map_err(|error| Problem::from(Internal).because(error))?;
    Ok(response.insert_header((header::CONTENT_TYPE, JSON)).body(bytes))
}

/// A JSON body that is bytes already.
pub(crate) fn json_bytes(
    mut response: HttpResponseBuilder,
    body: impl Into<actix_web::web::Bytes>,
) -> HttpResponse {
    response.insert_header((header::CONTENT_TYPE, JSON)).body(body.into())
}

/// An answer that nobody but the caller may keep, because there is a secret in it or because it changes.
pub(crate) fn private(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    response
}

/// What a client that comes back to a stream sends: the last event that it saw.
pub(crate) const LAST_SEEN: HeaderName = HeaderName::from_static("last-event-id");
/// After how many milliseconds a client comes back whose stream ended.
pub(crate) const RETRY: u32 = 2000;

/// The headers of a stream of events. Proxies that would collect the events before they pass them on are asked not to.
pub(crate) fn stream_headers(response: &mut HttpResponseBuilder) {
    response
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")))
        .insert_header((HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")));
}

/// One page of a list.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "{T}Page")]
pub(crate) struct Page<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// Pass it as `cursor` for the next page; null on the last one.
    pub(crate) next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The page of at most `limit` items, of which one more was asked for to see whether the list goes on.
    pub(crate) fn of<S>(
        mut found: Vec<S>,
        limit: usize,
        cursor: impl FnOnce(&S) -> String,
        view: impl FnMut(S) -> T,
    ) -> Self {
        let more = found.len() > limit;
        found.truncate(limit);
        let next_cursor = found.last().filter(|_| more).map(cursor);
        Self { items: found.into_iter().map(view).collect(), next_cursor }
    }
}

/// A strong entity tag of visible ASCII.
pub(crate) fn etag(tag: impl std::fmt::Display) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{tag}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether the caller has this version already (`If-None-Match`).
pub(crate) fn is_current(headers: &header::HeaderMap, etag: &HeaderValue) -> bool {
    let (Some(given), Ok(etag)) = (headers.get(header::IF_NONE_MATCH), etag.to_str()) else {
        return false;
    };
    let given = given.to_str().unwrap_or_default();
    given.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_a_cursor_only_if_the_list_goes_on() {
        let page = |found: Vec<u8>| Page::of(found, 2, ToString::to_string, |n| n);
        let full = page(vec![1, 2, 3]);
        assert_eq!((full.items, full.next_cursor.as_deref()), (vec![1, 2], Some("2")));
        let last = page(vec![1, 2]);
        assert_eq!((last.items, last.next_cursor), (vec![1, 2], None));
        assert_eq!(page(Vec::new()).next_cursor, None);
    }

    #[test]
    fn entity_tags_compare_weakly() {
        let tag = etag(7);
        for (given, current) in [
            ("\"7\"", true),
            ("W/\"7\"", true),
            ("\"6\", \"7\"", true),
            ("*", true),
            ("\"77\"", false),
            ("7", false),
        ] {
            let mut headers = header::HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(given));
            assert_eq!(is_current(&headers, &tag), current, "{given}");
        }
        assert!(!is_current(&header::HeaderMap::new(), &tag));
    }
}
