use std::sync::atomic::{AtomicU64, Ordering};

use sha2::Digest as _;
use tenantry_ports::{Digest, KeyAudience, KeyMint, MintedKey, PresentedKey, RunningDigest, Secret};

/// SHA-256, really: hash chains and fingerprints made with it are those of the real product.
#[derive(Debug, Clone, Copy, Default)]
pub struct FakeDigest;

impl Digest for FakeDigest {
    fn sha256(&self, bytes: &[u8]) -> [u8; 32] {
        sha2::Sha256::digest(bytes).into()
    }

    fn running(&self) -> Box<dyn RunningDigest> {
        Box::new(Running(sha2::Sha256::new()))
    }
}

struct Running(sha2::Sha256);

impl RunningDigest for Running {
    fn update(&mut self, bytes: &[u8]) {
        sha2::Digest::update(&mut self.0, bytes);
    }

    fn finish(self: Box<Self>) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// Keys that count: `fake_<audience>_<20 digits>_<8 hexadecimal digits of the digest of what comes before>`.
#[derive(Debug, Default)]
pub struct FakeKeys(AtomicU64);

impl FakeKeys {
    /// A mint whose first key is number 1.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl KeyMint for FakeKeys {
    fn mint(&self, audience: KeyAudience) -> MintedKey {
        let audience = match audience {
            KeyAudience::Operator => "op",
            KeyAudience::Tenant => "ten",
        };
        let lookup = format!("fake_{audience}_{:020}", self.0.fetch_add(1, Ordering::Relaxed) + 1);
        let text = format!("{lookup}_{}", checksum(&lookup));
        let last4 = text[text.len() - 4..].to_owned();
        let hash = FakeDigest.sha256(text.as_bytes());
        MintedKey { text: Secret::new(text), parts: PresentedKey { lookup, hash }, last4 }
    }

    fn parse(&self, text: &str) -> Option<PresentedKey> {
        let (lookup, check) = text.rsplit_once('_')?;
        let (audience, digits) = lookup.strip_prefix("fake_")?.split_once('_')?;
        let formed = matches!(audience, "op" | "ten") && digits.len() == 20;
        let formed = formed && digits.bytes().all(|b| b.is_ascii_digit());
        (formed && check == checksum(lookup))
            .then(|| PresentedKey { lookup: lookup.to_owned(), hash: FakeDigest.sha256(text.as_bytes()) })
    }

    fn matches(&self, presented: &[u8; 32], stored: &[u8; 32]) -> bool {
        presented == stored
    }
}

fn checksum(text: &str) -> String {
    let digest: &dyn Digest = &FakeDigest;
    digest.hex(text.as_bytes())[..8].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_sha_256() {
        let digest: &dyn Digest = &FakeDigest;
        assert_eq!(digest.hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_minted_key_is_recognised_and_no_other_is() {
        let keys = FakeKeys::new();
        let minted = keys.mint(KeyAudience::Tenant);
        let text = minted.text.expose();
        assert_eq!(keys.parse(text), Some(minted.parts.clone()));
        assert!(text.ends_with(&minted.last4));
        assert!(keys.matches(&minted.parts.hash, &FakeDigest.sha256(text.as_bytes())));
        for wrong in
            [text.replace('1', "2"), text.replace("ten", "xxx"), text[1..].to_owned(), format!("{text}0")]
        {
            assert_eq!(keys.parse(&wrong), None, "{wrong}");
        }
        assert_eq!(keys.parse(""), None);
    }

    #[test]
    fn no_two_keys_are_alike() {
        let keys = FakeKeys::new();
        assert_ne!(keys.mint(KeyAudience::Operator).parts, keys.mint(KeyAudience::Operator).parts);
    }
}
