//! Through a socket: what only a real server does.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use serde_json::{Value, json};
use tenantry_domain::Finding;
use tenantry_ports::{SchemaCheck, SchemaSource};
use tenantry_security::ValicoCheck;
use tenantry_testkit::TestPlatform;
use tenantry_usecases::Policy;

use super::Switch;
use crate::{Doors, HttpSettings, HttpState, serve};

/// Sends each of these requests over a connection of its own to a new server, and gives the answers back.
async fn answers<const N: usize>(schemas: Arc<dyn SchemaCheck>, requests: [Vec<u8>; N]) -> [String; N] {
    let test = TestPlatform::with(Policy::default(), schemas);
    let settings = HttpSettings {
        bind: ([127, 0, 0, 1], 0).into(),
        workers: 1,
        body_limit: 1000,
        ..HttpSettings::default()
    };
    let readiness = Arc::new(Switch(true.into()));
    let state = HttpState::new(
        Arc::clone(&test.platform),
        settings,
        Doors::Open,
        Arc::default(),
        Arc::default(),
        readiness,
    );
    let serving = serve(Arc::new(state.unwrap())).unwrap();
    let address = serving.addresses[0];
    let handle = serving.server.handle();
    let server = actix_web::rt::spawn(serving.server);
    let exchanged =
        actix_web::rt::task::spawn_blocking(move || requests.map(|request| exchange(address, &request)))
            .await;
    handle.stop(true).await;
    server.await.unwrap().unwrap();
    exchanged.unwrap()
}

fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

fn init(headers: &str, body: &str) -> Vec<u8> {
    let line = "POST /provision/tenants/init HTTP/1.1";
    let request = format!(
        "{line}\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n{headers}\r\n\r\n{body}"
    );
    request.into_bytes()
}

/// The body in chunks of at most `size` bytes.
fn chunked(body: &str, size: usize) -> String {
    let chunk = |part: &[u8]| format!("{:x}\r\n{}\r\n", part.len(), std::str::from_utf8(part).unwrap());
    let chunks: String = body.as_bytes().chunks(size).map(chunk).collect();
    format!("{chunks}0\r\n\r\n")
}

#[track_caller]
fn problem(answer: &str, status: u16) -> Value {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    assert!(head.starts_with(&format!("http/1.1 {status} ")), "{head}");
    assert!(head.contains("content-type: application/problem+json"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert!(head.contains(&format!("x-request-id: {}", body["requestId"].as_str().unwrap())), "{head}");
    body
}

/// Panics on every document.
struct Panicking;

impl SchemaCheck for Panicking {
    fn findings(&self, _: &SchemaSource, _: &Value) -> Vec<Finding> {
        panic!("on purpose");
    }
}

#[actix_web::test]
async fn a_panic_in_a_handler_is_a_problem_and_the_server_lives_on() {
    let panics = init("X-Request-Id: r-1\r\nContent-Length: 2", "{}");
    let lives = b"HEAD /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec();
    let [panics, lives] = answers(Arc::new(Panicking), [panics, lives]).await;
    let body = problem(&panics, 500);
    assert_eq!((&body["code"], &body["requestId"]), (&json!("internal_error"), &json!("r-1")));
    assert!(!body.to_string().contains("on purpose"), "{body}");
    assert!(lives.starts_with("HTTP/1.1 200 ") && lives.ends_with("\r\n\r\n"), "{lives}");
}

#[actix_web::test]
async fn bodies_in_pieces_are_put_together_and_limited() {
    let tenant = |name: &str| json!({ "name": name, "slug": "acme", "plan": "Basic" }).to_string();
    let requests = [
        init("Transfer-Encoding: chunked", &chunked(&tenant("Acme"), 7)),
        init("Transfer-Encoding: chunked", &chunked(&tenant(&"x".repeat(2000)), 300)),
        init("Transfer-Encoding: chunked", &chunked(&tenant(&"x".repeat(2000)), 5000)),
        init("Content-Length: 99999999", "{"),
    ];
    let [whole, long, longer, declared] = answers(Arc::new(ValicoCheck), requests).await;
    assert!(whole.starts_with("HTTP/1.1 200 "), "{whole}");
    for refused in [long, longer, declared] {
        assert_eq!(problem(&refused, 413)["code"], "payload_too_large");
    }
}

#[actix_web::test]
async fn a_url_that_is_long_or_oddly_encoded_is_answered_like_any_other() {
    let odd = [
        "x".repeat(20_000),
        "api/v1/tenants/%FF%00/accounts".to_owned(),
        "%2e%2e/%2e%2e/etc/passwd".to_owned(),
    ];
    let requests =
        odd.map(|path| format!("GET /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").into_bytes());
    let [long, encoded, climbing] = answers(Arc::new(ValicoCheck), requests).await;
    assert_eq!(problem(&long, 404)["code"], "not_found");
    assert_eq!(problem(&encoded, 401)["code"], "missing_authorization");
    assert_eq!(problem(&climbing, 404)["code"], "not_found");
}
