use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use tenantry_domain::id::TenantId;
use tenantry_ports::Entropy;
use zeroize::Zeroizing;

use crate::MasterKey;

const LABEL: &str = "seal/xchacha20poly1305";
/// In front of every sealed text; another algorithm or layout gets another.
const VERSION: &str = "sealed1.";
const NONCE: usize = 24;

/// Where a sealed value is kept. A value opens there and nowhere else: copied to another row, field, table or tenant
/// it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a str,
    /// Whose row it is; none in what belongs to no tenant.
    pub tenant: Option<TenantId>,
    /// The row's key, in one fixed spelling.
    pub row: &'a str,
    /// The column.
    pub field: &'a str,
}

impl Place<'_> {
    /// Every part with its length before it, so that no two places have the same bytes.
    fn associated_data(&self) -> Vec<u8> {
        let tenant = self.tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
        let mut data = Vec::new();
        for part in [self.table, &tenant, self.row, self.field] {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part.as_bytes());
        }
        data
    }
}

/// The sealed value was altered, moved from its place, or sealed with another master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value cannot be opened: it was altered or moved, or sealed with another master key")]
pub struct Unopenable;

/// Encrypts secrets that have to be stored and read back: XChaCha20-Poly1305 under a key of its own derived from the
/// master key, with a random nonce of 192 bits, bound to the [`Place`] the value is kept in.
///
/// A sealed value is text: `sealed1.` and, in URL-safe base64, nonce, ciphertext and tag.
pub struct SealingBox {
    cipher: XChaCha20Poly1305,
    entropy: Arc<dyn Entropy>,
}

impl SealingBox {
    /// A box that opens what any box with the same master key has sealed.
    pub fn new(master: &MasterKey, entropy: Arc<dyn Entropy>) -> Self {
        let key = Zeroizing::new(master.derive(LABEL));
        Self { cipher: XChaCha20Poly1305::new((&*key).into()), entropy }
    }

    /// Seals `secret` for `place`.
    pub fn seal(&self, place: &Place<'_>, secret: &[u8]) -> String {
        let mut nonce = [0; NONCE];
        self.entropy.fill(&mut nonce);
        let payload = Payload { msg: secret, aad: &place.associated_data() };
        let ciphertext = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .expect("only more than 256 GiB are too much to seal");
        let mut sealed = nonce.to_vec();
        sealed.extend(ciphertext);
        format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens what was sealed for `place`. The result is wiped from memory when dropped.
    pub fn open(&self, place: &Place<'_>, sealed: &str) -> Result<Zeroizing<Vec<u8>>, Unopenable> {
        let text = sealed.strip_prefix(VERSION).ok_or(Unopenable)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Unopenable)?;
        let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE>().ok_or(Unopenable)?;
        let payload = Payload { msg: ciphertext, aad: &place.associated_data() };
        self.cipher.decrypt(&XNonce::from(*nonce), payload).map(Zeroizing::new).map_err(|_| Unopenable)
    }
}

impl fmt::Debug for SealingBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingBox(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::SystemEntropy;
    use crate::testing::master;

    fn sealing(seed: u8) -> SealingBox {
        SealingBox::new(&master(seed), Arc::new(SystemEntropy))
    }

    fn place() -> Place<'static> {
        let tenant = "ten_0195c0de00004000800000000000000a".parse().unwrap();
        Place { table: "idempotency", tenant: Some(tenant), row: "k1", field: "body" }
    }

    #[test]
    fn every_replica_with_the_same_master_key_opens_it() {
        let sealed = sealing(1).seal(&place(), b"whsec_123");
        assert!(sealed.starts_with("sealed1.") && !sealed.contains("whsec"));
        assert_eq!(sealing(1).open(&place(), &sealed).unwrap().as_slice(), b"whsec_123");
        assert_eq!(sealing(2).open(&place(), &sealed), Err(Unopenable));
    }

    #[test]
    fn the_same_secret_never_looks_the_same_twice() {
        assert_ne!(sealing(1).seal(&place(), b"x"), sealing(1).seal(&place(), b"x"));
    }

    #[test]
    fn a_moved_value_does_not_open() {
        let sealed = sealing(1).seal(&place(), b"secret");
        let other = "ten_0195c0de00004000800000000000000b".parse().unwrap();
        for moved in [
            Place { table: "webhooks", ..place() },
            Place { tenant: Some(other), ..place() },
            Place { tenant: None, ..place() },
            Place { row: "k2", ..place() },
            Place { row: "", ..place() },
            Place { field: "secret", ..place() },
            Place { row: "k1b", field: "ody", ..place() },
            Place { table: "idempotencyk1", row: "", ..place() },
        ] {
            assert_eq!(sealing(1).open(&moved, &sealed), Err(Unopenable), "{moved:?}");
        }
    }

    #[test]
    fn every_altered_character_is_noticed() {
        let sealed = sealing(1).seal(&place(), b"secret");
        for at in 0..sealed.len() {
            let new = if sealed.as_bytes()[at] == b'A' { 'B' } else { 'A' };
            let altered = format!("{}{new}{}", &sealed[..at], &sealed[at + 1..]);
            assert_eq!(sealing(1).open(&place(), &altered), Err(Unopenable), "{at}");
            assert_eq!(sealing(1).open(&place(), &sealed[..at]), Err(Unopenable), "cut at {at}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_survive_sealing(secret in proptest::collection::vec(any::<u8>(), 0..300), row in any::<String>()) {
            let place = Place { row: &row, ..place() };
            let sealed = sealing(1).seal(&place, &secret);
            let opened = sealing(1).open(&place, &sealed).unwrap();
            prop_assert_eq!(opened.as_slice(), secret);
        }

        #[test]
        fn no_text_panics(text in "(sealed1\\.)?[A-Za-z0-9_-]{0,120}") {
            prop_assert!(sealing(1).open(&place(), &text).is_err());
        }
    }
}
