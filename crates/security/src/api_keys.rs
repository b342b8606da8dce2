use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tenantry_ports::{Entropy, KeyAudience, KeyMint, MintedKey, PresentedKey, Secret};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Public characters: 71 bits, so that no two keys ever share a record.
const LOOKUP: usize = 12;
/// Secret characters: 166 bits.
const SECRET: usize = 28;
/// Characters that hold a CRC-32.
const CHECKSUM: usize = 6;

/// Makes and recognises API keys: `tnt_live_<40 characters>_<6 characters>` for a tenant's machines, `tnt_op_…` for
/// the operator.
///
/// Of the 40 random base62 characters the first 12 are public and find the record; 28 (166 bits) are secret. The last
/// six are the CRC-32 of everything before their underscore, in base62: a typing error is recognised without a look-up,
/// and scanners for leaked secrets can tell a key from a look-alike without asking us. It is no protection: the
/// SHA-256 of the whole text is what decides.
pub struct ApiKeyMint {
    entropy: Arc<dyn Entropy>,
}

impl ApiKeyMint {
    /// A mint that takes its randomness from `entropy`.
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy }
    }
}

impl KeyMint for ApiKeyMint {
    fn mint(&self, audience: KeyAudience) -> MintedKey {
        let public = base62(&*self.entropy, LOOKUP);
        let secret = base62(&*self.entropy, SECRET);
        let lookup = format!("{}{public}", prefix(audience));
        let body = format!("{lookup}{secret}");
        let text = format!("{body}_{}", checksum(&body));
        let parts = PresentedKey { hash: Sha256::digest(&text).into(), lookup };
        let last4 = text[text.len() - 4..].to_owned();
        MintedKey { text: Secret::new(text), parts, last4 }
    }

    fn parse(&self, text: &str) -> Option<PresentedKey> {
        let prefix = [KeyAudience::Operator, KeyAudience::Tenant]
            .into_iter()
            .map(prefix)
            .find(|prefix| text.starts_with(prefix))?;
        let (body, sum) = text.rsplit_once('_')?;
        let random = body.get(prefix.len()..)?;
        let well_formed = random.len() == LOOKUP + SECRET && random.bytes().all(|b| BASE62.contains(&b));
        if !well_formed || checksum(body) != sum {
            return None;
        }
        let lookup = body[..prefix.len() + LOOKUP].to_owned();
        Some(PresentedKey { lookup, hash: Sha256::digest(text).into() })
    }

    fn matches(&self, presented: &[u8; 32], stored: &[u8; 32]) -> bool {
        presented.ct_eq(stored).into()
    }
}

impl fmt::Debug for ApiKeyMint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeyMint")
    }
}

const fn prefix(audience: KeyAudience) -> &'static str {
    match audience {
        KeyAudience::Operator => "tnt_op_",
        KeyAudience::Tenant => "tnt_live_",
    }
}

