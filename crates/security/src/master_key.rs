use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tenantry_ports::{Entropy, Secret};
use zeroize::{Zeroize, Zeroizing};

const LENGTH: usize = 32;

/// Padding is written, and optional when read: people lose the `=` when they copy.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The one secret that an installation is given: 32 random bytes, from which every other key is derived.
///
/// Replicas with the same master key agree on all derived keys. It is wiped from memory when dropped, and its
/// `Debug` does not show it.
pub struct MasterKey([u8; LENGTH]);

/// The text is not a master key. The messages never contain any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMasterKey {
    /// Nothing but white space.
    #[error("the master key is empty; it must be 32 random bytes in base64")]
    Empty,
    /// A character that base64 does not have, or a text that breaks off.
    #[error(
        "the master key is not base64 (A-Z, a-z, 0-9, '+', '/' and '=' at the end); it must be 32 random bytes in base64"
    )]
    NotBase64,
    /// Base64 of some other number of bytes.
    #[error("the master key has {0} bytes; it must be 32 random bytes in base64, which are 44 characters")]
    Length(usize),
    /// 64 hexadecimal digits: the right key in the wrong notation.
    #[error("the master key is written in hexadecimal; write the same 32 bytes in base64")]
    Hexadecimal,
    /// One byte over and over: a placeholder.
    #[error("the master key is one byte repeated; it must be 32 random bytes in base64")]
    NotRandom,
}

impl MasterKey {
    /// A new key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut key = Self([0; LENGTH]);
        entropy.fill(&mut key.0);
        key
    }

    /// Reads a key written by [`to_base64`](Self::to_base64) or by any tool that encodes 32 bytes in standard base64.
    /// Surrounding white space, as files have it, is ignored.
    pub fn from_base64(text: &str) -> Result<Self, InvalidMasterKey> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidMasterKey::Empty);
        }
        if text.len() == 2 * LENGTH && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(InvalidMasterKey::Hexadecimal);
        }
        let bytes = Zeroizing::new(BASE64.decode(text).map_err(|_| InvalidMasterKey::NotBase64)?);
        let key: [u8; LENGTH] =
            bytes.as_slice().try_into().map_err(|_| InvalidMasterKey::Length(bytes.len()))?;
        let key = Self(key);
        if key.0.iter().all(|byte| *byte == key.0[0]) {
            return Err(InvalidMasterKey::NotRandom);
        }
        Ok(key)
    }

    /// Whether somebody seems to have made it up: it is a text, or has too few different bytes to be random. Of 2^64 random
    /// keys not one looks like that.
    pub fn looks_made_up(&self) -> bool {
        let mut bytes = Zeroizing::new(self.0);
        let is_text = bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n'));
        bytes.sort_unstable();
        let different = 1 + bytes.windows(2).filter(|pair| pair[0] != pair[1]).count();
        is_text || different <= LENGTH / 3
    }

    /// The key in base64, 44 characters: for showing a new key once.
    pub fn to_base64(&self) -> Secret {
        Secret::new(BASE64.encode(self.0))
    }

    /// The key for one purpose.
    ///
    /// HKDF-Expand (RFC 5869) with SHA-256 and one block of output: HMAC-SHA256 under the master key of
    /// `tenantry/v1/<label>` and the byte 1. The extract step is left out, as the RFC allows, because the master key
    /// is uniformly random already. Different labels give independent keys: knowing one says nothing about another
    /// or about the master key. A label must never change its meaning; a new meaning takes a new label.
    pub fn derive(&self, label: &str) -> [u8; LENGTH] {
        let info: [&[u8]; 3] = [b"tenantry/v1/", label.as_bytes(), &[1]];
        hmac_sha256(&self.0, &info)
    }
}

impl MasterKey {
    /// What to call it where the key itself must not be shown: 16 hexadecimal digits that say nothing about it.
    pub fn name(&self) -> String {
        name_of(&self.derive("name"))
    }
}

