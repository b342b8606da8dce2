//! Mails that no server takes, for now or for good.

use std::net::TcpListener;

use tenantry_ports::MailFailure;
use tenantry_testkit::smtp::{Reaction, SmtpOptions, SmtpServer};

use crate::{AUTH, IMPATIENT, mail, send, send_within, settings, signing_in};

async fn failing(server: &SmtpServer) -> MailFailure {
    send(settings(server.address()), &mail()).await.unwrap_err()
}

#[tokio::test]
async fn what_a_server_refuses_for_good_is_not_tried_again() {
    for (verb, line) in [
        ("RCPT", "550 5.1.1 no such user here"),
        ("MAIL", "550 5.7.1 not from you"),
        ("DATA", "554 5.7.1 not that"),
        (".", "552 5.3.4 too much of it"),
    ] {
        let server = SmtpServer::start();
        server.reply(verb, line);
        let failure = failing(&server).await;
        assert!(failure.lasting, "{verb}: {failure:?}");
        assert!(failure.detail.contains(&line[4..]), "{failure:?}");
        assert_eq!(server.mails(), []);
    }
}

#[tokio::test]
async fn what_a_server_refuses_for_now_is_tried_again() {
    for (verb, line) in [
        ("CONNECT", "421 4.3.2 closed for today"),
        ("CONNECT", "554 5.3.2 no mail here"),
        ("EHLO", "421 4.3.2 too many of you"),
        ("MAIL", "452 4.3.1 no room"),
        ("RCPT", "451 4.7.1 greylisted"),
        ("DATA", "451 4.3.0 later"),
        (".", "451 4.3.0 later"),
    ] {
        let server = SmtpServer::start();
        server.reply(verb, line);
        let failure = failing(&server).await;
        assert!(!failure.lasting, "{verb}: {failure:?}");
        assert!(failure.detail.contains(&line[4..]), "{failure:?}");
        send(settings(server.address()), &mail()).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_is_tried_again() {
    for verb in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."] {
        let server = SmtpServer::start();
        server.react(verb, Reaction::HangUp);
        let failure = failing(&server).await;
        assert!(!failure.lasting, "{verb}: {failure:?}");
        send(settings(server.address()), &mail()).await.unwrap();
        assert_eq!(server.mails().len(), 1, "{verb}");
    }
}

#[tokio::test]
async fn a_silent_server_is_given_up_when_the_time_is_over() {
    for verb in ["CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "."] {
        let server = SmtpServer::with(SmtpOptions { auth: Some(AUTH.to_owned()), ..SmtpOptions::default() });
        server.react(verb, Reaction::Silence);
        let settings = signing_in(settings(server.address()));
        let failure = send_within(IMPATIENT, settings, &mail()).await.unwrap_err();
        let detail = "the mail server did not answer in time".to_owned();
        assert_eq!(failure, MailFailure { lasting: false, detail }, "{verb}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failure = send(settings(address), &mail()).await.unwrap_err();
    assert!(!failure.lasting && failure.detail.contains("refused"), "{failure:?}");
}

/// Who mistyped the password loses no mail: it can be mended.
#[tokio::test]
async fn a_server_that_does_not_know_us_is_tried_again() {
    let wanting =
        |auth: &str| SmtpServer::with(SmtpOptions { auth: Some(auth.to_owned()), ..SmtpOptions::default() });
    let unknown = wanting("AHRoZSBvdGhlciBvbmU=");
    let failure = send(signing_in(settings(unknown.address())), &mail()).await.unwrap_err();
    assert!(!failure.lasting && failure.detail.contains("535"), "{failure:?}");
    let anonymous = wanting(AUTH);
    let failure = send(settings(anonymous.address()), &mail()).await.unwrap_err();
    assert!(!failure.lasting && failure.detail.contains("AUTH first"), "{failure:?}");
}

/// Our password is for a server that asks for it.
#[tokio::test]
async fn a_server_that_knows_no_signing_in_gets_no_password_and_no_mail() {
    let server = SmtpServer::start();
    let failure = send(signing_in(settings(server.address())), &mail()).await.unwrap_err();
    assert!(!failure.lasting && failure.detail.contains("authentication"), "{failure:?}");
    assert_eq!(server.mails(), []);
}