fn checksum(body: &str) -> String {
    let mut rest = crc32fast::hash(body.as_bytes()) as usize;
    let mut digits = [BASE62[0]; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[rest % BASE62.len()];
        rest /= BASE62.len();
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// Random characters without bias: bytes above the largest multiple of 62 are thrown away, not folded.
fn base62(entropy: &dyn Entropy, length: usize) -> String {
    const FAIR: u8 = 248;
    let mut text = String::with_capacity(length);
    let mut bytes = [0; 32];
    while text.len() < length {
        entropy.fill(&mut bytes);
        let fair = bytes.iter().filter(|byte| **byte < FAIR);
        text.extend(fair.take(length - text.len()).map(|byte| char::from(BASE62[usize::from(byte % 62)])));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::SystemEntropy;
    use crate::testing::Repeating;

    fn mint() -> ApiKeyMint {
        ApiKeyMint::new(Arc::new(SystemEntropy))
    }

    #[test]
    fn a_minted_key_is_recognised_with_the_same_parts() {
        for (audience, prefix, length) in
            [(KeyAudience::Operator, "tnt_op_", 54), (KeyAudience::Tenant, "tnt_live_", 56)]
        {
            let minted = mint().mint(audience);
            let text = minted.text.expose();
            assert_eq!(text.len(), length, "{text}");
            assert!(text.starts_with(&minted.parts.lookup) && minted.parts.lookup.starts_with(prefix));
            assert_eq!(minted.parts.lookup.len(), prefix.len() + 12);
            assert!(text.ends_with(&minted.last4) && minted.last4.len() == 4);
            assert_eq!(mint().parse(text), Some(minted.parts.clone()));
            assert!(mint().matches(&minted.parts.hash, &<[u8; 32]>::from(Sha256::digest(text))));
        }
    }

    #[test]
    fn the_debug_of_a_minted_key_does_not_show_it() {
        let minted = mint().mint(KeyAudience::Tenant);
        let secret = &minted.text.expose()["tnt_live_".len() + 12..];
        assert!(!format!("{minted:?}").contains(secret));
    }

    #[test]
    fn the_checksum_is_the_crc_32_of_what_precedes_it() {
        // CRC-32 of "123456789" is the well-known check value 0xCBF43926 = 3421780262.
        let value = checksum("123456789").bytes().fold(0_u64, |value, digit| {
            value * 62 + BASE62.iter().position(|known| *known == digit).unwrap() as u64
        });
        assert_eq!(value, 0xCBF4_3926);
        assert_eq!(checksum("").len(), 6);
    }

    #[test]
    fn texts_that_are_no_keys_are_refused() {
        let key = mint().mint(KeyAudience::Tenant).text.expose().to_owned();
        let (body, sum) = key.rsplit_once('_').unwrap();
        let with_sum = |body: &str| format!("{body}_{}", checksum(body));
        for text in [
            String::new(),
            "_".to_owned(),
            "tnt_live_".to_owned(),
            "tnt_live__".to_owned(),
            body.to_owned(),
            format!("{key} "),
            format!(" {key}"),
            format!("{key}\n"),
            key.to_uppercase(),
            format!("{body}__{sum}"),
            with_sum("tnt_live_"),
            with_sum(&body[..body.len() - 1]),
            with_sum(&format!("{body}0")),
            with_sum(&body.replacen("tnt_live_", "tnt_test_", 1)),
            with_sum(&body.replacen("tnt_live_", "ghp_live_", 1)),
            with_sum(&format!("{}-", &body[..body.len() - 1])),
            with_sum(&format!("{}é", &body[..body.len() - 2])),
            "é".repeat(56),
            "tnt_live_".repeat(100_000),
        ] {
            assert_eq!(mint().parse(&text), None, "{text:.80}");
        }
    }

    #[test]
    fn characters_are_drawn_without_bias() {
        let every_byte: Vec<u8> = (0..=255).collect();
        let drawn = base62(&Repeating::new(&every_byte), 248);
        let mut counts = BTreeMap::new();
        for character in drawn.chars() {
            *counts.entry(character).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 62);
        assert!(counts.values().all(|count| *count == 4), "{counts:?}");
    }

    #[test]
    fn hashes_match_only_when_all_bytes_agree() {
        let hash = [7; 32];
        assert!(mint().matches(&hash, &[7; 32]));
        for i in 0..32 {
            let mut other = hash;
            other[i] ^= 0x80;
            assert!(!mint().matches(&hash, &other));
        }
    }

    proptest! {
        #[test]
        fn any_single_changed_character_is_noticed(seed in any::<[u8; 32]>(), at in 0_usize..56, to in any::<char>()) {
            prop_assume!(seed.iter().any(|byte| *byte < 248));
            let mint = ApiKeyMint::new(Arc::new(Repeating::new(&seed)));
            let key = mint.mint(KeyAudience::Tenant).text.expose().to_owned();
            let changed: String = key.chars().enumerate().map(|(i, c)| if i == at { to } else { c }).collect();
            prop_assert_eq!(mint.parse(&changed).is_some(), changed == key);
        }

        #[test]
        fn no_text_panics(text in "(tnt_(op|live)_)?\\PC{0,80}") {
            let _ = mint().parse(&text);
        }
    }

    #[test]
    fn every_base62_change_at_every_place_is_noticed() {
        let key = mint().mint(KeyAudience::Operator).text.expose().to_owned();
        for at in 0..key.len() {
            for to in BASE62.iter().map(|b| char::from(*b)).chain(['_', '-']) {
                let changed = format!("{}{to}{}", &key[..at], &key[at + 1..]);
                assert_eq!(mint().parse(&changed).is_some(), changed == key, "{at} {to}");
            }
        }
    }
}
