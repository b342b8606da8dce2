//! Signed requests: in time, by the right secret, once.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

use std::sync::Arc;

use chrono::TimeDelta;
use tenantry_ports::MacCheck;
use tenantry_testkit::{TestPlatform, sample};
use tenantry_usecases::signatures::{Signature, SignatureError, Signers, check, use_up};

const MAC: [u8; 32] = [7; 32];
const MESSAGE: &[u8] = b"message";

/// Knows one message and its signature.
struct Known;

impl MacCheck for Known {
    fn verify(&self, message: &[u8], mac: &[u8; 32]) -> bool {
        (message, mac) == (MESSAGE, &MAC)
    }
}

fn signers() -> Signers {
    Signers { secrets: Arc::new(Known), window: TimeDelta::minutes(5) }
}

/// Signed so many seconds after the platform's clock stands still.
fn signed(seconds: i64) -> Signature {
    Signature { at: sample::at(seconds), nonce: "0f1e2d3c4b5a6978".to_owned(), mac: MAC }
}

#[test]
fn a_signature_is_in_time_within_the_window_on_either_side() {
    let test = TestPlatform::new();
    for seconds in [-300, -1, 0, 1, 300] {
        assert!(check(&test.platform, &signers(), &signed(seconds), MESSAGE).is_ok(), "{seconds}");
    }
    for seconds in [-301, 301, -86_400, 86_400 * 365 * 1000] {
        let outcome = check(&test.platform, &signers(), &signed(seconds), MESSAGE);
        let Err(SignatureError::OutOfTime { at, now, window }) = outcome else { panic!("{outcome:?}") };
        assert_eq!((at, now, window), (sample::at(seconds), sample::now(), TimeDelta::minutes(5)));
    }
}

#[test]
fn what_was_signed_otherwise_is_wrong() {
    let test = TestPlatform::new();
    let other = Signature { mac: [8; 32], ..signed(0) };
    for (signature, message) in [(&other, MESSAGE), (&signed(0), &b"another message"[..])] {
        let outcome = check(&test.platform, &signers(), signature, message);
        assert!(matches!(outcome, Err(SignatureError::Wrong)), "{outcome:?}");
    }
}

#[test]
fn a_signature_is_used_up_once_for_as_long_as_any_replica_could_take_it() {
    let test = TestPlatform::new();
    for seconds in [-300, 0, 300] {
        let signature = Signature { nonce: format!("nonce-of-{seconds}-seconds"), ..signed(seconds) };
        test.clock.set(sample::now());
        use_up(&test.platform, &signers(), &signature).unwrap();
        // The last moment at which a replica takes it whose clock is as far behind this one's as a client's may be.
        for later in [0, 1, seconds + 599] {
            test.clock.set(sample::at(later));
            let outcome = use_up(&test.platform, &signers(), &signature);
            assert!(matches!(outcome, Err(SignatureError::Replayed)), "{seconds} {later}: {outcome:?}");
        }
    }
}

#[test]
fn checking_does_not_use_up() {
    let test = TestPlatform::new();
    for _ in 0..2 {
        check(&test.platform, &signers(), &signed(0), MESSAGE).unwrap();
    }
    use_up(&test.platform, &signers(), &signed(0)).unwrap();
    check(&test.platform, &signers(), &signed(0), MESSAGE).unwrap();
}
