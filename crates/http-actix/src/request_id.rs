//! The id that a request has in its response, in errors, in events and in the log.

use std::sync::Arc;

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderName, HeaderValue};
use tenantry_domain::id::TenantId;
use tenantry_ports::Ids;
use tenantry_usecases::access::Principal;

use crate::limits::Standings;

/// Carries it, in both directions.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// A request's id: the caller's if it is sane, else one of ours.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The id of this request.
    pub(crate) fn of(request: &ServiceRequest, ids: &dyn Ids) -> Self {
        let given = request.headers().get(HEADER).filter(|value| is_sane(value.as_bytes()));
        Self(given.cloned().unwrap_or_else(|| fresh(ids)))
    }

    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        // Made of visible ASCII, both ways.
        self.0.to_str().unwrap_or_default()
    }

    /// As a header's value.
    pub(crate) fn to_header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// 1 to 128 of `A-Za-z0-9._-`.
fn is_sane(text: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=128).contains(&text.len()) && text.iter().all(allowed)
}

fn fresh(ids: &dyn Ids) -> HeaderValue {
    let mut buffer = [0; 32];
    let text = ids.time_ordered().simple().encode_lower(&mut buffer);
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("none"))
}

/// What is learnt about a request on its way, for errors and for the log.
#[derive(Debug)]
pub(crate) struct Trace {
    /// Its id.
    pub(crate) id: RequestId,
    /// Who is calling, once known.
    pub(crate) caller: Option<Arc<Principal>>,
    /// Which tenant it is about, once known.
    pub(crate) tenant: Option<TenantId>,
    /// How the caller stands with the rates of requests, if they are counted.
    pub(crate) standings: Option<Standings>,
}

impl Trace {
    /// Begins the trace of a request, which carries it from then on.
    pub(crate) fn begin(request: &ServiceRequest, ids: &dyn Ids) -> RequestId {
        let id = RequestId::of(request, ids);
        request.extensions_mut().insert(Self { id: id.clone(), caller: None, tenant: None, standings: None });
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_plain_texts_are_taken_over() {
        for sane in ["a", "3fa85f64-5717-4562-b3fc-2c963f66afa6", "A.b_C-9", &"x".repeat(128)] {
            assert!(is_sane(sane.as_bytes()), "{sane}");
        }
        for other in ["", "a b", "a\"b", "a/b", "é", "a\u{7f}", &"x".repeat(129)] {
            assert!(!is_sane(other.as_bytes()), "{other}");
        }
    }
}
