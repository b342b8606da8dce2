//! The captcha check against a server that speaks the siteverify protocol, and against servers that do not.

use std::time::Duration;

use crate::provider::{Canary, Provider, response, send, wait_for_the_end};
use tenantry_outbound_reqwest::{SiteverifyCaptcha, SiteverifySettings};
use tenantry_ports::{CaptchaUnavailable, CaptchaVerdict, CaptchaVerifier, Secret};

const SECRET: &str = "0x4AAA-our-secret";
const TOKEN: &str = "the-visitors-token";
const YES: &str = r#"{"success":true,"hostname":"www.example.com","error-codes":[]}"#;

/// Long enough that it does not matter on a busy machine; tests of slowness use a short one.
const PATIENT: Duration = Duration::from_secs(20);
const IMPATIENT: Duration = Duration::from_millis(200);

fn settings(endpoint: String) -> SiteverifySettings {
    SiteverifySettings { endpoint, secret: Secret::new(SECRET), expected_hostname: None, timeout: PATIENT }
}

async fn verdict(settings: SiteverifySettings) -> Result<CaptchaVerdict, CaptchaUnavailable> {
    let captcha: Box<dyn CaptchaVerifier> = Box::new(SiteverifyCaptcha::new(settings).unwrap());
    captcha.verify(TOKEN, None).await
}

/// The detail of an answer that has to be no answer, and tells no secrets.
async fn unavailable(settings: SiteverifySettings) -> String {
    let error = verdict(settings).await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(!told.contains(SECRET) && !told.contains(TOKEN), "{told}");
    error.detail
}

fn refused(codes: &[&str]) -> Result<CaptchaVerdict, CaptchaUnavailable> {
    Ok(CaptchaVerdict::Refused { codes: codes.iter().map(ToString::to_string).collect() })
}

#[tokio::test]
async fn a_solved_challenge_passes() {
    let provider = Provider::saying(200, YES);
    assert_eq!(verdict(settings(provider.endpoint())).await, Ok(CaptchaVerdict::Passed));

    let heard = &provider.heard()[0];
    assert!(heard.head.starts_with("post /siteverify http/1.1\r\n"), "{}", heard.head);
    assert!(heard.head.contains("content-type: application/x-www-form-urlencoded"), "{}", heard.head);
    assert_eq!(heard.body, format!("secret={SECRET}&response={TOKEN}"));
}

#[tokio::test]
async fn a_token_cannot_add_to_the_form_and_an_address_is_told_as_the_provider_knows_it() {
    let provider = Provider::saying(200, YES);
    let captcha = SiteverifyCaptcha::new(settings(provider.endpoint())).unwrap();
    for (address, told) in [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8::7", "2001%3Adb8%3A%3A7"),
    ] {
        captcha.verify("a&secret=b\r\n\0é", Some(address.parse().unwrap())).await.unwrap();
        assert_eq!(
            provider.heard().pop().unwrap().body,
            format!("secret={SECRET}&response=a%26secret%3Db%0D%0A%00%C3%A9&remoteip={told}")
        );
    }
}

