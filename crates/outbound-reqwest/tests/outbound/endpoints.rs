//! Calls of tenants' endpoints that may be called, by receivers of every kind. What may not be is in `guard`.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tenantry_outbound_reqwest::{EndpointRules, EndpointSettings, GuardedEndpoints};
use tenantry_ports::{
    EndpointCall, EndpointFailure, EndpointResponse, EndpointSender, EndpointUrl, FailureClass,
};

use crate::provider::{Provider, response, send, wait_for_the_end};

const BODY: &str = "{\"name\":\"Söhne ₿\"}";
const SIGNATURE: &str = "v1,AbC/+dEf= v1,gHi=";
const PATIENT: Duration = Duration::from_secs(20);
const IMPATIENT: Duration = Duration::from_millis(600);

/// How long it takes to learn that there is no connection.
pub(crate) const CONNECT: Duration = Duration::from_millis(300);

pub(crate) fn settings(rules: EndpointRules) -> EndpointSettings {
    EndpointSettings { rules, connect_timeout: CONNECT, ..EndpointSettings::default() }
}

/// Calls that may go to this machine.
fn development() -> GuardedEndpoints {
    let rules = EndpointRules { allow_private: true, ..EndpointRules::default() };
    GuardedEndpoints::new(settings(rules))
}

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_366_400, 999_999_000).unwrap()
}

/// Calls a URL as if it had been taken.
pub(crate) async fn call(
    sender: &GuardedEndpoints,
    url: &str,
    timeout: Duration,
) -> Result<EndpointResponse, EndpointFailure> {
    call_with(sender, url, timeout, &[]).await
}

async fn call_with(
    sender: &GuardedEndpoints,
    url: &str,
    timeout: Duration,
    headers: &[(&str, &str)],
) -> Result<EndpointResponse, EndpointFailure> {
    let sender: &dyn EndpointSender = sender;
    let (url, body) = (EndpointUrl::of_checked(url), Arc::from(BODY.as_bytes()));
    let (id, signature) = ("evt_1", SIGNATURE);
    sender.send(EndpointCall { url: &url, id, at: at(), signature, headers, body, timeout }).await
}

async fn answer(receiver: &Provider) -> EndpointResponse {
    call(&development(), &receiver.endpoint(), PATIENT).await.unwrap()
}

