//! Signed orders and rate limits, from the settings to the answers of the real binary.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod support;

use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::directory;
use support::server::{Answer, Server, serve};
use tenantry_testkit::postgres;

const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const INIT: &str = "/provision/tenants/init";
const DOCUMENTATION: &str = include_str!("../../../docs/provisioning-access.md");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[expect(clippy::disallowed_methods, reason = "the server's clock is the system's, too")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn body(slug: &str) -> Value {
    json!({ "name": format!("{slug} Ltd"), "slug": slug, "plan": "Basic" })
}

/// The headers of a signed order.
fn signed(slug: &str, nonce: &str, secret: &str) -> Vec<(&'static str, String)> {
    let at = now();
    let digest = hex(&Sha256::digest(body(slug).to_string()));
    let text = format!("v1\nPOST\n{INIT}\n{at}\n{nonce}\n{digest}");
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(text).finalize();
    vec![
        ("X-Signature-Timestamp", at.to_string()),
        ("X-Signature-Nonce", nonce.to_owned()),
        ("X-Signature", format!("v1={}", hex(&mac.into_bytes()))),
    ]
}

fn order(server: &Server, slug: &str, headers: &[(&'static str, String)]) -> Answer {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    server.exchange("POST", INIT, &headers, &body(slug))
}

#[track_caller]
fn assert_refused(answer: &Answer, code: &str) {
    assert_eq!((answer.status, &answer.body["code"]), (401, &json!(code)), "{answer:?}");
}

/// Two replicas, started by `start`, and one of them again.
fn a_signed_order_works_once(start: impl Fn() -> Server) {
    let (one, other) = (start(), start());
    assert_refused(&order(&one, "acme", &[]), "missing_signature");
    let wrong = signed("acme", "nonce-number-one", &SECRET.replace('0', "1"));
    assert_refused(&order(&one, "acme", &wrong), "invalid_signature");

    let headers = signed("acme", "nonce-number-one", SECRET);
    assert_eq!(order(&one, "acme", &headers).status, 200);
    for server in [&one, &other] {
        assert_refused(&order(server, "acme", &headers), "nonce_reused");
        assert_refused(&order(server, "other", &signed("other", "nonce-number-one", SECRET)), "nonce_reused");
    }
    let log = one.stop();
    let one = start();
    assert_refused(&order(&one, "acme", &headers), "nonce_reused");
    assert_eq!(order(&one, "other", &signed("other", "nonce-number-two", SECRET)).status, 200);

    let log = [log, one.stop(), other.stop()].concat();
    for secret in [SECRET, &headers[2].1, "nonce-number"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn on_sqlite_a_signed_order_works_once_on_whichever_replica_and_after_a_restart() {
    let here = directory();
    a_signed_order_works_once(|| {
        let mut command = serve(here.path());
        command.env("TENANTRY_PROVISIONING_ACCESS", "hmac").env("TENANTRY_HMAC_SECRETS", SECRET);
        Server::start(command)
    });
}

#[test]
fn on_postgres_a_signed_order_works_once_on_whichever_replica_and_after_a_restart() {
    let Some(databases) = postgres::shared() else {
        return;
    };
    let (url, prefix, here) = (databases.fresh_database("app_"), databases.fresh_prefix(), directory());
    a_signed_order_works_once(|| {
        let mut command = serve(here.path());
        command
            .env("TENANTRY_PROVISIONING_ACCESS", "hmac")
            .env("TENANTRY_HMAC_SECRETS", SECRET)
            .env("TENANTRY_DATABASE_URL", &url)
            .env("TENANTRY__TENANT_DATABASES__PREFIX", &prefix)
            .env("TENANTRY_SECRET_KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
        Server::start(command)
    });
}

/// Runs the documentation's example; none where one of its programs is not installed.
fn example(server: &Server, secret: &str) -> Option<Value> {
    let (_, rest) = DOCUMENTATION.split_once("```bash\n").unwrap();
    let (script, _) = rest.split_once("```").unwrap();
    for program in ["bash", "openssl", "curl"] {
        let version =
            Command::new(program).arg(if program == "openssl" { "version" } else { "--version" }).output();
        if !version.is_ok_and(|output| output.status.success()) {
            eprintln!("the example of docs/provisioning-access.md is not tested: {program} is not installed");
            return None;
        }
    }
    let url = format!("http://{}", server.address);
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", script]).env("URL", url).env("SECRET", secret);
    let Output { status, stdout, stderr } = command.output().unwrap();
    let said = String::from_utf8_lossy(&stdout);
    assert!(status.success(), "{said}\n{}", String::from_utf8_lossy(&stderr));
    Some(serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}")))
}

#[test]
fn the_documented_example_works_as_it_is_printed() {
    let here = directory();
    let mut command = serve(here.path());
    let new = "t7Jm+S/0cBRwTqQ4Zs2VgUe8yLhPxk3n1A9dFoCiWvE=";
    command
        .env("TENANTRY_PROVISIONING_ACCESS", "hmac")
        .env("TENANTRY_HMAC_SECRETS", format!("{SECRET} {new}"));
    let server = Server::start(command);
    let Some(refused) = example(&server, "a wrong secret") else { return };
    assert_eq!(refused["code"], "invalid_signature");
    let announced = example(&server, SECRET).unwrap();
    assert!(announced["confirmToken"].is_string(), "{announced}");
    // Another nonce, and a signature that counts: it is the slug that is taken.
    let again = example(&server, new).unwrap();
    assert_eq!(again["code"], "slug_taken", "{again}");
}

#[test]
fn clients_are_limited_one_by_one_and_this_machine_is_not() {
    let limited = |proxies: &str| {
        let here = directory();
        let mut command = serve(here.path());
        command
            .env("TENANTRY__PROVISIONING__RATE_LIMIT__ORDERS_PER_MINUTE", "1")
            .env("TENANTRY__PROVISIONING__RATE_LIMIT__ORDERS_BURST", "2")
            .env("TENANTRY__SERVER__TRUSTED_PROXIES", proxies);
        (Server::start(command), here)
    };
    let send = |server: &Server, client: Option<&str>| {
        let headers: Vec<_> = client.map(|client| ("X-Forwarded-For", client)).into_iter().collect();
        server.exchange("POST", INIT, &headers, &json!({}))
    };

    let (server, _here) = limited("");
    for _ in 0..20 {
        let answer = send(&server, None);
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(!answer.head.contains("\r\nratelimit"), "{answer:?}");
    }

    let (server, _here) = limited("127.0.0.1");
    for client in ["203.0.113.5", "203.0.113.6"] {
        for left in [1, 0] {
            let answer = send(&server, Some(client));
            assert_eq!(answer.status, 400, "{answer:?}");
            assert!(answer.head.contains("\r\nratelimit-policy: \"orders\";q=2;w=120\r\n"), "{answer:?}");
            assert!(answer.head.contains(&format!("\r\nratelimit: \"orders\";r={left};t=")), "{answer:?}");
        }
        let answer = send(&server, Some(&format!("198.51.100.1, {client}")));
        assert_eq!((answer.status, &answer.body["code"]), (429, &json!("rate_limited")), "{answer:?}");
        let header = |name: &str| {
            let line = answer.head.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("{name} {answer:?}")).to_owned()
        };
        assert_eq!(header("ratelimit: "), format!("\"orders\";r=0;t={}", header("retry-after: ")));
    }
    let log = server.stop();
    assert!(!log.contains("203.0.113."), "{log}");
}
