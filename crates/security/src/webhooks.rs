use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tenantry_ports::{Entropy, Secret, WebhookSecrets, WebhookSigner};
use zeroize::Zeroizing;

/// What a secret's text begins with.
const PREFIX: &str = "whsec_";
/// How many bytes a secret may have.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;
/// How many bytes those that are made here have: as many as the hash.
const LENGTH: usize = 32;

/// Signatures as Standard Webhooks (1.0) has them: HMAC-SHA256 over `id.timestamp.body`, in base64 after `v1,`, and
/// those of several secrets separated by spaces.
#[derive(Debug, Clone, Copy, Default)]
pub struct StandardWebhooks;

/// The text is no webhook secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a webhook secret is whsec_ and 24 to 64 random bytes in base64; make one with: echo whsec_$(head -c 32 /dev/urandom | base64)"
)]
pub struct InvalidWebhookSecret;

impl StandardWebhooks {
    /// Whether a call can be signed with this secret, and any receiver's library can check it.
    pub fn check(secret: &str) -> Result<(), InvalidWebhookSecret> {
        key(secret).map(drop).ok_or(InvalidWebhookSecret)
    }
}

impl WebhookSigner for StandardWebhooks {
    fn sign(&self, secrets: &[Secret], id: &str, at: DateTime<Utc>, body: &[u8]) -> String {
        let timestamp = at.timestamp().to_string();
        let signature = |key: Vec<u8>| {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
            for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
                mac.update(part);
            }
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        };
        let signatures: Vec<_> =
            secrets.iter().filter_map(|secret| key(secret.expose())).map(signature).collect();
        signatures.join(" ")
    }
}

/// Makes the secrets of endpoints.
pub struct WebhookSecretMint {
    entropy: Arc<dyn Entropy>,
}

impl WebhookSecretMint {
    /// A mint that takes its randomness from `entropy`.
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy }
    }
}

impl WebhookSecrets for WebhookSecretMint {
    fn mint(&self) -> Secret {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        self.entropy.fill(&mut *bytes);
        let mut text = PREFIX.to_owned();
        STANDARD.encode_string(*bytes, &mut text);
        Secret::new(text)
    }

    fn is_secret(&self, text: &str) -> bool {
        StandardWebhooks::check(text).is_ok()
    }
}

