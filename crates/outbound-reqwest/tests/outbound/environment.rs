//! What the environment has a say in (the certificates that are trusted) and what it has none in (the way there). Each
//! test runs itself again as a process with that environment, because one's own cannot be changed safely.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::endpoints::{self, settings};
use crate::provider::{Canary, Provider, Wire, response, send};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tenantry_outbound_reqwest::{
    EndpointRules, GuardedEndpoints, HttpWebhooks, SiteverifyCaptcha, SiteverifySettings,
};
use tenantry_ports::{CaptchaVerifier, Secret, WebhookRequest, WebhookSender};
use tokio::runtime::Builder;

/// What the second process is to do: ask about a token there, or call a webhook there, the operator's or a tenant's.
const ENDPOINT: &str = "SITEVERIFY_TEST_ENDPOINT";
const WEBHOOK: &str = "WEBHOOK_TEST_URL";
const TENANTS_ENDPOINT: &str = "TENANTS_ENDPOINT_TEST_URL";
const YES: &str = r#"{"success":true}"#;

/// The part of a test that is run again: does what it was told and prints what came of it.
fn in_child() -> bool {
    #[expect(clippy::disallowed_methods, reason = "how a test tells its second process what to do")]
    let told = |name| std::env::var(name).ok();
    if let Some(url) = told(WEBHOOK) {
        println!("answer: {}", called(&url));
        return true;
    }
    if let Some(url) = told(TENANTS_ENDPOINT) {
        println!("answer: {}", called_for_a_tenant(&url));
        return true;
    }
    let Some(endpoint) = told(ENDPOINT) else {
        return false;
    };
    let settings = SiteverifySettings {
        endpoint,
        secret: Secret::new("our-secret"),
        expected_hostname: None,
        timeout: Duration::from_secs(20),
    };
    match SiteverifyCaptcha::new(settings) {
        Ok(captcha) => {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            println!("answer: {:?}", runtime.block_on(captcha.verify("token", None)));
        }
        Err(error) => println!("answer: {error}"),
    }
    true
}

fn called(url: &str) -> String {
    let at = chrono::DateTime::UNIX_EPOCH;
    let timeout = Duration::from_secs(20);
    let request = WebhookRequest { url, id: "evt_1", at, signature: "v1,x", body: b"{}", timeout };
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    match HttpWebhooks::new() {
        Ok(webhooks) => format!("{:?}", runtime.block_on(webhooks.send(request)).map(|answer| answer.status)),
        Err(error) => error.to_string(),
    }
}

fn called_for_a_tenant(url: &str) -> String {
    let rules = EndpointRules { allow_private: true, ..EndpointRules::default() };
    let sender = GuardedEndpoints::new(settings(rules));
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(endpoints::call(&sender, url, Duration::from_secs(20)));
    format!("{:?}", outcome.map(|answer| answer.status))
}

/// Runs this test's part for the child with these variables; what it printed.
fn ask_in_child(test: &str, endpoint: &str, variables: &[(&str, &str)]) -> String {
    in_child_with(test, (ENDPOINT, endpoint), variables)
}

fn call_in_child(test: &str, url: &str, variables: &[(&str, &str)]) -> String {
    in_child_with(test, (WEBHOOK, url), variables)
}

fn call_for_a_tenant_in_child(test: &str, url: &str, variables: &[(&str, &str)]) -> String {
    in_child_with(test, (TENANTS_ENDPOINT, url), variables)
}

fn in_child_with(test: &str, task: (&str, &str), variables: &[(&str, &str)]) -> String {
    let Output { status, stdout, stderr } = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .envs([task])
        .env_remove("SSL_CERT_DIR")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let printed = String::from_utf8(stdout).unwrap();
    assert!(status.success(), "{printed}{}", String::from_utf8_lossy(&stderr));
    printed.lines().find_map(|line| line.split_once("answer: ")).unwrap().1.to_owned()
}

fn over_tls(provider: &Provider) -> String {
    provider.endpoint().replacen("http:", "https:", 1)
}

/// A provider behind TLS, with a certificate for `name` that nobody else has signed, and that certificate as PEM.
fn tls_provider(name: &str) -> (Provider, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let wrap = move |mut stream: TcpStream| {
        let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut stream).ok()?;
        }
        Some(Box::new(StreamOwned::new(connection, stream)) as Box<dyn Wire>)
    };
    (Provider::over(|wire| send(wire, response(200, YES).as_bytes()), wrap), cert.pem())
}

