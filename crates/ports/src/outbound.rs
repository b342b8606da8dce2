//! What is asked of others over the network: the only ports that are asynchronous.

use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tenantry_domain::id::EventId;
use tenantry_domain::people::Email;

/// What a [`CaptchaVerifier`] promises to answer.
pub type CaptchaAnswer<'a> =
    Pin<Box<dyn Future<Output = Result<CaptchaVerdict, CaptchaUnavailable>> + Send + 'a>>;

/// Asks the captcha's provider whether a visitor solved its challenge.
///
/// It takes a network's time, up to a limit the adapter is made with: ask it before a unit of work, never inside one.
pub trait CaptchaVerifier: Send + Sync {
    /// Checks `response`, the token that the provider's widget gave the visitor and the visitor gave us. It is whatever
    /// the visitor chose to send, of any form and length.
    ///
    /// The provider takes a token once: ask once per attempt, and ask the visitor for a new token after any answer.
    ///
    /// `remote_ip` is the visitor's address as far as it can be trusted, an optional hint for the provider.
    fn verify<'a>(&'a self, response: &'a str, remote_ip: Option<IpAddr>) -> CaptchaAnswer<'a>;
}

/// What the provider says about a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaptchaVerdict {
    /// The visitor solved the challenge, just now, at our site.
    Passed,
    /// The visitor did not, or too long ago, or has shown this token before, or solved it elsewhere.
    Refused {
        /// Why, in the words of the protocol (`timeout-or-duplicate`); providers may leave it open. Letters, digits,
        /// `-` and `_` alone: fit for a log.
        codes: Vec<String>,
    },
}

/// Nobody can say whether the visitor solved the challenge: the provider cannot be reached, is broken, is not what we
/// take it for, or does not know us. The visitor is not to blame, and must not be let through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the captcha cannot be checked: {detail}")]
pub struct CaptchaUnavailable {
    /// What exactly happened, for the log; neither our secret nor the visitor's token is in it.
    pub detail: String,
}

impl CaptchaUnavailable {
    /// A check that could not be made.
    pub fn new(detail: impl ToString) -> Self {
        Self { detail: detail.to_string() }
    }
}

/// A mail to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// What it tells of; a mail that is sent again can be recognised by it.
    pub id: EventId,
    /// When that happened.
    pub at: DateTime<Utc>,
    /// To whom.
    pub to: Email,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as HTML, a whole document.
    pub html: String,
}

/// What a [`Mailer`] promises to answer.
pub type MailAnswer<'a> = Pin<Box<dyn Future<Output = Result<(), MailFailure>> + Send + 'a>>;

/// Hands mails to a mail server.
pub trait Mailer: Send + Sync {
    /// Hands over one mail, within `timeout`. `Ok` means that the server took charge of it, not that somebody read it.
    ///
    /// A failure does not always mean that nobody gets it: the server's word may have been lost on the way.
    fn send<'a>(&'a self, mail: &'a Mail, timeout: Duration) -> MailAnswer<'a>;
}

/// A mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct MailFailure {
    /// Whether it is never going to be: the server refuses this mail or this recipient for good.
    pub lasting: bool,
    /// What exactly happened, for the log; no password is in it.
    pub detail: String,
}

/// One call of a webhook.
#[derive(Debug, Clone, Copy)]
pub struct WebhookRequest<'a> {
    /// Where to.
    pub url: &'a str,
    /// `webhook-id`: the same at every attempt.
    pub id: &'a str,
    /// `webhook-timestamp`: when this attempt is made.
    pub at: DateTime<Utc>,
    /// `webhook-signature`.
    pub signature: &'a str,
    /// The body, JSON, as it was signed.
    pub body: &'a [u8],
    /// From the look-up of the name to the end of the answer.
    pub timeout: Duration,
}

/// What a [`WebhookSender`] promises to answer.
pub type WebhookAnswer<'a> =
    Pin<Box<dyn Future<Output = Result<WebhookResponse, WebhookFailure>> + Send + 'a>>;

/// Calls webhooks: one `POST` each, no redirects, nothing twice.
pub trait WebhookSender: Send + Sync {
    /// Makes one call. Whether an answer is a good one is for the caller to say.
    fn send<'a>(&'a self, request: WebhookRequest<'a>) -> WebhookAnswer<'a>;
}

/// What a webhook's receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookResponse {
    /// The status code.
    pub status: u16,
    /// The beginning of the body as text, 1 KiB at most. It is whatever the receiver chose to say.
    pub excerpt: String,
    /// How long the receiver asks to be left alone, from the moment of the call.
    pub retry_after: Option<Duration>,
}

impl WebhookResponse {
    /// Whether the receiver has it: 2xx, and nothing else.
    pub const fn is_success(&self) -> bool {
        200 <= self.status && self.status < 300
    }
}

/// Why there was no answer. It may have arrived all the same, unless it was not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookFailure {
    /// Nothing may be sent there; the reason says why, without the address.
    #[error("this address may not be called: {0}")]
    NotAllowed(String),
    /// The time was over.
    #[error("no answer in time")]
    TimedOut,
    /// No connection came about, or it broke. The detail is for the log, without the address.
    #[error("no answer: {0}")]
    Unreachable(String),
}
