//! Calls of webhooks, against receivers of every kind.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tenantry_outbound_reqwest::HttpWebhooks;
use tenantry_ports::{WebhookFailure, WebhookRequest, WebhookResponse, WebhookSender};

use crate::provider::{Canary, Provider, response, send, wait_for_the_end};

const BODY: &str = "{\"name\":\"Söhne ₿\"}";
const SIGNATURE: &str = "v1,AbC/+dEf= v1,gHi=";
const PATIENT: Duration = Duration::from_secs(20);
const IMPATIENT: Duration = Duration::from_millis(200);

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_366_400, 999_999_000).unwrap()
}

async fn call(url: &str, timeout: Duration) -> Result<WebhookResponse, WebhookFailure> {
    let sender: Box<dyn WebhookSender> = Box::new(HttpWebhooks::of_this_machine().unwrap());
    let (id, signature, body) = ("evt_1", SIGNATURE, BODY.as_bytes());
    sender.send(WebhookRequest { url, id, at: at(), signature, body, timeout }).await
}

/// The detail of what is no answer; the address is nobody's business.
async fn unreachable(url: &str) -> String {
    let failure = call(url, PATIENT).await.unwrap_err();
    let WebhookFailure::Unreachable(detail) = &failure else { panic!("{failure:?}") };
    assert!(!failure.to_string().contains("siteverify"), "{failure}");
    detail.clone()
}

#[tokio::test]
async fn a_call_carries_body_and_headers_exactly() {
    let receiver = Provider::saying(204, "");
    let answer = call(&receiver.endpoint(), PATIENT).await.unwrap();
    assert_eq!(answer, WebhookResponse { status: 204, excerpt: String::new(), retry_after: None });
    assert!(answer.is_success());
    let heard = &receiver.heard()[0];
    assert_eq!(heard.body, BODY);
    let mut lines: Vec<_> = heard.exact_head.lines().collect();
    assert_eq!(lines.remove(0), "POST /siteverify HTTP/1.1");
    for header in [
        "content-type: application/json",
        "webhook-id: evt_1",
        "webhook-timestamp: 1772366400",
        &format!("webhook-signature: {SIGNATURE}"),
        concat!("user-agent: tenantry/", env!("CARGO_PKG_VERSION")),
    ] {
        assert_eq!(lines.iter().filter(|line| **line == header).count(), 1, "{header}: {lines:?}");
    }
    let names: Vec<_> = lines.iter().filter_map(|line| line.split(':').next()).collect();
    for name in names {
        let known = ["accept", "host", "content-length", "content-type", "user-agent"];
        assert!(known.contains(&name) || name.starts_with("webhook-"), "{name}");
    }
}

#[tokio::test]
async fn what_is_answered_is_told_and_judged_by_its_status() {
    for (status, success) in
        [(200, true), (201, true), (299, true), (400, false), (404, false), (410, false), (500, false)]
    {
        let receiver = Provider::saying(status, " not\ttoday\r\n");
        let answer = call(&receiver.endpoint(), PATIENT).await.unwrap();
        assert_eq!((answer.status, answer.is_success()), (status, success));
        assert_eq!(answer.excerpt, "not today");
        assert_eq!(receiver.heard().len(), 1, "called again after {status}");
    }
}

#[tokio::test]
async fn a_receiver_may_ask_for_patience() {
    let receiver = Provider::new(|wire| {
        let text = response(429, "").replacen("\r\n", "\r\nRetry-After: 120\r\n", 1);
        send(wire, text.as_bytes());
    });
    let answer = call(&receiver.endpoint(), PATIENT).await.unwrap();
    assert_eq!((answer.status, answer.retry_after), (429, Some(Duration::from_secs(120))));
}

#[tokio::test]
async fn redirects_are_answers_and_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let canary = Canary::new();
        let to = canary.address();
        let receiver = Provider::new(move |wire| {
            let text = response(status, "").replacen("\r\n", &format!("\r\nlocation: http://{to}/\r\n"), 1);
            send(wire, text.as_bytes());
        });
        let answer = call(&receiver.endpoint(), PATIENT).await.unwrap();
        assert_eq!((answer.status, answer.is_success()), (status, false));
        assert!(canary.is_untouched(), "{status} was followed");
    }
}

#[tokio::test]
async fn a_kibibyte_of_an_answer_is_kept_however_long_it_is() {
    let endless = Provider::new(|wire| {
        send(wire, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        let chunk = format!("1000\r\n{}\r\n", "é".repeat(0x800));
        while wire.write_all(chunk.as_bytes()).is_ok() {}
    });
    let answer = call(&endless.endpoint(), PATIENT).await.unwrap();
    assert_eq!((answer.status, answer.excerpt), (200, "é".repeat(512)));
}

#[tokio::test]
async fn once_the_status_is_there_it_counts_whatever_becomes_of_the_body() {
    let receiver = Provider::new(|wire| {
        send(wire, b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nthank");
        wait_for_the_end(wire);
    });
    let answer = call(&receiver.endpoint(), IMPATIENT).await.unwrap();
    assert_eq!((answer.status, answer.excerpt.as_str()), (200, "thank"));
}

#[tokio::test]
async fn a_silent_receiver_is_given_up_when_the_time_is_over() {
    let receiver = Provider::new(wait_for_the_end);
    assert_eq!(call(&receiver.endpoint(), IMPATIENT).await, Err(WebhookFailure::TimedOut));
}

#[tokio::test]
async fn a_receiver_that_is_not_there_or_speaks_no_http_is_unreachable() {
    let nobody = format!("http://{}/siteverify", Canary::new().address());
    assert!(unreachable(&nobody).await.contains("refused"));
    for words in ["", "220 mail.example.com ESMTP\r\n"] {
        let receiver = Provider::new(move |wire| send(wire, words.as_bytes()));
        unreachable(&receiver.endpoint()).await;
        assert_eq!(receiver.heard().len(), 1, "called again after {words:?}");
    }
}

#[tokio::test]
async fn what_may_not_be_called_is_not() {
    let canary = Canary::new();
    let (ip, port) = (canary.address().ip(), canary.address().port());
    for (url, why) in [
        ("not a url".to_owned(), "it is not a URL"),
        (format!("ftp://{ip}:{port}/"), "it must be https"),
        (format!("http://localhost:{port}/"), "it must be https"),
        (format!("http://ann:hunter2@{ip}:{port}/"), "it must not contain a user"),
        (format!("https://{ip}:{port}/"), "only addresses of this machine"),
    ] {
        let failure = call(&url, PATIENT).await.unwrap_err();
        assert!(
            matches!(&failure, WebhookFailure::NotAllowed(reason) if reason.contains(why)),
            "{failure:?}"
        );
        assert!(!failure.to_string().contains("hunter2"), "{failure}");
    }
    assert!(canary.is_untouched());
}
