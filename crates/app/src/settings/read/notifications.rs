//! `[notifications]`: how the outside is told.

use std::time::Duration;

use tenantry_outbound_lettre::{SmtpCredentials, SmtpSettings, SmtpTls, check_host, check_mailbox};
use tenantry_outbound_reqwest::endpoint;
use tenantry_ports::Secret;
use tenantry_security::StandardWebhooks;

use super::{DAY, MINUTE, Reader, SECOND};
use crate::settings::Problem;

/// `[notifications]`; a channel that is none is off.
#[derive(Debug, Clone)]
pub(crate) struct Notifications {
    pub(crate) mail: Option<MailSettings>,
    pub(crate) webhook: Option<WebhookSettings>,
}

/// `[notifications.mail]`
#[derive(Debug, Clone)]
pub(crate) struct MailSettings {
    pub(crate) smtp: SmtpSettings,
    pub(crate) link: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) longest_wait: Duration,
}

/// `[notifications.webhook]`
#[derive(Debug, Clone)]
pub(crate) struct WebhookSettings {
    pub(crate) url: String,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) timeout: Duration,
    pub(crate) longest_wait: Duration,
}

impl Reader<'_> {
    /// What is said about a channel has to be right even where it is off, but has to be complete only where it is on.
    pub(super) fn notifications(&mut self) -> Notifications {
        Notifications { mail: self.mail(), webhook: self.webhook() }
    }

    fn mail(&mut self) -> Option<MailSettings> {
        let host = self.optional("notifications.mail.host", |host| told(check_host(host)));
        let port: u16 = self.number("notifications.mail.port", 0, u16::MAX);
        let tls = self.read("notifications.mail.tls", SmtpTls::StartTls, tls);
        let username = self.optional("notifications.mail.username", |_| Ok(()));
        let password = self.secret("notifications.mail.password", |_| Ok(()));
        let from = self.optional("notifications.mail.from", |from| told(check_mailbox(from)));
        let reply_to = self.optional("notifications.mail.reply_to", |to| told(check_mailbox(to)));
        let link = self.optional("notifications.mail.link", link);
        let timeout = self.duration("notifications.mail.timeout", SECOND, MINUTE);
        let longest_wait = self.duration("notifications.mail.longest_wait", SECOND / 10, DAY);
        let host = host?;
        if from.is_none() {
            self.lack("notifications.mail.from", "notifications.mail.host", "an address to send from");
        }
        let credentials = match (username, password) {
            (Some(username), Some(password)) => Some(SmtpCredentials { username, password }),
            (None, None) => None,
            (Some(_), None) => {
                let set = "TENANTRY_SMTP_PASSWORD, or TENANTRY_SMTP_PASSWORD_FILE for a file that holds it";
                self.lack("notifications.mail.password", "notifications.mail.username", set);
                None
            }
            (None, Some(_)) => {
                self.lack(
                    "notifications.mail.username",
                    "notifications.mail.password",
                    "whose password it is",
                );
                None
            }
        };
        let port = if port == 0 { tls.usual_port() } else { port };
        let smtp = SmtpSettings { host, port, tls, credentials, from: from?, reply_to };
        if let Err(error) = smtp.check() {
            self.problems.push(Problem::new("notifications.mail.tls", error.to_string()));
        }
        Some(MailSettings { smtp, link, timeout, longest_wait })
    }

    fn webhook(&mut self) -> Option<WebhookSettings> {
        // The sentence does not repeat the URL: whoever knows it may be able to call it.
        let url =
            self.optional("notifications.webhook.url", |url| endpoint::check(url).map_err(str::to_owned));
        let secrets = self.secret("notifications.webhook.secrets", secrets);
        let timeout = self.duration("notifications.webhook.timeout", SECOND, 30 * SECOND);
        let longest_wait = self.duration("notifications.webhook.longest_wait", SECOND / 10, DAY);
        let url = url?;
        let Some(secrets) = secrets else {
            let set = "TENANTRY_WEBHOOK_SECRETS, or TENANTRY_WEBHOOK_SECRETS_FILE for a file that holds them";
            self.lack("notifications.webhook.secrets", "notifications.webhook.url", set);
            return None;
        };
        let secrets = secrets.expose().split_whitespace().map(Secret::new).collect();
        Some(WebhookSettings { url, secrets, timeout, longest_wait })
    }

    /// A text that may be empty.
    fn optional(
        &mut self,
        name: &'static str,
        check: impl FnOnce(&str) -> Result<(), String>,
    ) -> Option<String> {
        self.read(name, None, |text| match text {
            "" => Ok(None),
            text => check(text).map(|()| Some(text.to_owned())),
        })
    }

    /// Notes that a setting is missing which another one calls for, unless what it said was wrong.
    fn lack(&mut self, name: &'static str, because: &str, set: &str) {
        if self.says_nothing(name) {
            let what = format!("where there is {because} this is needed; set {set}");
            self.problems.push(Problem::new(name, what));
        }
    }
}

fn told<E: ToString>(outcome: Result<(), E>) -> Result<(), String> {
    outcome.map_err(|error| error.to_string())
}

fn tls(text: &str) -> Result<SmtpTls, String> {
    match text {
        "starttls" => Ok(SmtpTls::StartTls),
        "tls" => Ok(SmtpTls::Implicit),
        "none" => Ok(SmtpTls::None),
        _ => Err(format!("'{text}' is none of starttls, tls and none")),
    }
}

fn link(text: &str) -> Result<(), String> {
    let scheme = text.starts_with("https://") || text.starts_with("http://");
    match scheme && !text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        true => Ok(()),
        false => Err(format!("'{text}' is no link, such as https://console.example.com/{{slug}}")),
    }
}

fn secrets(text: &str) -> Result<(), String> {
    let secrets: Vec<_> = text.split_whitespace().collect();
    match secrets.len() {
        1 | 2 => secrets.into_iter().try_for_each(|secret| told(StandardWebhooks::check(secret))),
        _ => Err("there may be one secret, or two while the receiver changes over".to_owned()),
    }
}
