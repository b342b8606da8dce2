//! Problems: errors as RFC 9457 `application/problem+json`.

mod accounts;
pub(crate) mod catalogue;
mod configuration;
mod events;
mod from;
mod limits;
mod organisation;
mod people;
mod tenants;
mod trades;
mod webhooks;

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use tenantry_domain::Finding;

pub(crate) use catalogue::Code;
pub(crate) use from::Internal;

/// What every problem is sent as.
pub(crate) const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Why a request is not answered with what it asked for. Handlers return it; [`observe`](crate::observe) writes it out, where
/// the request's id and path are known.
pub(crate) struct Problem(Box<Inner>);

struct Inner {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<Finding>,
    members: Vec<(&'static str, Value)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<String>,
}

impl Problem {
    /// A problem of this kind; `detail` is one sentence about this occurrence, fit for strangers.
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let headers = match code.entry().status {
            StatusCode::UNAUTHORIZED => {
                vec![(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tenantry\""))]
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                vec![(header::RETRY_AFTER, HeaderValue::from_static("1"))]
            }
            _ => Vec::new(),
        };
        Self(Box::new(Inner {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            members: Vec::new(),
            headers,
            cause: None,
        }))
    }

    /// A problem of this kind, about which there is no more to say than the catalogue does.
    pub(crate) fn plain(code: Code) -> Self {
        Self::new(code, code.entry().cause)
    }

    /// With everything that is wrong with the input.
    pub(crate) fn with_errors(mut self, errors: Vec<Finding>) -> Self {
        self.0.errors = errors;
        self
    }

    /// With one more member.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.members.push((name, value.into()));
        self
    }

    /// With one more header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// With what exactly happened, for the log alone.
    pub(crate) fn because(mut self, cause: impl fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// Its kind.
    pub(crate) fn code(&self) -> Code {
        self.0.code
    }

    /// Everything that is wrong with the input.
    #[cfg(test)]
    pub(crate) fn errors(&self) -> &[Finding] {
        &self.0.errors
    }

    /// What exactly happened, for the log alone.
    pub(crate) fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// The body, as part of another one.
    pub(crate) fn to_json(&self, request_id: &str, instance: &str) -> Value {
        let wire = Wire { problem: &self.0, request_id, instance };
        // A map of texts and JSON values always serialises.
        serde_json::to_value(&wire).unwrap_or_default()
    }

    /// The finished response.
    pub(crate) fn response(&self, request_id: &str, instance: &str) -> HttpResponse {
        let mut response = HttpResponse::build(self.0.code.entry().status);
        for header in &self.0.headers {
            response.insert_header(header.clone());
        }
        response.insert_header((header::CONTENT_TYPE, CONTENT_TYPE));
        response.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
        response.body(self.body(request_id, instance))
    }

    /// The body of the response.
    pub(crate) fn body(&self, request_id: &str, instance: &str) -> Vec<u8> {
        let wire = Wire { problem: &self.0, request_id, instance };
        // A map of texts and JSON values always serialises.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// Whether the same request would be refused like this again as far as it is up to the request: what was executed and
    /// refused by the domain. Not who may call, how often, in which form, or what failed here.
    pub(crate) fn is_for_good(&self) -> bool {
        let about_the_key = matches!(self.0.code, Code::IdempotencyKeyReused | Code::IdempotencyInProgress);
        let status = self.0.code.entry().status;
        !about_the_key && matches!(status, StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY)
    }
}

/// The problem as it is sent.
struct Wire<'a> {
    problem: &'a Inner,
    request_id: &'a str,
    instance: &'a str,
}

impl Serialize for Wire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Inner { code, detail, errors, members, .. } = self.problem;
        let entry = code.entry();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", entry.link())?;
        map.serialize_entry("title", entry.title)?;
        map.serialize_entry("status", &entry.status.as_u16())?;
        map.serialize_entry("detail", detail)?;
        map.serialize_entry("instance", self.instance)?;
        map.serialize_entry("code", entry.code)?;
        map.serialize_entry("requestId", self.request_id)?;
        map.serialize_entry("help", &format_args!("/problems/{}", entry.code))?;
        if !errors.is_empty() {
            map.serialize_entry("errors", errors)?;
        }
        for (name, value) in members {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { code, detail, cause, .. } = &*self.0;
        f.debug_struct("Problem").field("code", code).field("detail", detail).field("cause", cause).finish()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.entry().title, self.0.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.code.entry().status
    }

    /// Only the status: the middleware around every route writes the body.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody as _;
    use serde_json::json;
    use tenantry_domain::Pointer;

    use super::*;

    fn body(problem: &Problem) -> Value {
        let response = problem.response("req-1", "/there");
        serde_json::from_slice(&response.into_body().try_into_bytes().unwrap()).unwrap()
    }

    #[test]
    fn a_problem_has_every_member_of_the_contract() {
        let problem = Problem::new(Code::SlugTaken, "A tenant with slug 'acme' already exists");
        assert_eq!(
            body(&problem),
            json!({
                "type": "https://tools.ietf.org/html/rfc7231#section-6.5.8",
                "title": "Slug Already Exists",
                "status": 409,
                "detail": "A tenant with slug 'acme' already exists",
                "instance": "/there",
                "code": "slug_taken",
                "requestId": "req-1",
                "help": "/problems/slug_taken",
            })
        );
    }

    #[test]
    fn findings_and_extra_members_are_told_and_the_cause_is_not() {
        let finding = Finding::new(Pointer::root().member("a"), "too_short", "Longer, please");
        let problem = Problem::plain(Code::ValidationFailed)
            .with_errors(vec![finding])
            .with("hint", 7)
            .because("secret table does not exist");
        let body = body(&problem);
        assert_eq!(
            body["errors"],
            json!([{ "pointer": "/a", "code": "too_short", "message": "Longer, please" }])
        );
        assert_eq!(body["hint"], 7);
        assert!(!body.to_string().contains("secret"));
        assert_eq!(problem.cause(), Some("secret table does not exist"));
    }

    #[test]
    fn statuses_that_ask_for_a_header_have_it() {
        for code in Code::ALL {
            let response = Problem::plain(*code).response("r", "/");
            let has = |name: &HeaderName| response.headers().contains_key(name);
            assert_eq!(
                has(&header::WWW_AUTHENTICATE),
                response.status() == StatusCode::UNAUTHORIZED,
                "{code:?}"
            );
            assert_eq!(
                has(&header::RETRY_AFTER),
                [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&response.status()),
                "{code:?}"
            );
            assert_eq!(response.headers().get(header::CONTENT_TYPE), Some(&CONTENT_TYPE), "{code:?}");
        }
    }
}
