//! `provisioning.access = captcha`, from the settings to a provider that is really asked.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod support;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::{fs, thread};

use serde_json::{Value, json};
use support::directory;
use support::server::{Answer, PATIENCE, Server, serve};

const SECRET: &str = "0x4AAA-the-sites-secret";
const OPERATOR: &str = "an-operator-key-of-my-own";
const SITE: &str = "www.example.com";

/// A provider of siteverify: a token `good…` works once, `elsewhere…` was solved at another site, at `breaking…` it
/// breaks down, and all others are forged.
struct Provider {
    endpoint: String,
    asked: Arc<Mutex<Vec<BTreeMap<String, String>>>>,
}

impl Provider {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}/siteverify", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<BTreeMap<String, String>>>>::default();
        let ears = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let form = form(&mut stream);
                let (status, verdict) = verdict(&form, &ears.lock().unwrap());
                ears.lock().unwrap().push(form);
                let body = verdict.to_string();
                let head =
                    format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close", body.len());
                stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).unwrap();
            }
        });
        Self { endpoint, asked }
    }

    /// The tokens it was asked about, always with the secret and nothing else.
    fn asked(&self) -> Vec<String> {
        let token = |form: &BTreeMap<String, String>| {
            assert_eq!((form.len(), &*form["secret"]), (2, SECRET), "{form:?}");
            form["response"].clone()
        };
        self.asked.lock().unwrap().iter().map(token).collect()
    }
}

/// The form of a request; nothing in it needs decoding.
fn form(stream: &mut TcpStream) -> BTreeMap<String, String> {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut request, mut part) = (Vec::new(), [0; 1024]);
    loop {
        let read = stream.read(&mut part).unwrap();
        assert_ne!(read, 0, "the request ends too soon");
        request.extend_from_slice(&part[..read]);
        let text = std::str::from_utf8(&request).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        assert!(head.starts_with("post /siteverify http/1.1\r\n"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() >= length.parse().unwrap() {
            let members = body.split('&').map(|member| member.split_once('=').unwrap());
            return members.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        }
    }
}

fn verdict(form: &BTreeMap<String, String>, before: &[BTreeMap<String, String>]) -> (u16, Value) {
    let refused = |code: &str| (200, json!({ "success": false, "error-codes": [code] }));
    let token = &form["response"];
    if before.contains(form) {
        return refused("timeout-or-duplicate");
    }
    match token.split('-').next().unwrap() {
        "good" => (200, json!({ "success": true, "hostname": SITE })),
        "elsewhere" => (200, json!({ "success": true, "hostname": "www.example.org" })),
        "breaking" => (500, json!({})),
        _ => refused("invalid-input-response"),
    }
}

fn order(server: &Server, slug: &str, headers: &[(&str, &str)]) -> Answer {
    let body = json!({ "name": format!("{slug} Ltd"), "slug": slug, "plan": "Basic" });
    server.exchange("POST", "/provision/tenants/init", headers, &body)
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, &answer.body["code"]), (status, &json!(code)), "{answer:?}");
}

#[test]
fn who_solves_the_challenge_gets_a_tenant_and_nobody_else_does() {
    let (here, provider) = (directory(), Provider::start());
    let secret = here.path().join("captcha.secret");
    fs::write(&secret, format!("{SECRET}\n")).unwrap();
    let mut command = serve(here.path());
    command
        .env("TENANTRY_PROVISIONING_ACCESS", "captcha")
        .env("TENANTRY__PROVISIONING__CAPTCHA__ENDPOINT", &provider.endpoint)
        .env("TENANTRY__PROVISIONING__CAPTCHA__HOSTNAME", SITE)
        .env("TENANTRY_CAPTCHA_SECRET_FILE", &secret)
        .env("TENANTRY_OPERATOR_KEY", OPERATOR);
    let server = Server::start(command);
    let with = |token: &str| order(&server, "acme", &[("X-Captcha-Response", token)]);

    assert_refused(&order(&server, "acme", &[]), 403, "captcha_failed");
    assert_refused(&order(&server, "x", &[("X-Captcha-Response", "good-1")]), 400, "validation_failed");
    assert_eq!(provider.asked(), [""; 0], "without a token, and about a body with faults, nobody is asked");
    assert_refused(&with("forged-1"), 403, "captcha_failed");
    assert_refused(&with("elsewhere-1"), 403, "captcha_failed");
    let unavailable = with("breaking-1");
    assert_refused(&unavailable, 503, "captcha_unavailable");
    assert!(unavailable.head.contains("\r\nretry-after: "), "{unavailable:?}");
    assert_eq!(provider.asked(), ["forged-1", "elsewhere-1", "breaking-1"]);

    let announced = with("good-1");
    assert_eq!(announced.status, 200, "those before left nothing that holds the slug: {announced:?}");
    assert_refused(&order(&server, "second", &[("X-Captcha-Response", "good-1")]), 403, "captcha_failed");
    let asked = provider.asked();
    assert_eq!(asked[3..], ["good-1", "good-1"]);
    let authorization = format!("Bearer {OPERATOR}");
    assert_eq!(order(&server, "second", &[("Authorization", &authorization)]).status, 200);

    let admin = json!({ "email": "admin@example.com", "password": "a long pass phrase" });
    let tenant = json!({ "name": "Third Ltd", "subdomain": "third", "admin": admin });
    let create = |headers: &[(&str, &str)]| server.exchange("POST", "/api/v1/tenants", headers, &tenant);
    assert_refused(&create(&[]), 403, "captcha_failed");
    assert_eq!(create(&[("X-Captcha-Response", "good-2")]).status, 201);
    assert_eq!(provider.asked()[asked.len()..], ["good-2"], "the operator needed none");

    let log = server.stop();
    for (what, text) in [("the secret", SECRET), ("a token", "good-1"), ("a token", "forged-1")] {
        assert!(!log.contains(text), "{what} is in the log");
    }
    for told in ["wrong-hostname", "invalid-input-response", "captcha cannot be checked"] {
        assert!(log.contains(told), "{told}: {log}");
    }
}
