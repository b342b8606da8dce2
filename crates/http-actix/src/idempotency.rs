//! Idempotency keys: a repeated request gets the first answer instead of a second effect.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use tenantry_domain::id::TenantId;
use tenantry_ports::{Digest, IdempotencyKey};
use tenantry_usecases::access::Principal;
use tenantry_usecases::idempotency::Answer;

use crate::problem::{self, Code, Problem};
use crate::routes::respond;

/// The standard's name for the header.
const STANDARD: HeaderName = HeaderName::from_static("idempotency-key");
/// The source document's name for it.
const SOURCE: HeaderName = HeaderName::from_static("requestid");
/// Tells a repeated answer from a first one.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The key the caller chose, if any: 1 to 255 printable ASCII characters, quoted as a structured field or bare.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    match (single(headers, &STANDARD)?, single(headers, &SOURCE)?) {
        (Some(one), Some(other)) if one != other => {
            Err(invalid("Idempotency-Key and requestId differ; send only one"))
        }
        (Some(key), _) | (None, Some(key)) => Ok(Some(key)),
        (None, None) => Ok(None),
    }
}

fn single(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(name);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(invalid("The idempotency key is given more than once"));
    }
    let expected = || invalid("The idempotency key must be 1 to 255 printable ASCII characters");
    let key = unquoted(value).ok_or_else(expected)?;
    if is_key(&key) { Ok(Some(key)) } else { Err(expected()) }
}

/// Whether a text may be a key.
pub(crate) fn is_key(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// The key without the quotes and escapes of a structured field string; none if it is not printable ASCII.
fn unquoted(value: &HeaderValue) -> Option<String> {
    let text = value.to_str().ok()?.trim();
    if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return None;
    }
    let Some(rest) = text.strip_prefix('"') else {
        return Some(text.to_owned());
    };
    let mut key = String::with_capacity(rest.len());
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return characters.as_str().is_empty().then_some(key),
            '\\' => key.push(characters.next().filter(|next| matches!(next, '"' | '\\'))?),
            other => key.push(other),
        }
    }
}

fn invalid(detail: &'static str) -> Problem {
    Problem::new(Code::InvalidIdempotencyKey, detail)
}

/// What makes a request the same request.
pub(crate) struct Request<'a> {
    /// The operation, however its path was spelled.
    pub(crate) operation: &'a str,
    /// The tenant, however it was spelled.
    pub(crate) tenant: TenantId,
    /// The query as sent.
    pub(crate) query: &'a str,
    /// The body's media type.
    pub(crate) content_type: &'a str,
    /// The body as sent.
    pub(crate) body: &'a [u8],
}

impl Request<'_> {
    /// The caller's key in its scope: nobody else's key, and no other operation's, is the same.
    pub(crate) fn keyed(&self, caller: &Principal, key: &str, digest: &dyn Digest) -> IdempotencyKey {
        let class = match caller {
            Principal::Operator { .. } => "operator",
            Principal::Machine { .. } => "machine",
            Principal::Person(_) => "person",
        };
        self.keyed_by(&format!("{class}:{}", caller.actor()), key, digest)
    }

    /// The same for a caller of this name.
    pub(crate) fn keyed_by(&self, caller: &str, key: &str, digest: &dyn Digest) -> IdempotencyKey {
        let scope = format!("{caller}:{}:{key}", self.operation);
        IdempotencyKey { scope, fingerprint: self.fingerprint(digest) }
    }

    /// The operation stands for method and route; each part is preceded by its length, so that no two requests run
    /// together to the same text.
    fn fingerprint(&self, digest: &dyn Digest) -> [u8; 32] {
        let tenant = self.tenant.uuid();
        let [operation, query, content_type] =
            [self.operation, self.query, self.content_type].map(str::as_bytes);
        let parts = [operation, tenant.as_bytes(), query, content_type, self.body];
        let mut text = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
        for part in parts {
            text.extend_from_slice(&(part.len() as u64).to_be_bytes());
            text.extend_from_slice(part);
        }
        digest.sha256(&text)
    }
}

