//! Mails as they are on the wire.

use std::time::SystemTime;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};
use tenantry_domain::people::Email;
use tenantry_ports::Mail;

/// Whom mails are from.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) from: Mailbox,
    pub(crate) reply_to: Option<Mailbox>,
}

/// The whole message, or why there cannot be one.
pub(crate) fn compose(mail: &Mail, sender: &Sender) -> Result<Message, String> {
    let to = address(&mail.to).map_err(|error| format!("the address cannot be written to: {error}"))?;
    let mut message = Message::builder()
        // The same at every attempt, so that a mail that was sent twice is recognised.
        .message_id(Some(format!("<{}@{}>", mail.id, sender.from.email.domain())))
        .date(SystemTime::from(mail.at))
        .from(sender.from.clone())
        .to(Mailbox::new(None, to))
        .subject(one_line(&mail.subject))
        // Nobody's vacation is of interest.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    if let Some(reply_to) = &sender.reply_to {
        message = message.reply_to(reply_to.clone());
    }
    let body = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
    message.multipart(body).map_err(|error| error.to_string())
}

/// A domain of other scripts has a form in ASCII, which every server takes; what is before the `@` has none.
fn address(email: &Email) -> Result<Address, String> {
    let domain = idna::domain_to_ascii(email.domain()).map_err(|error| error.to_string())?;
    Address::new(email.local_part(), domain).map_err(|error| error.to_string())
}

/// A header ends where a line does.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
