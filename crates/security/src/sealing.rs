use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use tenantry_domain::id::TenantId;
use tenantry_ports::{Entropy, Sealing, Unopenable};
use zeroize::Zeroizing;

use crate::MasterKey;

const LABEL: &str = "seal/aes-256-gcm";
/// In front of every sealed text; another algorithm or layout gets another.
const VERSION: &str = "sealed2";
/// Length of a data key.
const KEY: usize = 32;

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
    /// Every part with its length before it, so that no two places have the same bytes; and the version, so that nothing
    /// that was sealed by one layout opens by another.
    fn associated_data(&self, part: &str) -> Vec<u8> {
        let tenant = self.tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
        let mut data = Vec::new();
        for part in [VERSION, part, self.table, &tenant, self.row, self.field] {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part.as_bytes());
        }
        data
    }
}

/// Encrypts secrets that have to be stored and read back, each with AES-256-GCM under a data key of its own, which is
/// sealed in turn under a key that is derived from the master key. Both are bound to the [`Place`] the value is kept in.
///
/// A sealed value is text of four parts between dots: `sealed2`, the name of the key that the data key is sealed under,
/// and in URL-safe base64 the sealed data key (nonce, ciphertext, tag) and the sealed secret (ciphertext, tag). When the
/// master key is replaced, only the two in the middle are.
pub struct SealingBox {
    /// The first one seals.
    keys: Vec<WrappingKey>,
    entropy: Arc<dyn Entropy>,
}

/// What data keys are sealed under.
struct WrappingKey {
    name: String,
    key: LessSafeKey,
}

impl WrappingKey {
    fn new(master: &MasterKey) -> Self {
        let key = Zeroizing::new(master.derive(LABEL));
        Self { name: master.name(), key: aes(&key) }
    }
}

/// The parts of a sealed text.
struct Sealed<'a> {
    name: &'a str,
    data_key: Vec<u8>,
    secret: &'a str,
}

impl<'a> Sealed<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split('.');
        let (version, name, data_key, secret) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let data_key = URL_SAFE_NO_PAD.decode(data_key).ok()?;
        (version == VERSION && parts.next().is_none()).then_some(Self { name, data_key, secret })
    }
}

impl SealingBox {
    /// A box that opens what any box with the same master key has sealed.
    pub fn new(master: &MasterKey, entropy: Arc<dyn Entropy>) -> Self {
        Self { keys: vec![WrappingKey::new(master)], entropy }
    }

    /// Also opens what was sealed under `former`, until all of it is [rewrapped](Self::rewrap).
    #[must_use]
    pub fn accepting(mut self, former: &MasterKey) -> Self {
        self.keys.push(WrappingKey::new(former));
        self
    }

    /// Seals `secret` for `place`.
    pub fn seal(&self, place: &Place<'_>, secret: &[u8]) -> String {
        let mut data_key = Zeroizing::new([0; KEY]);
        self.entropy.fill(&mut *data_key);
        let mut sealed = secret.to_vec();
        seal(&aes(&data_key), ONLY_NONCE, &place.associated_data("secret"), &mut sealed);
        self.wrap(place, &data_key, &URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens what was sealed for `place`. The result is wiped from memory when dropped.
    pub fn open(&self, place: &Place<'_>, sealed: &str) -> Result<Zeroizing<Vec<u8>>, Unopenable> {
        let sealed = Sealed::parse(sealed).ok_or(Unopenable)?;
        let data_key = self.unwrap(place, &sealed)?;
        let mut secret = URL_SAFE_NO_PAD.decode(sealed.secret).map_err(|_| Unopenable)?;
        open(&aes(&data_key), ONLY_NONCE, &place.associated_data("secret"), &mut secret)?;
        Ok(Zeroizing::new(secret))
    }

    /// The same secret, sealed under the master key in force; none if it is already. The secret itself is not touched, but
    /// it has to open.
    pub fn rewrap(&self, place: &Place<'_>, sealed: &str) -> Result<Option<String>, Unopenable> {
        self.open(place, sealed)?;
        let sealed = Sealed::parse(sealed).ok_or(Unopenable)?;
        if sealed.name == self.keys[0].name {
            return Ok(None);
        }
        let data_key = self.unwrap(place, &sealed)?;
        Ok(Some(self.wrap(place, &data_key, sealed.secret)))
    }

    /// A sealed text of this data key and the secret that is sealed under it.
    fn wrap(&self, place: &Place<'_>, data_key: &[u8; KEY], secret: &str) -> String {
        let WrappingKey { name, key } = &self.keys[0];
        let mut nonce = [0; NONCE_LEN];
        self.entropy.fill(&mut nonce);
        let mut sealed = data_key.to_vec();
        seal(key, nonce, &place.associated_data("data key"), &mut sealed);
        let sealed = [&nonce[..], &sealed].concat();
        format!("{VERSION}.{name}.{}.{secret}", URL_SAFE_NO_PAD.encode(sealed))
    }

    fn unwrap(&self, place: &Place<'_>, sealed: &Sealed<'_>) -> Result<Zeroizing<[u8; KEY]>, Unopenable> {
        let key = self.keys.iter().find(|key| key.name == sealed.name).ok_or(Unopenable)?;
        let (nonce, data_key) = sealed.data_key.split_first_chunk::<NONCE_LEN>().ok_or(Unopenable)?;
        let mut data_key = Zeroizing::new(data_key.to_vec());
        open(&key.key, *nonce, &place.associated_data("data key"), &mut data_key)?;
        let data_key: [u8; KEY] = data_key.as_slice().try_into().map_err(|_| Unopenable)?;
        Ok(Zeroizing::new(data_key))
    }
}

impl Sealing for SealingBox {
    fn seal_answer(&self, scope: &str, body: &[u8]) -> Vec<u8> {
        self.seal(&answer(scope), body).into_bytes()
    }

    fn open_answer(&self, scope: &str, sealed: &[u8]) -> Result<Vec<u8>, Unopenable> {
        let sealed = std::str::from_utf8(sealed).map_err(|_| Unopenable)?;
        Ok(self.open(&answer(scope), sealed)?.to_vec())
    }
}

/// Where the first answer of this scope is kept, in the control database.
const fn answer(scope: &str) -> Place<'_> {
    Place { table: "idempotency", tenant: None, row: scope, field: "body" }
}

/// A data key seals one secret and never another one, so it needs one nonce.
const ONLY_NONCE: [u8; NONCE_LEN] = [0; NONCE_LEN];

fn aes(key: &[u8; KEY]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("the key has the algorithm's length"))
}