#[tokio::test]
async fn a_refusal_comes_with_its_codes() {
    let provider =
        Provider::saying(200, r#"{"success":false,"error-codes":["timeout-or-duplicate","bad-request"]}"#);
    assert_eq!(
        verdict(settings(provider.endpoint())).await,
        refused(&["timeout-or-duplicate", "bad-request"])
    );
    let silent = Provider::saying(200, r#"{"success":false}"#);
    assert_eq!(verdict(settings(silent.endpoint())).await, refused(&[]));
}

#[tokio::test]
async fn a_challenge_solved_at_another_site_is_refused() {
    let provider = Provider::saying(200, YES);
    let at = |hostname: &str| SiteverifySettings {
        expected_hostname: Some(hostname.to_owned()),
        ..settings(provider.endpoint())
    };
    assert_eq!(verdict(at("www.example.com")).await, Ok(CaptchaVerdict::Passed));
    assert_eq!(verdict(at("example.com")).await, refused(&["wrong-hostname"]));
}

#[tokio::test]
async fn what_cannot_be_a_token_is_refused_without_asking() {
    let canary = Canary::new();
    let captcha =
        SiteverifyCaptcha::new(settings(format!("http://{}/siteverify", canary.address()))).unwrap();
    assert_eq!(captcha.verify("", None).await, refused(&["missing-input-response"]));
    assert_eq!(captcha.verify(&"x".repeat(8 * 1024 + 1), None).await, refused(&["invalid-input-response"]));
    assert!(canary.is_untouched());

    let provider = Provider::saying(200, YES);
    let captcha = SiteverifyCaptcha::new(settings(provider.endpoint())).unwrap();
    assert_eq!(captcha.verify(&"x".repeat(8 * 1024), None).await, Ok(CaptchaVerdict::Passed));
}

#[tokio::test]
async fn a_provider_that_does_not_know_us_is_unavailable() {
    let provider = Provider::saying(200, r#"{"success":false,"error-codes":["invalid-input-secret"]}"#);
    assert_eq!(
        unavailable(settings(provider.endpoint())).await,
        "the provider answered 'invalid-input-secret'"
    );
}

#[tokio::test]
async fn a_failing_provider_is_unavailable_whatever_it_says() {
    for status in [500, 502, 503] {
        let provider = Provider::saying(status, YES);
        assert_eq!(
            unavailable(settings(provider.endpoint())).await,
            format!("the provider answered with status {status}")
        );
        assert_eq!(provider.heard().len(), 1, "asked again after {status}");
    }
}

#[tokio::test]
async fn what_is_no_siteverify_answer_is_unavailable() {
    for body in [
        "",
        "null",
        "true",
        "[]",
        "{}",
        "<html>success</html>",
        r#"{"success":"true"}"#,
        r#"{"success":1}"#,
        r#"{"success":null}"#,
        r#"{"Success":true}"#,
        r#"{"success":false,"success":true}"#,
        r#"{"success":true} {"success":true}"#,
        r#"{"success":true"#,
        r#"{"success":false,"error-codes":"bad-request"}"#,
        "{\"success\":true,\"hostname\":\"\u{0}\"}",
    ] {
        let provider = Provider::saying(200, body);
        let detail = unavailable(settings(provider.endpoint())).await;
        assert_eq!(
            detail, "the provider answered with status 200 and what is no siteverify answer",
            "{body}"
        );
    }
}

#[tokio::test]
async fn what_is_no_http_is_unavailable() {
    for bytes in [
        "",
        "220 mail.example.com ESMTP\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"success\":true}",
    ] {
        let provider = Provider::new(move |wire| send(wire, bytes.as_bytes()));
        let detail = unavailable(settings(provider.endpoint())).await;
        assert!(detail.starts_with("the provider could not be "), "{detail}");
        assert_eq!(provider.heard().len(), 1, "a token was asked about again after {bytes:?}");
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_unavailable() {
    let address = Canary::new().address();
    let detail = unavailable(settings(format!("http://{address}/siteverify"))).await;
    assert!(detail.starts_with("the provider could not be asked: "), "{detail}");
    assert!(detail.contains("refused"), "the cause is in no log: {detail}");
}

#[tokio::test]
async fn a_silent_provider_is_given_up_when_the_time_is_over() {
    let provider = Provider::new(wait_for_the_end);
    let within = |timeout| unavailable(SiteverifySettings { timeout, ..settings(provider.endpoint()) });
    tokio::select! {
        biased;
        detail = within(PATIENT) => panic!("the short time is not over before the long one: {detail}"),
        detail = within(IMPATIENT) => assert_eq!(detail, "the provider did not answer in time"),
    }
}

#[tokio::test]
async fn a_provider_that_never_ends_its_answer_is_given_up() {
    // The head and half of the body come at once: the limit is for the whole, not for the first byte.
    let provider = Provider::new(|wire| {
        let whole = response(200, YES);
        send(wire, &whole.as_bytes()[..whole.len() - 20]);
        wait_for_the_end(wire);
    });
    let settings = SiteverifySettings { timeout: IMPATIENT, ..settings(provider.endpoint()) };
    assert_eq!(unavailable(settings).await, "the provider did not answer in time");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let canary = Canary::new();
        let to = canary.address();
        let provider = Provider::new(move |wire| {
            let text = response(status, YES).replacen("\r\n", &format!("\r\nlocation: http://{to}/\r\n"), 1);
            send(wire, text.as_bytes());
        });
        let settings =
            SiteverifySettings { timeout: Duration::from_secs(5), ..settings(provider.endpoint()) };
        assert_eq!(unavailable(settings).await, format!("the provider answered with status {status}"));
        assert!(canary.is_untouched(), "{status} was followed");
    }
}

#[tokio::test]
async fn an_answer_has_64_kib_at_most() {
    let padded = |length: usize| format!("{YES}{}", " ".repeat(length - YES.len()));
    let whole = Provider::saying(200, &padded(64 * 1024));
    assert_eq!(verdict(settings(whole.endpoint())).await, Ok(CaptchaVerdict::Passed));

    let longer = Provider::saying(200, &padded(64 * 1024 + 1));
    assert_eq!(
        unavailable(settings(longer.endpoint())).await,
        "the provider's answer is longer than 65536 bytes"
    );
}

#[tokio::test]
async fn an_endless_answer_is_not_read() {
    let provider = Provider::new(|wire| {
        send(wire, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
        while wire.write_all(chunk.as_bytes()).is_ok() {}
    });
    assert_eq!(
        unavailable(settings(provider.endpoint())).await,
        "the provider's answer is longer than 65536 bytes"
    );
}
