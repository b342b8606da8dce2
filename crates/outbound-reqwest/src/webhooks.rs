use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use tenantry_ports::{WebhookAnswer, WebhookFailure, WebhookRequest, WebhookResponse, WebhookSender};

use crate::answers::{excerpt, retry_after};
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
        let mut response = client
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
            excerpt: excerpt(&mut response, EXCERPT).await,
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
