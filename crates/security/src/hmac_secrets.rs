use std::str::FromStr;

use subtle::{Choice, ConstantTimeEq as _};
use tenantry_ports::{MacCheck, Secret};

use crate::master_key::hmac_sha256;

/// Shortest secret, in bytes: as long as what HMAC-SHA256 makes of it.
const LEAST: usize = 32;

/// Secrets shared with those who sign what they send: one, or two while the one is being replaced by the other.
///
/// A secret is the text as it stands, of printable ASCII; it is not decoded, whatever it looks like.
#[derive(Debug, Clone)]
pub struct HmacSecrets(Vec<Secret>);

/// Why a text is no [`HmacSecrets`]. Does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecrets {
    /// There is none, or there are more than are needed for replacing one.
    #[error("one secret is needed, or two while one is being replaced by the other; found {0}")]
    Count(usize),
    /// One could be guessed, or is written in characters that look different elsewhere.
    #[error(
        "a secret has to be at least {LEAST} ASCII characters without white space, such as `openssl rand -hex 32` gives"
    )]
    Weak,
}

impl FromStr for HmacSecrets {
    type Err = InvalidSecrets;

    /// Secrets with white space between them.
    fn from_str(text: &str) -> Result<Self, InvalidSecrets> {
        let secrets: Vec<&str> = text.split_whitespace().collect();
        match secrets.as_slice() {
            [] | [_, _, _, ..] => Err(InvalidSecrets::Count(secrets.len())),
            few if few.iter().all(|secret| is_strong(secret)) => {
                Ok(Self(few.iter().copied().map(Secret::new).collect()))
            }
            _ => Err(InvalidSecrets::Weak),
        }
    }
}

/// Long enough, and not the same few characters over and over.
fn is_strong(secret: &str) -> bool {
    let mut different: Vec<u8> = secret.bytes().collect();
    different.sort_unstable();
    different.dedup();
    secret.len() >= LEAST && secret.bytes().all(|b| b.is_ascii_graphic()) && different.len() >= 8
}

impl MacCheck for HmacSecrets {
    fn verify(&self, message: &[u8], mac: &[u8; 32]) -> bool {
        // All of them are tried, whichever it is: how long it takes says nothing.
        let matches = |secret: &Secret| hmac_sha256(secret.expose().as_bytes(), &[message]).ct_eq(mac);
        self.0.iter().map(matches).fold(Choice::from(0), |any, this| any | this).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const NEW: &str = "t7Jm+S/0cBRwTqQ4Zs2VgUe8yLhPxk3n1A9dFoCiWvE=";

    fn secrets(text: &str) -> HmacSecrets {
        text.parse().unwrap()
    }

    fn mac(secret: &str, message: &[u8]) -> [u8; 32] {
        hmac_sha256(secret.as_bytes(), &[message])
    }

    /// RFC 4231, test case 2, but for the length of the key: that is what a secret's text is for.
    #[test]
    fn it_is_hmac_sha_256() {
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let found: String =
            mac("Jefe", b"what do ya want for nothing?").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn either_of_two_secrets_will_do_and_no_other() {
        let both = secrets(&format!(" {OLD}\n{NEW}\n"));
        let message = b"message";
        for secret in [OLD, NEW] {
            assert!(both.verify(message, &mac(secret, message)));
            assert!(secrets(secret).verify(message, &mac(secret, message)));
        }
        assert!(!secrets(OLD).verify(message, &mac(NEW, message)));
        assert!(!both.verify(message, &mac(&OLD[1..], message)));
        assert!(!both.verify(b"messagf", &mac(OLD, message)));
    }

    #[test]
    fn every_bit_of_the_mac_counts() {
        let right = mac(OLD, b"message");
        for bit in 0..256 {
            let mut wrong = right;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!secrets(OLD).verify(b"message", &wrong), "{bit}");
        }
    }

    #[test]
    fn secrets_are_one_or_two_and_not_to_be_guessed() {
        let (short, repeated) = (&OLD[..31], "abcdefg".repeat(6));
        for (text, expected) in [
            (String::new(), InvalidSecrets::Count(0)),
            (" \n".to_owned(), InvalidSecrets::Count(0)),
            (format!("{OLD} {NEW} {OLD}"), InvalidSecrets::Count(3)),
            (short.to_owned(), InvalidSecrets::Weak),
            (format!("{OLD} {short}"), InvalidSecrets::Weak),
            (repeated, InvalidSecrets::Weak),
            (format!("{OLD}é"), InvalidSecrets::Weak),
            (format!("{OLD}\u{7f}"), InvalidSecrets::Weak),
        ] {
            assert_eq!(text.parse::<HmacSecrets>().unwrap_err(), expected, "{text:?}");
        }
        assert!(OLD[..32].parse::<HmacSecrets>().is_ok());
    }

    #[test]
    fn they_are_never_shown() {
        let shown = format!("{:?} {}", secrets(OLD), OLD[..31].parse::<HmacSecrets>().unwrap_err());
        assert!(!shown.contains(&OLD[..8]), "{shown}");
    }
}
