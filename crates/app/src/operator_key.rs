//! The operator's key that the settings give, if they do.
//!
//! It has a record like every other key, so what it does is traced and it can be revoked; only its form is its owner's
//! choice. Its record is found by its hash, so with another key in the settings the former one no longer works.

use std::collections::BTreeSet;

use tenantry_ports::{
    ApiKey, Constraint, Digest, KeyAudience, KeyMint, MintedKey, PresentedKey, Secret, StoreError,
    StoreResult,
};
use tenantry_security::{ApiKeyMint, Sha256Digest};
use tenantry_usecases::{Platform, api_keys};

/// Recognises the given key, and everything that its mint does.
pub(crate) struct GivenKeyMint {
    pub(crate) mint: ApiKeyMint,
    pub(crate) given: PresentedKey,
}

impl KeyMint for GivenKeyMint {
    fn mint(&self, audience: KeyAudience) -> MintedKey {
        self.mint.mint(audience)
    }

    fn parse(&self, text: &str) -> Option<PresentedKey> {
        let hash = Sha256Digest.sha256(text.as_bytes());
        if self.matches(&hash, &self.given.hash) { Some(self.given.clone()) } else { self.mint.parse(text) }
    }

    fn matches(&self, presented: &[u8; 32], stored: &[u8; 32]) -> bool {
        self.mint.matches(presented, stored)
    }
}

/// What the given key's record is found and compared by.
pub(crate) fn parts(key: &Secret) -> PresentedKey {
    let digest: &dyn Digest = &Sha256Digest;
    let lookup = digest.hex(format!("operator's key from the settings: {}", key.expose()).as_bytes());
    PresentedKey {
        lookup: format!("settings_{}", &lookup[..16]),
        hash: digest.sha256(key.expose().as_bytes()),
    }
}

/// Makes sure that the given key has a record.
pub(crate) fn record(platform: &Platform, key: &Secret) -> StoreResult<()> {
    let parts = parts(key);
    if let Some(known) = platform.control.read(|tx| tx.api_keys().find(&parts.lookup))? {
        if known.revoked_at.is_some() {
            tracing::warn!(
                "The operator's key of the settings was revoked and does not work; set another one"
            );
        }
        return Ok(());
    }
    let last4 = key.expose().len() - 4;
    let record = ApiKey {
        id: platform.ids.next(),
        tenant: None,
        name: "operator's key from the settings".to_owned(),
        lookup: parts.lookup,
        hash: parts.hash,
        last4: key.expose()[last4..].to_owned(),
        scopes: BTreeSet::new(),
        created_by: "settings".to_owned(),
        created_at: platform.clock.now(),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
        request: None,
        version: 1,
    };
    match api_keys::keep(platform, &record) {
        // Another replica that started at the same moment was faster.
        Err(StoreError::Conflict(Constraint::ApiKeyLookup)) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tenantry_security::SystemEntropy;

    use super::*;

    fn mint(given: &str) -> GivenKeyMint {
        GivenKeyMint { mint: ApiKeyMint::new(Arc::new(SystemEntropy)), given: parts(&Secret::new(given)) }
    }

    #[test]
    fn the_given_key_is_recognised_and_nothing_like_it() {
        let key = "an-operator-key-of-my-own";
        let mint = mint(key);
        assert_eq!(mint.parse(key), Some(parts(&Secret::new(key))));
        for other in ["an-operator-key-of-my-owm", "an-operator-key-of-my-own ", "", &mint.given.lookup] {
            assert_eq!(mint.parse(other), None, "{other}");
        }
    }

    #[test]
    fn minted_keys_are_recognised_as_ever() {
        let mint = mint("an-operator-key-of-my-own");
        let minted = mint.mint(KeyAudience::Tenant);
        assert_eq!(mint.parse(minted.text.expose()), Some(minted.parts));
    }

    #[test]
    fn the_public_part_says_nothing_of_the_hash() {
        let parts = parts(&Secret::new("an-operator-key-of-my-own"));
        let digest: &dyn Digest = &Sha256Digest;
        assert!(!digest.hex(b"an-operator-key-of-my-own").contains(&parts.lookup["settings_".len()..]));
    }
}
