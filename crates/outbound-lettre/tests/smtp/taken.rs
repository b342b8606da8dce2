//! Mails that a server takes, and what they look like.

use tenantry_domain::people::Email;
use tenantry_outbound_lettre::SmtpSettings;
use tenantry_ports::Mail;
use tenantry_testkit::smtp::{Reaction, ReceivedMail, SmtpOptions, SmtpServer};

use crate::{AUTH, PATIENT, mail, send, send_within, settings, signing_in};

async fn taken(mail: &Mail) -> ReceivedMail {
    let server = SmtpServer::start();
    send(settings(server.address()), mail).await.unwrap();
    let [taken] = server.mails().try_into().unwrap();
    taken
}

#[tokio::test]
async fn a_mail_arrives_with_its_headers_and_in_both_forms() {
    let taken = taken(&mail()).await;
    assert_eq!(
        (taken.from.as_str(), taken.to.as_slice()),
        ("noreply@operator.example", &["admin@acme.example".to_owned()][..])
    );
    for (name, value) in [
        ("Message-ID", "<evt_0195c0de00007000800000000000000a@operator.example>"),
        ("Date", "Sun, 01 Mar 2026 12:00:00 +0000"),
        ("To", "admin@acme.example"),
        ("Subject", "Acme is ready"),
        ("Auto-Submitted", "auto-generated"),
        ("MIME-Version", "1.0"),
    ] {
        assert_eq!(taken.header(name).as_deref(), Some(value), "{name}: {}", taken.data);
    }
    assert!(taken.header("From").unwrap().ends_with("<noreply@operator.example>"), "{}", taken.data);
    assert_eq!(taken.header("Reply-To"), None);
    assert!(taken.header("Content-Type").unwrap().starts_with("multipart/alternative; "), "{}", taken.data);
    assert!(taken.data.is_ascii(), "{}", taken.data);
    let plain = taken.data.find("Content-Type: text/plain; charset=utf-8").unwrap();
    assert!(
        plain < taken.data.find("Content-Type: text/html; charset=utf-8").unwrap(),
        "the preferred form is last"
    );
    for line in [".a line that begins with a dot", "..", "."] {
        assert!(taken.data.contains(&format!("\r\n{line}\r\n")), "{line}: {}", taken.data);
    }
}

#[tokio::test]
async fn a_mail_that_is_sent_again_can_be_recognised() {
    let server = SmtpServer::start();
    for _ in 0..2 {
        send(settings(server.address()), &mail()).await.unwrap();
    }
    let [first, second] = server.mails().try_into().unwrap();
    for name in ["Message-ID", "Date"] {
        assert!(first.header(name).is_some());
        assert_eq!(first.header(name), second.header(name));
    }
}

#[tokio::test]
async fn answers_go_where_the_operator_wants_them() {
    let server = SmtpServer::start();
    let reply_to = Some("Help <help@operator.example>".to_owned());
    send(SmtpSettings { reply_to, ..settings(server.address()) }, &mail()).await.unwrap();
    assert_eq!(server.mails()[0].header("Reply-To").as_deref(), Some("Help <help@operator.example>"));
}

#[tokio::test]
async fn nothing_in_a_mail_can_add_a_header() {
    let evil = "Acme\r\nBcc: everybody@else.example\r\n\r\nBuy!\n\rX-Evil: yes\0";
    let mail = Mail { subject: evil.to_owned(), text: evil.to_owned(), html: evil.to_owned(), ..mail() };
    let taken = taken(&mail).await;
    assert_eq!(taken.to, ["admin@acme.example"]);
    assert_eq!((taken.header("Bcc"), taken.header("X-Evil")), (None, None), "{}", taken.data);
    let subject = taken.header("Subject").unwrap();
    assert!(subject.starts_with("Acme  Bcc: everybody@else.example"), "{subject}");
}

#[tokio::test]
async fn a_subject_of_any_script_and_length_stays_a_header() {
    for subject in [
        "Söhne ₿ 🦀 資金".to_owned(),
        "é".repeat(300),
        "word ".repeat(100),
        "=?utf-8?q?=0D=0ABcc:_x?=".to_owned(),
    ] {
        let taken = taken(&Mail { subject, ..mail() }).await;
        let (head, _) = taken.data.split_once("\r\n\r\n").unwrap();
        assert!(head.is_ascii() && head.lines().all(|line| line.len() < 998), "{head}");
        assert_eq!(
            taken.header("Message-ID").as_deref(),
            Some("<evt_0195c0de00007000800000000000000a@operator.example>"),
            "{head}"
        );
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    }
}

#[tokio::test]
async fn a_domain_of_another_script_is_written_in_ascii() {
    let to = Email::new("jo@müller.example").unwrap();
    let taken = taken(&Mail { to, ..mail() }).await;
    assert_eq!(taken.to, ["jo@xn--mller-kva.example"]);
}

#[tokio::test]
async fn an_address_of_another_script_takes_a_server_that_knows_it() {
    let to = Mail { to: Email::new("用户@acme.example").unwrap(), ..mail() };
    let server = SmtpServer::with(SmtpOptions { utf8: true, ..SmtpOptions::default() });
    send(settings(server.address()), &to).await.unwrap();
    assert_eq!(server.mails()[0].to, ["用户@acme.example"]);

    let old = SmtpServer::start();
    let failure = send(settings(old.address()), &to).await.unwrap_err();
    assert!(failure.lasting && failure.detail.contains("SMTPUTF8"), "{failure:?}");
    assert_eq!(old.mails(), []);
}

#[tokio::test]
async fn who_has_to_sign_in_does() {
    let server = SmtpServer::with(SmtpOptions { auth: Some(AUTH.to_owned()), ..SmtpOptions::default() });
    send(signing_in(settings(server.address())), &mail()).await.unwrap();
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn a_mail_that_was_taken_is_taken_whatever_the_server_says_afterwards() {
    for reaction in [Reaction::HangUp, Reaction::Silence, Reaction::Reply("421 no manners".to_owned())] {
        let server = SmtpServer::start();
        server.react("QUIT", reaction);
        send_within(PATIENT, settings(server.address()), &mail()).await.unwrap();
        assert_eq!(server.mails().len(), 1);
    }
}
