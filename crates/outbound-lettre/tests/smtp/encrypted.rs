//! TLS from the first byte and from `STARTTLS` on. Which certificates are trusted the environment says; each test runs
//! itself again as a process with that environment, because one's own cannot be changed safely.

use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Output};
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tenantry_outbound_lettre::{SmtpSettings, SmtpTls};
use tenantry_testkit::smtp::{SmtpOptions, SmtpServer, Upgrade, Wire};
use tokio::runtime::Builder;

use crate::{AUTH, mail, send, settings, signing_in};

/// The server's address, and how to talk to it.
const SERVER: &str = "SMTP_TEST_SERVER";

/// The part of a test that is run again: sends a mail and prints what came of it.
fn in_child() -> bool {
    #[expect(clippy::disallowed_methods, reason = "how a test tells its second process what to do")]
    let Ok(task) = std::env::var(SERVER) else {
        return false;
    };
    let (tls, address) = task.split_once(' ').unwrap();
    let tls = if tls == "starttls" { SmtpTls::StartTls } else { SmtpTls::Implicit };
    let address: SocketAddr = address.parse().unwrap();
    let settings = SmtpSettings { tls, ..signing_in(settings(address)) };
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    println!("outcome: {:?}", runtime.block_on(send(settings, &mail())));
    true
}

/// What a process that trusts this certificate alone says about the server.
fn send_in_child(test: &str, tls: &str, server: &SmtpServer, trusted: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("trusted.pem");
    std::fs::write(&file, trusted).unwrap();
    let Output { status, stdout, stderr } = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(SERVER, format!("{tls} {}", server.address()))
        .env("SSL_CERT_FILE", &file)
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let printed = String::from_utf8(stdout).unwrap();
    assert!(status.success(), "{printed}{}", String::from_utf8_lossy(&stderr));
    printed.lines().find_map(|line| line.split_once("outcome: ")).unwrap().1.to_owned()
}

/// TLS with a certificate for `name` that nobody else has signed, and that certificate as PEM.
fn tls_for(name: &str) -> (Upgrade, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let upgrade = move |mut stream: TcpStream| {
        let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut stream).ok()?;
        }
        Some(Box::new(StreamOwned::new(connection, stream)) as Box<dyn Wire>)
    };
    (Box::new(upgrade), cert.pem())
}

/// A server that speaks TLS in this way, and the certificate to trust.
fn server(tls: &str, name: &str) -> (SmtpServer, String) {
    let (upgrade, pem) = tls_for(name);
    let mut options = SmtpOptions { auth: Some(AUTH.to_owned()), ..SmtpOptions::default() };
    match tls {
        "starttls" => options.starttls = Some(upgrade),
        _ => options.tls = Some(upgrade),
    }
    (SmtpServer::with(options), pem)
}

#[test]
fn a_mail_and_the_password_go_over_tls_to_a_server_that_is_trusted_and_to_no_other() {
    const THIS: &str =
        "encrypted::a_mail_and_the_password_go_over_tls_to_a_server_that_is_trusted_and_to_no_other";
    if in_child() {
        return;
    }
    for tls in ["starttls", "tls"] {
        let (trusted, pem) = server(tls, "127.0.0.1");
        assert_eq!(send_in_child(THIS, tls, &trusted, &pem), "Ok(())", "{tls}");
        assert!(trusted.mails()[0].encrypted, "{tls}");

        let (stranger, _) = server(tls, "127.0.0.1");
        let (elsewhere, of_elsewhere) = server(tls, "mail.example.com");
        for outcome in
            [send_in_child(THIS, tls, &stranger, &pem), send_in_child(THIS, tls, &elsewhere, &of_elsewhere)]
        {
            assert!(outcome.starts_with("Err(") && outcome.contains("certificate"), "{tls}: {outcome}");
            assert!(outcome.contains("lasting: false"), "{tls}: {outcome}");
        }
        assert_eq!((stranger.mails().len(), elsewhere.mails().len()), (0, 0), "{tls}");
    }
}

#[test]
fn without_tls_nothing_is_said_to_a_server_that_should_have_it() {
    const THIS: &str = "encrypted::without_tls_nothing_is_said_to_a_server_that_should_have_it";
    if in_child() {
        return;
    }
    // Somebody in between might have taken `STARTTLS` out of what the server offers.
    let stripped = SmtpServer::with(SmtpOptions { auth: Some(AUTH.to_owned()), ..SmtpOptions::default() });
    let (_, pem) = tls_for("127.0.0.1");
    let outcome = send_in_child(THIS, "starttls", &stripped, &pem);
    assert!(outcome.contains("STARTTLS is not supported") && outcome.contains("lasting: false"), "{outcome}");
    assert_eq!(stripped.mails(), []);
}