#[test]
fn a_provider_is_asked_over_tls_if_its_certificate_is_trusted() {
    const THIS: &str = "environment::a_provider_is_asked_over_tls_if_its_certificate_is_trusted";
    if in_child() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let certificates = directory.path().join("trusted.pem");
    let trust = |pem: &str| std::fs::write(&certificates, pem).unwrap();
    let variables = [("SSL_CERT_FILE", certificates.to_str().unwrap())];

    let (provider, pem) = tls_provider("127.0.0.1");
    let endpoint = over_tls(&provider);
    trust(&pem);
    assert_eq!(ask_in_child(THIS, &endpoint, &variables), "Ok(Passed)");
    assert_eq!(call_in_child(THIS, &endpoint, &variables), "Ok(200)");
    assert_eq!(call_for_a_tenant_in_child(THIS, &endpoint, &variables), "Ok(200)");
    assert_eq!(provider.heard().len(), 3);

    let (_, of_somebody_else) = tls_provider("127.0.0.1");
    trust(&of_somebody_else);
    for ask in [ask_in_child, call_in_child, call_for_a_tenant_in_child] {
        let answer = ask(THIS, &endpoint, &variables);
        assert!(answer.contains("certificate"), "{answer}");
    }

    let (elsewhere, pem) = tls_provider("provider.example.com");
    trust(&pem);
    let endpoint = over_tls(&elsewhere);
    for ask in [ask_in_child, call_in_child, call_for_a_tenant_in_child] {
        let answer = ask(THIS, &endpoint, &variables);
        assert!(answer.contains("certificate"), "{answer}");
    }

    assert_eq!(provider.heard().len() + elsewhere.heard().len(), 3, "the secret was sent to a stranger");
}

#[test]
fn proxies_of_the_environment_are_ignored() {
    const THIS: &str = "environment::proxies_of_the_environment_are_ignored";
    if in_child() {
        return;
    }
    let canary = Canary::new();
    let proxy = format!("http://{}", canary.address());
    let provider = Provider::saying(200, YES);
    let variables = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    let variables = variables.map(|name| (name, proxy.as_str()));
    let variables: Vec<_> = variables.into_iter().chain([("no_proxy", ""), ("NO_PROXY", "")]).collect();
    assert_eq!(ask_in_child(THIS, &provider.endpoint(), &variables), "Ok(Passed)");
    assert_eq!(call_in_child(THIS, &provider.endpoint(), &variables), "Ok(200)");
    assert_eq!(call_for_a_tenant_in_child(THIS, &provider.endpoint(), &variables), "Ok(200)");
    assert!(canary.is_untouched());
}

#[test]
fn an_endpoint_with_tls_is_never_asked_without() {
    const THIS: &str = "environment::an_endpoint_with_tls_is_never_asked_without";
    if in_child() {
        return;
    }
    let (_, pem) = tls_provider("127.0.0.1");
    let directory = tempfile::tempdir().unwrap();
    let certificates = directory.path().join("trusted.pem");
    std::fs::write(&certificates, pem).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("https://{}/siteverify", listener.local_addr().unwrap());
    let first_words = thread::spawn(move || {
        let mut bytes = vec![0; 4096];
        let length = listener.accept().unwrap().0.read(&mut bytes).unwrap();
        bytes.truncate(length);
        bytes
    });
    let answer = ask_in_child(THIS, &endpoint, &[("SSL_CERT_FILE", certificates.to_str().unwrap())]);
    assert!(answer.starts_with("Err("), "{answer}");
    // 22 is TLS's number for a handshake.
    let first_words = first_words.join().unwrap();
    assert_eq!(first_words[0], 22, "{first_words:?}");
}

#[test]
fn a_machine_without_certificates_can_ask_itself_and_nobody_else() {
    const THIS: &str = "environment::a_machine_without_certificates_can_ask_itself_and_nobody_else";
    if in_child() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let variables =
        [("SSL_CERT_FILE", empty.to_str().unwrap()), ("SSL_CERT_DIR", directory.path().to_str().unwrap())];
    let provider = Provider::saying(200, YES);
    assert_eq!(ask_in_child(THIS, &provider.endpoint(), &variables), "Ok(Passed)");

    let answer = ask_in_child(THIS, &over_tls(&provider), &variables);
    assert!(answer.starts_with("the captcha check cannot be prepared: "), "{answer}");
    assert!(answer.contains("certificate"), "{answer}");
    let answer = call_in_child(THIS, &over_tls(&provider), &variables);
    assert!(answer.starts_with("webhook calls cannot be prepared: "), "{answer}");

    // Who is called is the tenants' business, and no reason not to start.
    let answer = call_for_a_tenant_in_child(THIS, &provider.endpoint(), &variables);
    assert_eq!(answer, "Ok(200)");
    let answer = call_for_a_tenant_in_child(THIS, &over_tls(&provider), &variables);
    assert!(answer.starts_with("Err(EndpointFailure { class: Unreachable"), "{answer}");
    assert!(answer.contains("no certificate can be checked here: "), "{answer}");
}
