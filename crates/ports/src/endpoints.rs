//! Calls of the endpoints that tenants name. Neither the address nor who answers there is to be trusted; what protects us
//! from both is the adapter's.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tenantry_domain::finding::Finding;

/// Where a tenant wants to be called: a URL that [`EndpointSender::check`] took. Whoever knows it may be able to call it, so
/// its `Debug` shows no more than the host.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EndpointUrl(String);

impl EndpointUrl {
    /// For whoever checked it, and for stores that read back what was.
    pub fn of_checked(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The whole URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("", ""));
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        write!(f, "{scheme}://{host}/…")
    }
}

/// One call of an endpoint.
#[derive(Debug, Clone)]
pub struct EndpointCall<'a> {
    /// Where to. It is checked once more: what may be called can have changed since it was taken.
    pub url: &'a EndpointUrl,
    /// `webhook-id`: the same at every attempt. It has no `.`, which separates what is signed.
    pub id: &'a str,
    /// `webhook-timestamp`: when this attempt is made.
    pub at: DateTime<Utc>,
    /// `webhook-signature`.
    pub signature: &'a str,
    /// Further headers, of [`EndpointCall::HEADERS`]; others are not sent.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body, JSON, as it was signed. Shared, not copied, by all calls that tell the same.
    pub body: Arc<[u8]>,
    /// From the look-up of the name to the end of the answer. At least as long as a connection may take to come about.
    pub timeout: Duration,
}

impl EndpointCall<'_> {
    /// The names of headers that a call may bring along, in lower case.
    pub const HEADERS: [&'static str; 2] = ["traceparent", "tracestate"];
}

/// What an [`EndpointSender`] promises to answer.
pub type EndpointAnswer<'a> =
    Pin<Box<dyn Future<Output = Result<EndpointResponse, EndpointFailure>> + Send + 'a>>;

/// Calls tenants' endpoints: one `POST` each, no redirects, nothing twice, and only to addresses that may be called.
pub trait EndpointSender: Send + Sync {
    /// Whether a tenant may name this URL, as far as its text tells: nothing is asked, and what it resolves to is found out
    /// when it is called. The URL comes back as it is to be kept. A finding points to `/url`, and does not repeat the URL.
    fn check(&self, url: &str) -> Result<EndpointUrl, Finding>;

    /// Makes one call. Whether an answer is a good one is for the caller to say.
    fn send<'a>(&'a self, call: EndpointCall<'a>) -> EndpointAnswer<'a>;
}

/// What an endpoint answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointResponse {
    /// The status code, whichever it is: a redirect is an answer, too.
    pub status: u16,
    /// Those headers that say something about an answer, with names in lower case; of each value 256 bytes at most.
    pub headers: Vec<(&'static str, String)>,
    /// The beginning of the body as text, as long as the settings say. It is whatever the endpoint chose to say.
    pub excerpt: String,
    /// How long the endpoint asks to be left alone, from the moment of the call.
    pub retry_after: Option<Duration>,
    /// From the beginning to the status.
    pub took: Duration,
}

impl EndpointResponse {
    /// Whether the endpoint has it: 2xx, and nothing else.
    pub const fn is_success(&self) -> bool {
        200 <= self.status && self.status < 300
    }
}

/// Why there was no answer. It may have arrived all the same.
///
/// As text it is what a tenant may be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{class}")]
pub struct EndpointFailure {
    /// What the tenant may know.
    pub class: FailureClass,
    /// What exactly happened, for the operator's log alone: it tells addresses that names resolve to here. The URL is not
    /// in it.
    pub detail: String,
}

/// Why there was no answer, as far as a tenant may know. A name that leads to an address it must not reach, a port that is
/// closed or filtered, and a name that nobody knows are the same to it and take the same time, or our network could be
/// explored by naming its machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// No connection came about, or it broke before there was an answer.
    Unreachable,
    /// There was a connection, and the time was over.
    TimedOut,
}

impl FailureClass {
    /// A stable name for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => {
                "the endpoint could not be reached; see that its name resolves to public addresses only, that its port accepts \
                 connections, and that its certificate is valid"
            }
            Self::TimedOut => "the endpoint did not answer in time; see that it answers before it does the work",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debugging_shows_an_endpoints_host_and_no_more() {
        for (url, shown) in [
            ("https://hooks.example.com/hunter2", "https://hooks.example.com/…"),
            ("https://hooks.example.com:8443/a?key=hunter2", "https://hooks.example.com:8443/…"),
            ("https://hooks.example.com?hunter2", "https://hooks.example.com/…"),
            ("hunter2", ":///…"),
        ] {
            assert_eq!(format!("{:?}", EndpointUrl::of_checked(url)), shown);
        }
    }

    #[test]
    fn a_tenant_is_not_told_the_detail() {
        let failure =
            EndpointFailure { class: FailureClass::Unreachable, detail: "10.0.0.7 is private".to_owned() };
        assert!(!failure.to_string().contains("10.0.0.7"), "{failure}");
    }
}