/// The bytes of a secret. Receivers' libraries take canonical base64 and nothing else.
fn key(secret: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    LENGTHS.contains(&bytes.len()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use http::HeaderMap;
    use proptest::prelude::*;
    use standardwebhooks::Webhook;
    use tenantry_ports::Clock as _;

    use super::*;
    use crate::testing::Repeating;
    use crate::{SystemClock, SystemEntropy};

    /// The example of the specification.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn secrets(texts: &[&str]) -> Vec<Secret> {
        texts.iter().map(|text| Secret::new(*text)).collect()
    }

    fn secret_of(bytes: &[u8]) -> String {
        format!("{PREFIX}{}", STANDARD.encode(bytes))
    }

    fn headers(id: &str, at: DateTime<Utc>, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", id.parse().unwrap());
        headers.insert("webhook-timestamp", at.timestamp().to_string().parse().unwrap());
        headers.insert("webhook-signature", signature.parse().unwrap());
        headers
    }

    fn accepts(secret: &str, headers: &HeaderMap, body: &[u8]) -> bool {
        Webhook::new(secret).unwrap().verify(body, headers).is_ok()
    }

    #[test]
    fn the_signature_is_the_one_of_the_specifications_example() {
        let at = DateTime::from_timestamp(1_614_265_330, 999_999_000).unwrap();
        let signature = StandardWebhooks.sign(
            &secrets(&[SECRET]),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn the_official_library_accepts_what_is_signed_and_nothing_else() {
        let (id, at, body) = ("evt_1", SystemClock.now(), "{\"name\":\"Söhne ₿ 🦀\"}");
        let signature = StandardWebhooks.sign(&secrets(&[SECRET]), id, at, body.as_bytes());
        let good = headers(id, at, &signature);
        assert!(accepts(SECRET, &good, body.as_bytes()));
        assert!(!accepts(SECRET, &good, body.replace('S', "T").as_bytes()));
        assert!(!accepts(SECRET, &headers("evt_2", at, &signature), body.as_bytes()));
        let later = at + chrono::TimeDelta::seconds(1);
        assert!(!accepts(SECRET, &headers(id, later, &signature), body.as_bytes()));
        assert!(!accepts(&secret_of(&[7; 32]), &good, body.as_bytes()));
    }

    #[test]
    fn while_secrets_change_over_the_old_and_the_new_one_both_do() {
        let (old, new, foreign) = (secret_of(&[1; 24]), secret_of(&[2; 64]), secret_of(&[3; 32]));
        let (id, at, body) = ("evt_1", SystemClock.now(), b"{}");
        let signature = StandardWebhooks.sign(&secrets(&[&new, &old]), id, at, body);
        let entries: Vec<_> = signature.split(' ').collect();
        assert_eq!(entries.len(), 2);
        // A widely used receiver takes entries apart at the comma, and breaks on anything else.
        for entry in entries {
            let (version, signature) = entry.split_once(',').unwrap();
            assert_eq!((version, STANDARD.decode(signature).map(|bytes| bytes.len())), ("v1", Ok(32)));
        }
        let headers = headers(id, at, &signature);
        assert!(accepts(&old, &headers, body) && accepts(&new, &headers, body));
        assert!(!accepts(&foreign, &headers, body));
    }

    #[test]
    fn secrets_that_are_made_are_taken_and_no_two_are_alike() {
        let mint = WebhookSecretMint::new(Arc::new(SystemEntropy));
        let secrets: BTreeSet<_> = (0..1_000).map(|_| mint.mint().expose().to_owned()).collect();
        assert_eq!(secrets.len(), 1_000);
        let (id, at, body) = ("evt_1", SystemClock.now(), b"{}");
        for secret in &secrets {
            assert_eq!(STANDARD.decode(&secret[PREFIX.len()..]).unwrap().len(), 32);
            assert!(mint.is_secret(secret) && !mint.is_secret(&format!("{secret} ")));
            let signature = StandardWebhooks.sign(&[Secret::new(secret.as_str())], id, at, body);
            assert!(accepts(secret, &headers(id, at, &signature), body));
        }
        let repeating = WebhookSecretMint::new(Arc::new(Repeating::new(&[0, 1, 2, 3])));
        assert_eq!(repeating.mint().expose(), "whsec_AAECAwABAgMAAQIDAAECAwABAgMAAQIDAAECAwABAgM=");
    }

    #[test]
    fn what_is_no_secret_is_refused_without_repeating_it() {
        for wrong in [
            "",
            "whsec_",
            "hunter2",
            &secret_of(&[1; 23]),
            &secret_of(&[1; 65]),
            &secret_of(&[1; 32])[PREFIX.len()..],
            secret_of(&[1; 32]).trim_end_matches('='),
            &secret_of(&[0xff; 32]).replace('/', "_"),
            &format!("{} ", secret_of(&[1; 32])),
        ] {
            let refusal = StandardWebhooks::check(wrong).unwrap_err().to_string();
            assert!(wrong.len() < 7 || !refusal.contains(wrong), "{refusal}");
        }
        for length in [24, 32, 64] {
            assert_eq!(StandardWebhooks::check(&secret_of(&vec![1; length])), Ok(()));
        }
        assert_eq!(StandardWebhooks.sign(&secrets(&["hunter2"]), "evt_1", SystemClock.now(), b"{}"), "");
    }

    proptest! {
        #[test]
        fn the_official_library_signs_alike(key in prop::collection::vec(any::<u8>(), 24..=64), id in "[a-z0-9_]{1,40}", body in ".*", seconds in 0i64..4_000_000_000) {
            let secret = secret_of(&key);
            let at = DateTime::from_timestamp(seconds, 0).unwrap();
            let expected = Webhook::new(&secret).unwrap().sign(&id, seconds, body.as_bytes()).unwrap();
            prop_assert_eq!(StandardWebhooks.sign(&secrets(&[&secret]), &id, at, body.as_bytes()), expected);
        }
    }
}
