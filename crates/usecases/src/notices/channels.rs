use std::sync::Arc;
use std::time::Duration;

use tenantry_ports::{Channel, Mailer, Secret, WebhookSender, WebhookSigner};

/// The ways in which the outside is told. One that is none is off: nothing is written down for it, and nothing sent.
#[derive(Clone, Default)]
pub struct Channels {
    /// Mails to the tenants' contact addresses.
    pub mail: Option<MailChannel>,
    /// Calls of the operator's endpoint.
    pub webhook: Option<WebhookChannel>,
}

/// How mails are sent.
#[derive(Clone)]
pub struct MailChannel {
    /// Who sends them.
    pub mailer: Arc<dyn Mailer>,
    /// Where the recipient goes from there, for the mail; `{slug}` in it stands for the tenant's.
    pub link: Option<String>,
    /// How long one may take.
    pub timeout: Duration,
    /// No wait between two attempts is longer.
    pub longest_wait: Duration,
}

/// How the operator's endpoint is called.
#[derive(Clone)]
pub struct WebhookChannel {
    /// Who calls it.
    pub sender: Arc<dyn WebhookSender>,
    /// Who signs the calls.
    pub signer: Arc<dyn WebhookSigner>,
    /// The endpoint.
    pub url: String,
    /// What calls are signed with: one, or two while the receiver changes over.
    pub secrets: Vec<Secret>,
    /// How long a call may take.
    pub timeout: Duration,
    /// No wait between two attempts is longer.
    pub longest_wait: Duration,
}

impl Channels {
    /// Whether anybody is told over this one.
    pub const fn has(&self, channel: Channel) -> bool {
        match channel {
            Channel::Mail => self.mail.is_some(),
            Channel::Webhook => self.webhook.is_some(),
        }
    }
}