/// A name for a key that says nothing about it.
pub(crate) fn name_of(key: &[u8; LENGTH]) -> String {
    use fmt::Write as _;
    hmac_sha256(key, &[b"kid"])[..8].iter().fold(String::with_capacity(16), |mut name, byte| {
        let _ = write!(name, "{byte:02x}");
        name
    })
}

/// HMAC-SHA256 over the concatenation of `parts`.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; LENGTH] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::SystemEntropy;

    #[test]
    fn what_somebody_typed_looks_made_up_and_what_was_drawn_does_not() {
        let made_up = |bytes: [u8; LENGTH]| MasterKey(bytes).looks_made_up();
        assert!(made_up(*b"correct horse battery staple 123"));
        assert!(made_up(std::array::from_fn(|i| [0xff, 0x00, 0x80][i % 3])));
        for _ in 0..1_000 {
            assert!(!MasterKey::generate(&SystemEntropy).looks_made_up());
        }
    }

    #[test]
    fn a_generated_key_survives_its_text() {
        let key = MasterKey::generate(&SystemEntropy);
        let text = key.to_base64();
        assert_eq!(text.expose().len(), 44);
        let read = MasterKey::from_base64(&format!("  {}\n", text.expose())).unwrap();
        assert_eq!(read.0, key.0);
        let unpadded = MasterKey::from_base64(text.expose().trim_end_matches('=')).unwrap();
        assert_eq!(unpadded.0, key.0);
    }

    #[test]
    fn wrong_texts_are_refused_with_the_reason() {
        use InvalidMasterKey::{Empty, Hexadecimal, Length, NotBase64, NotRandom};
        let base64 = |bytes: &[u8]| BASE64.encode(bytes);
        let counting: Vec<u8> = (0..64).collect();
        for (text, reason) in [
            (String::new(), Empty),
            (" \n".to_owned(), Empty),
            ("change-me".to_owned(), NotBase64),
            ("ключ".to_owned(), NotBase64),
            (format!("{} {}", "A".repeat(20), "B".repeat(23)), NotBase64),
            (base64(&counting[..16]), Length(16)),
            (base64(&counting[..31]), Length(31)),
            (base64(&counting[..33]), Length(33)),
            (base64(&counting[..64]), Length(64)),
            ("0123456789abcdef".repeat(4), Hexadecimal),
            (base64(&[0; 32]), NotRandom),
            (base64(&[0x61; 32]), NotRandom),
        ] {
            assert_eq!(MasterKey::from_base64(&text).unwrap_err(), reason, "{text:?}");
        }
    }

    #[test]
    fn errors_and_debug_do_not_show_the_key() {
        let key = MasterKey::generate(&SystemEntropy);
        assert_eq!(format!("{key:?}"), "MasterKey(…)");
        let secret = "correct horse battery staple!";
        assert!(!MasterKey::from_base64(secret).unwrap_err().to_string().contains("horse"));
    }

    /// Computed with an independent implementation of HKDF-Expand.
    #[test]
    fn derivation_never_changes() {
        let bytes: Vec<u8> = (0..32).collect();
        let key = MasterKey::from_base64(&BASE64.encode(bytes)).unwrap();
        let hex: String = key.derive("token/confirm").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "84599991ce92e6ef8fbe7de66efe01e316ab3c6f65acaf55060b939e407d4eb4");
    }

    proptest! {
        #[test]
        fn labels_and_masters_separate_keys(a in "[a-z/]{0,12}", b in "[a-z/]{0,12}", seed in any::<[u8; 32]>()) {
            let key = MasterKey(seed);
            prop_assert_eq!(key.derive(&a) == key.derive(&b), a == b);
            let mut other = seed;
            other[31] ^= 1;
            prop_assert_ne!(key.derive(&a), MasterKey(other).derive(&a));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = MasterKey::from_base64(&text);
        }
    }
}