/// How the refusals of a request are written down for its repetitions.
#[derive(Debug, Clone)]
pub(crate) struct Refusals {
    request_id: String,
    path: String,
}

impl Refusals {
    /// Of a request with this id to this path.
    pub(crate) const fn new(request_id: String, path: String) -> Self {
        Self { request_id, path }
    }

    /// The refusal as it is kept; none if it is not for good.
    pub(crate) fn kept(&self, problem: &Problem) -> Option<Answer> {
        let status = problem.code().entry().status.as_u16();
        let body = || problem.body(&self.request_id, &self.path);
        problem.is_for_good().then(|| Answer { status, body: body() })
    }
}

/// An answer that is kept, as a response: the first one or, if `replayed`, a repeated one.
pub(crate) fn respond(answer: &Answer, replayed: bool) -> HttpResponseBuilder {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::CREATED);
    let mut response = HttpResponse::build(status);
    if replayed {
        response.insert_header((REPLAYED, HeaderValue::from_static("true")));
    }
    let refused = status.is_client_error();
    if refused {
        response.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    }
    let content_type = if refused { problem::CONTENT_TYPE } else { respond::JSON };
    response.insert_header((header::CONTENT_TYPE, content_type));
    response
}

/// The whole response with a kept answer.
pub(crate) fn answer(answer: Answer, replayed: bool) -> HttpResponse {
    respond(&answer, replayed).body(answer.body)
}

#[cfg(test)]
mod tests {
    use tenantry_testkit::{FakeDigest, sample};

    use super::*;

    fn of(headers: &[(&HeaderName, &str)]) -> Result<Option<String>, Code> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append((*name).clone(), HeaderValue::from_str(value).unwrap());
        }
        key(&map).map_err(|problem| problem.code())
    }

    #[test]
    fn three_spellings_of_one_key_are_one_key() {
        for headers in [
            &[(&STANDARD, "8e03978e")][..],
            &[(&STANDARD, "\"8e03978e\"")],
            &[(&SOURCE, "8e03978e")],
            &[(&STANDARD, "\"8e03978e\""), (&SOURCE, "8e03978e")],
        ] {
            assert_eq!(of(headers), Ok(Some("8e03978e".to_owned())), "{headers:?}");
        }
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&[(&STANDARD, r#""a\"b\\c""#)]), Ok(Some(r#"a"b\c"#.to_owned())));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for headers in [
            &[(&STANDARD, "")][..],
            &[(&STANDARD, "\"\"")],
            &[(&STANDARD, "\"a")],
            &[(&STANDARD, "\"a\"b")],
            &[(&STANDARD, r#""a\b""#)],
            &[(&STANDARD, "a\tb")],
            &[(&STANDARD, &"x".repeat(256))],
            &[(&STANDARD, "a"), (&STANDARD, "a")],
            &[(&STANDARD, "a"), (&SOURCE, "b")],
        ] {
            assert_eq!(of(headers), Err(Code::InvalidIdempotencyKey), "{headers:?}");
        }
        assert!(of(&[(&STANDARD, &"x".repeat(255))]).is_ok());
    }

    #[test]
    fn any_difference_makes_another_fingerprint_and_the_caller_another_scope() {
        let (tenant, other) = (sample::id(), sample::id());
        let base = || Request { operation: "op", tenant, query: "a=1", content_type: "j", body: b"{}" };
        let print = base().fingerprint(&FakeDigest);
        assert_eq!(print, base().fingerprint(&FakeDigest));
        for different in [
            Request { operation: "po", ..base() },
            Request { tenant: other, ..base() },
            Request { query: "a=2", ..base() },
            Request { content_type: "k", ..base() },
            Request { body: b"{ }", ..base() },
            Request { content_type: "j{", body: b"}", ..base() },
        ] {
            assert_ne!(print, different.fingerprint(&FakeDigest));
        }
        let operator = Principal::Operator { key: None };
        let machine = Principal::Operator { key: Some(sample::id()) };
        let scope = |caller| base().keyed(caller, "k", &FakeDigest).scope;
        assert_ne!(scope(&operator), scope(&machine));
    }
}
