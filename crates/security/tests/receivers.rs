//! The receiver in bash that the documentation shows takes what is signed here, and nothing else.

use std::io::Write as _;
use std::process::{Command, Stdio};

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_ports::{Clock as _, Secret, WebhookSecrets as _, WebhookSigner as _};
use tenantry_security::{StandardWebhooks, SystemClock, SystemEntropy, WebhookSecretMint};

const ID: &str = "evt_0195c0de00007000800000000000000c";
const BODY: &str = "{\"data\":\"Größe 7 €\\u0000 100 %s\"}";

/// The block of the documentation that begins as a script.
fn script() -> &'static str {
    let document = include_str!("../../../docs/webhooks.md");
    let (_, rest) = document.split_once("```bash\n#!").expect("a script");
    rest.split_once("\n").expect("its first line").1.split_once("```").expect("its end").0
}

/// Whether the script takes a call.
fn takes(secret: &Secret, id: &str, timestamp: &str, signature: &str, body: &str) -> bool {
    let mut child = Command::new("bash")
        .args(["-c", script(), "verify.sh", id, timestamp, signature])
        .env("WEBHOOK_SECRET", secret.expose())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bash runs");
    // It need not read all of what it refuses.
    let _ = child.stdin.take().expect("a pipe").write_all(body.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.success(), told.is_empty(), "{told}");
    output.status.success()
}

fn sign(secrets: &[Secret], at: DateTime<Utc>) -> String {
    StandardWebhooks.sign(secrets, ID, at, BODY.as_bytes())
}

#[test]
fn the_script_takes_what_is_signed_with_its_secret_and_refuses_the_rest() {
    let mint = WebhookSecretMint::new(std::sync::Arc::new(SystemEntropy));
    let (secret, other) = (mint.mint(), mint.mint());
    let now = SystemClock.now();
    let (timestamp, signature) = (now.timestamp().to_string(), sign(std::slice::from_ref(&secret), now));
    assert!(takes(&secret, ID, &timestamp, &signature, BODY));
    // While a secret is changed over, whichever of the two the receiver knows.
    let both = sign(&[other.clone(), secret.clone()], now);
    assert!(takes(&secret, ID, &timestamp, &both, BODY) && takes(&other, ID, &timestamp, &both, BODY));

    assert!(!takes(&other, ID, &timestamp, &signature, BODY));
    assert!(!takes(&secret, ID, &timestamp, &signature, &BODY.replace('7', "8")));
    assert!(!takes(&secret, &ID.replace('c', "d"), &timestamp, &signature, BODY));
    for (what, wrong) in [("nothing", ""), ("a pattern", "*"), ("another version", "v2,x")] {
        assert!(!takes(&secret, ID, &timestamp, wrong, BODY), "{what}");
    }
    for off in [-301, 301] {
        let at = now + TimeDelta::seconds(off);
        let signature = sign(std::slice::from_ref(&secret), at);
        assert!(!takes(&secret, ID, &at.timestamp().to_string(), &signature, BODY), "{off} seconds");
    }
    assert!(!takes(&secret, ID, "a[$(echo pwned >&2)]", &signature, BODY));
}
