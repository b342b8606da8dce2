//! What is asked of others over the network: the only ports that are asynchronous.

use std::net::IpAddr;
use std::pin::Pin;

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