/// Replaces the bytes by ciphertext and tag.
fn seal(key: &LessSafeKey, nonce: [u8; NONCE_LEN], aad: &[u8], bytes: &mut Vec<u8>) {
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), bytes)
        .expect("only more than 64 GiB are too much to seal");
}

/// Replaces ciphertext and tag by the bytes.
fn open(
    key: &LessSafeKey,
    nonce: [u8; NONCE_LEN],
    aad: &[u8],
    bytes: &mut Vec<u8>,
) -> Result<(), Unopenable> {
    let nonce = Nonce::assume_unique_for_key(nonce);
    let length = key.open_in_place(nonce, Aad::from(aad), bytes).map_err(|_| Unopenable)?.len();
    bytes.truncate(length);
    Ok(())
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
        assert!(sealed.starts_with("sealed2.") && !sealed.contains("whsec"));
        assert_eq!(sealing(1).open(&place(), &sealed).unwrap().as_slice(), b"whsec_123");
        assert_eq!(sealing(2).open(&place(), &sealed), Err(Unopenable));
    }

    #[test]
    fn the_same_secret_never_looks_the_same_twice() {
        assert_ne!(sealing(1).seal(&place(), b"x"), sealing(1).seal(&place(), b"x"));
    }

    #[test]
    fn a_former_master_keys_values_open_until_it_is_removed_and_after_they_are_rewrapped() {
        let sealed = sealing(1).seal(&place(), b"secret");
        let both = || sealing(2).accepting(&master(1));
        assert_eq!(both().open(&place(), &sealed).unwrap().as_slice(), b"secret");
        let rewrapped = both().rewrap(&place(), &sealed).unwrap().expect("it hangs on the former key");
        assert_eq!(sealing(2).open(&place(), &rewrapped).unwrap().as_slice(), b"secret");
        assert_eq!(sealing(1).open(&place(), &rewrapped), Err(Unopenable));
        assert_eq!(both().rewrap(&place(), &rewrapped), Ok(None), "once is enough");
        assert_eq!(sealing(2).rewrap(&place(), &sealed), Err(Unopenable));
        let secret = |sealed: &str| sealed.rsplit('.').next().unwrap().to_owned();
        assert_eq!(secret(&sealed), secret(&rewrapped), "only what it is sealed under was sealed anew");
    }

    #[test]
    fn neither_part_opens_with_the_other_one_of_another_value() {
        let (one, other) = (sealing(1).seal(&place(), b"one"), sealing(1).seal(&place(), b"other"));
        let (head, _) = one.rsplit_once('.').unwrap();
        let (_, secret) = other.rsplit_once('.').unwrap();
        let mixed = format!("{head}.{secret}");
        assert_eq!(sealing(1).open(&place(), &mixed), Err(Unopenable));
        assert_eq!(sealing(2).accepting(&master(1)).rewrap(&place(), &mixed), Err(Unopenable));
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
            assert_eq!(
                sealing(2).accepting(&master(1)).rewrap(&moved, &sealed),
                Err(Unopenable),
                "{moved:?}"
            );
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

    #[test]
    fn an_answer_opens_in_its_own_scope_alone() {
        let sealed = sealing(1).seal_answer("operator:createApiKey:k", b"{}");
        assert_eq!(sealing(1).open_answer("operator:createApiKey:k", &sealed).unwrap(), b"{}");
        assert_eq!(sealing(1).open_answer("operator:createApiKey:l", &sealed), Err(Unopenable));
        assert_eq!(sealing(2).open_answer("operator:createApiKey:k", &sealed), Err(Unopenable));
        assert_eq!(sealing(1).open_answer("operator:createApiKey:k", b"\xff"), Err(Unopenable));
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
        fn no_text_panics(text in "(sealed2\\.[0-9a-f]{16}\\.)?[A-Za-z0-9_-]{0,120}\\.[A-Za-z0-9_-]{0,120}") {
            prop_assert!(sealing(1).open(&place(), &text).is_err());
        }
    }
}
