use std::fmt;
use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tenantry_ports::{Mail, MailAnswer, MailFailure, Mailer};
use tokio::time::timeout;

use crate::compose::{Sender, compose};
use crate::settings::{InvalidSmtp, SmtpSettings, SmtpTls, mailbox};

/// How long a server that has taken a mail may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// What a server says who wants us to sign in, in another way, or as somebody else: it is about us and not about a mail.
const ABOUT_US: [u16; 4] = [530, 534, 535, 538];

/// [`Mailer`] over SMTP. Every mail has a connection of its own.
pub struct SmtpMailer {
    host: String,
    port: u16,
    tls: Encryption,
    credentials: Option<Credentials>,
    hello: ClientId,
    sender: Sender,
}

#[derive(Clone)]
enum Encryption {
    StartTls(TlsParameters),
    Implicit(TlsParameters),
    None,
}

impl SmtpMailer {
    /// Prepares for sending; nothing is connected yet.
    pub fn new(settings: SmtpSettings) -> Result<Self, InvalidSmtp> {
        settings.check()?;
        let SmtpSettings { host, port, tls, credentials, from, reply_to } = settings;
        let parameters =
            || TlsParameters::new(host.clone()).map_err(|error| InvalidSmtp::Tls(error.to_string()));
        Ok(Self {
            tls: match tls {
                SmtpTls::StartTls => Encryption::StartTls(parameters()?),
                SmtpTls::Implicit => Encryption::Implicit(parameters()?),
                SmtpTls::None => Encryption::None,
            },
            credentials: credentials
                .map(|known| Credentials::new(known.username, known.password.expose().to_owned())),
            hello: ClientId::default(),
            sender: Sender { from: mailbox(&from)?, reply_to: reply_to.as_deref().map(mailbox).transpose()? },
            host,
            port,
        })
    }

    async fn deliver(&self, mail: &Mail, limit: Duration) -> Result<(), MailFailure> {
        let message = compose(mail, &self.sender).map_err(|detail| MailFailure { lasting: true, detail })?;
        let taken = timeout(limit, self.hand_over(&message)).await;
        let mut connection =
            taken.unwrap_or_else(|_| Err(passing("the mail server did not answer in time")))?;
        // The mail is the server's; whatever comes of this does not matter.
        let _ = timeout(GOODBYE, connection.quit()).await;
        Ok(())
    }

    async fn hand_over(&self, message: &Message) -> Result<AsyncSmtpConnection, MailFailure> {
        let mut connection = self.connect().await.map_err(passing)?;
        match connection.send(message.envelope(), &message.formatted()).await {
            Ok(_) => Ok(connection),
            Err(error) => Err(MailFailure { lasting: is_lasting(&error), detail: error.to_string() }),
        }
    }

    /// A connection on which mails are taken. Whatever is wrong here is wrong for every mail, and can be mended.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let implicit = if let Encryption::Implicit(tls) = &self.tls { Some(tls.clone()) } else { None };
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, None, &self.hello, implicit, None).await?;
        if let Encryption::StartTls(tls) = &self.tls {
            connection.starttls(tls.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await?;
        }
        Ok(connection)
    }
}

impl Mailer for SmtpMailer {
    fn send<'a>(&'a self, mail: &'a Mail, timeout: Duration) -> MailAnswer<'a> {
        Box::pin(self.deliver(mail, timeout))
    }
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, sender, .. } = self;
        f.debug_struct("SmtpMailer").field("host", host).field("port", port).field("sender", sender).finish()
    }
}

fn passing(detail: impl ToString) -> MailFailure {
    MailFailure { lasting: false, detail: detail.to_string() }
}

/// Whether the server is never going to take this mail: it said so, or cannot do what the mail takes.
fn is_lasting(error: &Error) -> bool {
    let about_us = error.status().is_some_and(|code| ABOUT_US.contains(&u16::from(code)));
    (error.is_permanent() && !about_us) || error.is_client()
}
