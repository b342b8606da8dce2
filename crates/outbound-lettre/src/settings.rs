use std::net::IpAddr;

use lettre::message::Mailbox;
use tenantry_ports::Secret;

/// How mails are handed to a mail server.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Its name or address; with TLS, the name its certificate has to have.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether and how the connection is encrypted.
    pub tls: SmtpTls,
    /// As whom to sign in, where the server wants that.
    pub credentials: Option<SmtpCredentials>,
    /// Whom mails are from: `noreply@example.com`, or `Example <noreply@example.com>`.
    pub from: String,
    /// Whom answers go to, if not there.
    pub reply_to: Option<String>,
}

/// Name and password.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "said above")]
pub struct SmtpCredentials {
    pub username: String,
    pub password: Secret,
}

/// Whether and how a connection is encrypted. Where it is to be, nothing goes over one that is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// From the command `STARTTLS` on; usually port 587.
    StartTls,
    /// From the first byte; usually port 465.
    Implicit,
    /// Not at all; usually port 25, on one machine or in one's own network.
    None,
}

impl SmtpTls {
    /// The port where servers usually listen for this.
    pub const fn usual_port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}

/// The settings cannot be worked with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSmtp {
    /// There is no such host.
    #[error("the mail server's host must be a host name or an address alone, such as smtp.example.com")]
    Host,
    /// Not an address of a sender.
    #[error("{0:?} is no sender, such as noreply@example.com or Example <noreply@example.com>")]
    Mailbox(String),
    /// The password would go over the network for everybody to read.
    #[error("a password is sent only over TLS or to a loopback address such as 127.0.0.1")]
    PlainPassword,
    /// TLS cannot be prepared.
    #[error("TLS cannot be prepared: {0}")]
    Tls(String),
}

impl SmtpSettings {
    /// Whether a mailer can be made of them, as far as the settings alone can tell.
    pub fn check(&self) -> Result<(), InvalidSmtp> {
        check_host(&self.host)?;
        check_mailbox(&self.from)?;
        self.reply_to.as_deref().map(check_mailbox).transpose()?;
        if self.credentials.is_some() && self.tls == SmtpTls::None && !self.is_this_machine() {
            return Err(InvalidSmtp::PlainPassword);
        }
        Ok(())
    }

    /// A name is not, not even `localhost`: it is whatever the resolver says.
    fn is_this_machine(&self) -> bool {
        self.host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }
}

/// Whether this is a host's name or address, with neither scheme nor port.
pub fn check_host(text: &str) -> Result<(), InvalidSmtp> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-.:".contains(c);
    let sound = (1..=253).contains(&text.len()) && text.chars().all(plain);
    if sound { Ok(()) } else { Err(InvalidSmtp::Host) }
}

/// Whether mails can be from here: an address in ASCII, with or without a name.
pub fn check_mailbox(text: &str) -> Result<(), InvalidSmtp> {
    mailbox(text).map(drop)
}

/// A sender with an address in ASCII: its domain goes into message ids.
pub(crate) fn mailbox(text: &str) -> Result<Mailbox, InvalidSmtp> {
    let invalid = || InvalidSmtp::Mailbox(text.to_owned());
    let mailbox: Mailbox = text.parse().map_err(|_| invalid())?;
    let sound = mailbox.email.to_string().is_ascii() && !text.contains(char::is_control);
    if sound { Ok(mailbox) } else { Err(invalid()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> SmtpSettings {
        SmtpSettings {
            host: "smtp.example.com".to_owned(),
            port: SmtpTls::StartTls.usual_port(),
            tls: SmtpTls::StartTls,
            credentials: Some(SmtpCredentials {
                username: "ann".to_owned(),
                password: Secret::new("hunter2"),
            }),
            from: "Söhne & Co <noreply@example.com>".to_owned(),
            reply_to: Some("help@example.com".to_owned()),
        }
    }

    fn refused(change: impl Fn(&mut SmtpSettings)) -> InvalidSmtp {
        let mut settings = settings();
        change(&mut settings);
        settings.check().unwrap_err()
    }

    #[test]
    fn settings_that_cannot_work_are_refused_at_once() {
        assert_eq!(settings().check(), Ok(()));
        for host in ["", "smtp.example.com/", "smtp example.com", "smtp://example.com", "a\r\nb"] {
            assert_eq!(refused(|settings| settings.host = host.to_owned()), InvalidSmtp::Host, "{host:?}");
        }
        for sender in
            ["", "example.com", "a@b@c", "Ann", "ann@example.com\r\nBcc: bob@example.com", "用户@例子.广告"]
        {
            let invalid = InvalidSmtp::Mailbox(sender.to_owned());
            assert_eq!(refused(|settings| settings.from = sender.to_owned()), invalid);
            assert_eq!(refused(|settings| settings.reply_to = Some(sender.to_owned())), invalid);
        }
    }

    #[test]
    fn a_password_goes_over_tls_or_stays_on_this_machine() {
        for host in ["smtp.example.com", "localhost", "192.168.1.1"] {
            let plain = refused(|settings| {
                settings.tls = SmtpTls::None;
                settings.host = host.to_owned();
            });
            assert_eq!(plain, InvalidSmtp::PlainPassword, "{host}");
        }
        let plain = SmtpSettings { tls: SmtpTls::None, ..settings() };
        for host in ["127.0.0.1", "::1"] {
            assert_eq!(SmtpSettings { host: host.to_owned(), ..plain.clone() }.check(), Ok(()));
        }
        assert_eq!(SmtpSettings { credentials: None, ..plain }.check(), Ok(()));
    }

    #[test]
    fn no_error_and_no_debug_shows_the_password() {
        assert!(!format!("{:?}", settings()).contains("hunter2"));
    }
}
