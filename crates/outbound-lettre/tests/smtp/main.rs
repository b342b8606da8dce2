//! Mails handed to a real mail server on a loopback port, friendly and otherwise.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod encrypted;
mod refused;
mod taken;

use std::net::SocketAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tenantry_domain::people::Email;
use tenantry_outbound_lettre::{SmtpCredentials, SmtpMailer, SmtpSettings, SmtpTls};
use tenantry_ports::{Mail, MailFailure, Mailer, Secret};

/// Long enough that it does not matter on a busy machine; tests of slowness use a short one.
const PATIENT: Duration = Duration::from_secs(20);
const IMPATIENT: Duration = Duration::from_millis(300);

const PASSWORD: &str = "s3cret";
/// `\0ann\0s3cret`
const AUTH: &str = "AGFubgBzM2NyZXQ=";

fn settings(server: SocketAddr) -> SmtpSettings {
    SmtpSettings {
        host: server.ip().to_string(),
        port: server.port(),
        tls: SmtpTls::None,
        credentials: None,
        from: "Söhne & Co <noreply@operator.example>".to_owned(),
        reply_to: None,
    }
}

fn signing_in(settings: SmtpSettings) -> SmtpSettings {
    let password = Secret::new(PASSWORD);
    SmtpSettings { credentials: Some(SmtpCredentials { username: "ann".to_owned(), password }), ..settings }
}

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_366_400, 999_999_000).unwrap()
}

fn mail() -> Mail {
    Mail {
        id: "evt_0195c0de00007000800000000000000a".parse().unwrap(),
        at: at(),
        to: Email::new("admin@acme.example").unwrap(),
        subject: "Acme is ready".to_owned(),
        text: "Hello,\n\n.a line that begins with a dot\n..\n.\nGrüße ₿".to_owned(),
        html: "<!DOCTYPE html><html><body><p>Grüße &amp; ₿</p></body></html>".to_owned(),
    }
}

async fn send(settings: SmtpSettings, mail: &Mail) -> Result<(), MailFailure> {
    send_within(PATIENT, settings, mail).await
}

async fn send_within(limit: Duration, settings: SmtpSettings, mail: &Mail) -> Result<(), MailFailure> {
    let mailer: Box<dyn Mailer> = Box::new(SmtpMailer::new(settings).unwrap());
    let outcome = mailer.send(mail, limit).await;
    assert!(!format!("{outcome:?}").contains(PASSWORD), "{outcome:?}");
    outcome
}
