#![doc = include_str!("../README.md")]

mod compose;
mod mailer;
mod settings;

pub use mailer::SmtpMailer;
pub use settings::{InvalidSmtp, SmtpCredentials, SmtpSettings, SmtpTls, check_host, check_mailbox};