#[tokio::test]
async fn a_call_carries_body_and_headers_exactly() {
    let receiver = Provider::saying(204, "");
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [
        ("traceparent", trace),
        ("host", "127.0.0.1:1"),
        ("content-length", "0"),
        ("transfer-encoding", "chunked"),
        ("connection", "upgrade"),
        ("webhook-id", "evt_2"),
        ("authorization", "Bearer hunter2"),
        ("x-forwarded-for", "127.0.0.1"),
    ];
    let answer = call_with(&development(), &receiver.endpoint(), PATIENT, &headers).await.unwrap();
    assert!(answer.is_success() && answer.excerpt.is_empty() && answer.retry_after.is_none());
    assert!(answer.took <= PATIENT, "{:?}", answer.took);
    let heard = &receiver.heard()[0];
    assert_eq!(heard.body, BODY);
    let mut lines: Vec<_> = heard.exact_head.lines().collect();
    assert_eq!(lines.remove(0), "POST /siteverify HTTP/1.1");
    lines.sort_unstable();
    let host = format!("host: {}", receiver.address());
    let length = format!("content-length: {}", BODY.len());
    let (signature, trace) = (format!("webhook-signature: {SIGNATURE}"), format!("traceparent: {trace}"));
    let agent = concat!("user-agent: tenantry/", env!("CARGO_PKG_VERSION"));
    let mut expected = [
        "accept: */*",
        "content-type: application/json",
        "webhook-id: evt_1",
        "webhook-timestamp: 1772366400",
        agent,
        &host,
        &length,
        &signature,
        &trace,
    ];
    expected.sort_unstable();
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn every_status_is_told_as_it_is() {
    for status in [200, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 429, 500, 502, 503, 504] {
        let receiver = Provider::saying(status, "");
        let answer = answer(&receiver).await;
        assert_eq!((answer.status, answer.is_success()), (status, status < 300));
        assert_eq!(receiver.heard().len(), 1, "called again after {status}");
    }
}

#[tokio::test]
async fn of_the_headers_those_are_told_that_help_and_no_others() {
    let receiver = Provider::new(|wire| {
        let told =
            format!("Retry-After: 120\r\nLocation: https://a.example/\r\nServer: {}\r\n", "s".repeat(300));
        let untold = "Set-Cookie: hunter2\r\nX-Other: 1\r\n";
        send(wire, response(429, "{}").replacen("\r\n", &format!("\r\n{told}{untold}"), 1).as_bytes());
    });
    let answer = answer(&receiver).await;
    assert_eq!(answer.retry_after, Some(Duration::from_secs(120)));
    let expected = [
        ("content-type", "application/json".to_owned()),
        ("location", "https://a.example/".to_owned()),
        ("retry-after", "120".to_owned()),
        ("server", "s".repeat(256)),
    ];
    assert_eq!(answer.headers, expected);
}

#[tokio::test]
async fn of_an_answer_as_much_is_kept_as_the_settings_say_however_long_it_is() {
    let endless = Provider::new(|wire| {
        send(wire, b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n");
        let chunk = format!("1000\r\n{}\r\n", "é".repeat(0x800));
        while wire.write_all(chunk.as_bytes()).is_ok() {}
    });
    assert_eq!(answer(&endless).await.excerpt, "é".repeat(2048));
    for (excerpt, expected) in [(0, 0), (10, 5)] {
        let rules = EndpointRules { allow_private: true, ..EndpointRules::default() };
        let sender = GuardedEndpoints::new(EndpointSettings { excerpt, ..settings(rules) });
        let answer = call(&sender, &endless.endpoint(), PATIENT).await.unwrap();
        assert_eq!(answer.excerpt, "é".repeat(expected));
    }
}

#[tokio::test]
async fn what_is_kept_is_text_that_can_be_shown() {
    let receiver = Provider::new(|wire| {
        send(wire, b"HTTP/1.1 500 No\r\ncontent-length: 13\r\n\r\na\x00b\r\n\x1b[31m\xffc\x7f ");
    });
    assert_eq!(answer(&receiver).await.excerpt, "a b   [31m\u{fffd}c");
}

#[tokio::test]
async fn headers_without_end_are_no_answer() {
    for line in ["a: b\r\n".to_owned(), format!("a: {}\r\n", "b".repeat(16 << 10))] {
        let receiver = Provider::new(move |wire| {
            send(wire, b"HTTP/1.1 200 OK\r\n");
            while wire.write_all(line.as_bytes()).is_ok() {}
        });
        let failure = call(&development(), &receiver.endpoint(), PATIENT).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Unreachable, "{failure:?}");
    }
}

#[tokio::test]
async fn who_keeps_us_waiting_is_given_up_when_the_time_is_over() {
    let silent = Provider::new(wait_for_the_end);
    // A byte now and then keeps a connection alive, and a call waiting, for as long as it is let.
    let dripping = Provider::new(|wire| {
        send(wire, b"HTTP/1.1 200 OK\r\na: ");
        while wire.write_all(b"a").and_then(|()| wire.flush()).is_ok() {
            thread::sleep(Duration::from_millis(5));
        }
    });
    for receiver in [silent, dripping] {
        let started = Instant::now();
        let failure = call(&development(), &receiver.endpoint(), IMPATIENT).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::TimedOut, "{failure:?}");
        assert!((IMPATIENT..PATIENT).contains(&started.elapsed()));
    }
}

#[tokio::test]
async fn once_the_status_is_there_it_counts_whatever_becomes_of_the_body() {
    let receiver = Provider::new(|wire| {
        send(wire, b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nthank");
        wait_for_the_end(wire);
    });
    let answer = call(&development(), &receiver.endpoint(), IMPATIENT).await.unwrap();
    assert_eq!((answer.status, answer.excerpt.as_str()), (200, "thank"));
    assert!(answer.took < IMPATIENT, "{:?}", answer.took);
}

#[tokio::test]
async fn connections_are_kept_for_the_next_call() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    thread::spawn(move || {
        for stream in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut stream = stream.unwrap();
            let (mut heard, mut part) = (Vec::new(), [0; 4096]);
            while let Ok(length @ 1..) = stream.read(&mut part) {
                heard.extend_from_slice(&part[..length]);
                if heard.ends_with(BODY.as_bytes()) {
                    heard.clear();
                    let body = "x".repeat(10_000);
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
                }
            }
        }
    });
    let sender = development();
    for _ in 0..5 {
        assert_eq!(call(&sender, &url, PATIENT).await.unwrap().excerpt.len(), 4096);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}
