use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response};
use tenantry_ports::{WebhookAnswer, WebhookFailure, WebhookRequest, WebhookResponse, WebhookSender};

use crate::client;
use crate::endpoint::Endpoint;

/// How much of an answer is kept, in bytes.
const EXCERPT: usize = 1024;

/// [`WebhookSender`] over HTTP: one `POST` with the headers of Standard Webhooks.
#[derive(Debug)]
pub struct HttpWebhooks {
    /// For this machine's own addresses.
    plain: Client,
    /// For all others.
    secure: Option<Client>,
}

/// The system does not give what it takes, such as certificates to trust.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("webhook calls cannot be prepared: {0}")]
pub struct UnpreparedWebhooks(String);

impl HttpWebhooks {
    /// Can call `https` everywhere, and `http` at loopback addresses.
    pub fn new() -> Result<Self, UnpreparedWebhooks> {
        let secure = client::webhooks(false).map_err(UnpreparedWebhooks)?;
        Ok(Self { secure: Some(secure), ..Self::of_this_machine()? })
    }

    /// Can call `http` at loopback addresses, which takes no certificates, and nothing else.
    pub fn of_this_machine() -> Result<Self, UnpreparedWebhooks> {
        Ok(Self { plain: client::webhooks(true).map_err(UnpreparedWebhooks)?, secure: None })
    }

    async fn call(&self, request: WebhookRequest<'_>) -> Result<WebhookResponse, WebhookFailure> {
        let not_allowed = |why: &str| WebhookFailure::NotAllowed(why.to_owned());
        let Endpoint { url, plain } = Endpoint::parse(request.url).map_err(not_allowed)?;
        let client = if plain { Some(&self.plain) } else { self.secure.as_ref() };
        let client = client.ok_or_else(|| not_allowed("only addresses of this machine are"))?;
        let response = client
            .post(url)
            .timeout(request.timeout)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", request.id)
            .header("webhook-timestamp", request.at.timestamp())
            .header("webhook-signature", request.signature)
            .body(request.body.to_vec())
            .send()
            .await
            .map_err(failure)?;
        Ok(WebhookResponse {
            status: response.status().as_u16(),
            retry_after: retry_after(response.headers(), request.at),
            excerpt: excerpt(response).await,
        })
    }
}

impl WebhookSender for HttpWebhooks {
    fn send<'a>(&'a self, request: WebhookRequest<'a>) -> WebhookAnswer<'a> {
        Box::pin(self.call(request))
    }
}

fn failure(error: reqwest::Error) -> WebhookFailure {
    if error.is_timeout() {
        return WebhookFailure::TimedOut;
    }
    WebhookFailure::Unreachable(client::chain(&error.without_url()))
}

/// The beginning of the body, as far as it comes: the status has said what matters.
async fn excerpt(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < EXCERPT {
        let Ok(Some(part)) = response.chunk().await else { break };
        bytes.extend_from_slice(&part[..part.len().min(EXCERPT - bytes.len())]);
    }
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    String::from_utf8_lossy(&bytes).chars().map(printable).collect::<String>().trim().to_owned()
}

/// Seconds, or a date.
fn retry_after(headers: &HeaderMap, at: DateTime<Utc>) -> Option<Duration> {
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
