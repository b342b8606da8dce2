use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tenantry_domain::finding::{Finding, Pointer};
use tenantry_ports::{
    EndpointAnswer, EndpointCall, EndpointFailure, EndpointResponse, EndpointSender, EndpointUrl,
    FailureClass, Secret, WebhookSecrets,
};

/// A call that [`FakeEndpoints`] received.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the call it was")]
pub struct ReceivedEndpointCall {
    pub url: EndpointUrl,
    pub id: String,
    pub at: DateTime<Utc>,
    pub signature: String,
    pub headers: Vec<(String, String)>,
    pub body: Arc<[u8]>,
    pub timeout: Duration,
}

type Outcome = Result<EndpointResponse, EndpointFailure>;

/// Takes `https` URLs, keeps the calls it is to make, and answers as it was told: in order, and after that with 204.
#[derive(Debug, Default)]
pub struct FakeEndpoints(Mutex<(Vec<ReceivedEndpointCall>, VecDeque<Outcome>)>, AtomicBool);

impl FakeEndpoints {
    /// The calls so far, failed ones too.
    pub fn calls(&self) -> Vec<ReceivedEndpointCall> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// Answers the next call that is not spoken for yet with this status.
    pub fn answer(&self, status: u16, retry_after: Option<Duration>) {
        self.script(Ok(response(status, "as it was told", retry_after)));
    }

    /// Does not answer the next call that is not spoken for yet.
    pub fn fail(&self, class: FailureClass) {
        self.script(Err(EndpointFailure { class, detail: "10.0.0.7 is not for tenants to know".to_owned() }));
    }

    /// Whether calls that are not spoken for are answered with 500 from now on.
    pub fn always_fail(&self, fail: bool) {
        self.1.store(fail, Ordering::SeqCst);
    }

    fn script(&self, outcome: Outcome) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.push_back(outcome);
    }
}

impl EndpointSender for FakeEndpoints {
    fn check(&self, url: &str) -> Result<EndpointUrl, Finding> {
        match url.starts_with("https://") {
            true => Ok(EndpointUrl::of_checked(url)),
            false => {
                Err(Finding::new(Pointer::root().member("url"), "scheme_not_allowed", "it must be https"))
            }
        }
    }

    fn send<'a>(&'a self, call: EndpointCall<'a>) -> EndpointAnswer<'a> {
        let mut script = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        script.0.push(ReceivedEndpointCall {
            url: call.url.clone(),
            id: call.id.to_owned(),
            at: call.at,
            signature: call.signature.to_owned(),
            headers: call.headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            body: call.body,
            timeout: call.timeout,
        });
        let outcome = script.1.pop_front().unwrap_or_else(|| {
            let status = if self.1.load(Ordering::SeqCst) { 500 } else { 204 };
            Ok(response(status, "", None))
        });
        Box::pin(std::future::ready(outcome))
    }
}

fn response(status: u16, excerpt: &str, retry_after: Option<Duration>) -> EndpointResponse {
    let (headers, excerpt) = (Vec::new(), excerpt.to_owned());
    EndpointResponse { status, headers, excerpt, retry_after, took: Duration::from_millis(7) }
}

/// Secrets that are numbered: `whsec_1`, `whsec_2` and so on.
#[derive(Debug, Default)]
pub struct FakeWebhookSecrets(Mutex<u32>);

impl WebhookSecrets for FakeWebhookSecrets {
    fn mint(&self) -> Secret {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *last += 1;
        Secret::new(format!("whsec_{last}"))
    }

    fn is_secret(&self, text: &str) -> bool {
        text.strip_prefix("whsec_").is_some_and(|number| number.parse::<u32>().is_ok())
    }
}
