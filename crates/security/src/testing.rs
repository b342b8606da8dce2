//! What the tests of several modules share.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use tenantry_domain::people::Role;
use tenantry_domain::tenant::Slug;
use tenantry_ports::{
    AccessClaims, ConfirmClaims, Entropy, MachineClaims, MachineTokens as _, Scope, SigningKey,
};

use crate::{Es256Tokens, MasterKey, SealingBox, SystemEntropy};

/// A master key that is the same in every test.
pub(crate) fn master(seed: u8) -> MasterKey {
    MasterKey::generate(&Repeating::new(&[seed, 1, 2, 3]))
}

/// Entropy that deals the same bytes over and over.
pub(crate) struct Repeating {
    bytes: Vec<u8>,
    next: Mutex<usize>,
}

impl Repeating {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), next: Mutex::new(0) }
    }
}

impl Entropy for Repeating {
    fn fill(&self, buffer: &mut [u8]) {
        let mut next = self.next.lock().unwrap();
        for byte in buffer {
            *byte = self.bytes[*next % self.bytes.len()];
            *next += 1;
        }
    }
}

/// So many seconds after the moment at which the tests' tokens are issued.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

/// Claims that hold for 900 seconds from `at(0)`.
pub(crate) fn confirm_claims() -> ConfirmClaims {
    ConfirmClaims {
        tenant: "ten_0195c0de00004000800000000000000a".parse().unwrap(),
        slug: Slug::new("acme").unwrap(),
        token: "0195c0de-0000-4000-8000-00000000000d".parse().unwrap(),
        issued_at: at(0),
        expires_at: at(900),
    }
}

/// Claims that hold for 900 seconds from `at(0)`.
pub(crate) fn access_claims() -> AccessClaims {
    AccessClaims {
        user: "usr_0195c0de00007000800000000000000b".parse().unwrap(),
        tenant: "ten_0195c0de00004000800000000000000a".parse().unwrap(),
        role: Role::Admin,
        session: "ses_0195c0de00007000800000000000000c".parse().unwrap(),
        issued_at: at(0),
        expires_at: at(900),
    }
}

/// The URL of the API in the tests of machines' tokens.
pub(crate) const ISSUER: &str = "https://api.example.com";

/// Machines' tokens of an installation with this master key.
pub(crate) fn machine_tokens(seed: u8) -> Es256Tokens {
    Es256Tokens::new(SealingBox::new(&master(seed), Arc::new(SystemEntropy)))
}

/// A new key that signs from the beginning.
pub(crate) fn signing_key(tokens: &Es256Tokens) -> SigningKey {
    let pair = tokens.generate();
    SigningKey {
        kid: pair.kid,
        number: 1,
        algorithm: pair.algorithm,
        public_jwk: pair.public_jwk,
        sealed_private: Some(pair.sealed_private),
        created_at: at(0),
        signs_from: at(0),
        signs_until: None,
        verifies_until: None,
        version: 1,
    }
}

/// Claims that hold for 900 seconds from `at(0)`.
pub(crate) fn machine_claims() -> MachineClaims {
    MachineClaims {
        key: "key_0195c0de00007000800000000000000e".parse().unwrap(),
        tenant: "ten_0195c0de00004000800000000000000a".parse().unwrap(),
        scopes: [Scope::AccountsRead, Scope::AccountsWrite].into(),
        token: "0195c0de-0000-4000-8000-00000000000f".parse().unwrap(),
        issued_at: at(0),
        expires_at: at(900),
    }
}
