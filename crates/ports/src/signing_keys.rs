use chrono::{DateTime, Utc};

use crate::StoreResult;

/// What a key signs with: fixed for each key, so that a token's header has no say in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    /// As JSON Web Tokens name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
        }
    }

    /// The algorithm of this name.
    pub fn parse(name: &str) -> Option<Self> {
        (name == Self::Es256.as_str()).then_some(Self::Es256)
    }
}

/// A key pair that machines' tokens are signed with. What it is good for follows from its times alone, so that no process
/// has to be there at the moment it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Its name in tokens and in the key set.
    pub kid: String,
    /// 1 for the first one; each later one has the next.
    pub number: i64,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// The public part as a JSON Web Key.
    pub public_jwk: String,
    /// The private part, sealed; none once it is done with.
    pub sealed_private: Option<String>,
    /// Since when it has been in the key set.
    pub created_at: DateTime<Utc>,
    /// From when on it signs.
    pub signs_from: DateTime<Utc>,
    /// From when on its successor signs.
    pub signs_until: Option<DateTime<Utc>>,
    /// From when on what it signed is refused.
    pub verifies_until: Option<DateTime<Utc>>,
    /// Rises with every change; 1 at first.
    pub version: i64,
}

/// Where a signing key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningKeyState {
    /// In the key set, so that everybody knows it before it signs.
    Published,
    /// It signs.
    Signing,
    /// Its successor signs; what it signed is accepted.
    Retiring,
    /// What it signed is refused.
    Retired,
}

impl SigningKeyState {
    /// As people read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Signing => "signing",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
        }
    }
}

impl SigningKey {
    /// Where it stands at `now`.
    pub fn state(&self, now: DateTime<Utc>) -> SigningKeyState {
        let reached = |end: Option<DateTime<Utc>>| end.is_some_and(|end| end <= now);
        if reached(self.verifies_until) {
            SigningKeyState::Retired
        } else if reached(self.signs_until) {
            SigningKeyState::Retiring
        } else if now < self.signs_from {
            SigningKeyState::Published
        } else {
            SigningKeyState::Signing
        }
    }
}

/// What machines' tokens are signed with, in the control database. There are a handful.
pub trait SigningKeyRepository {
    /// Adds a key. `Conflict(SigningKeyNumber)` if there is one of its number: of several who add the next one, one wins.
    fn insert(&mut self, key: &SigningKey) -> StoreResult<()>;

    /// Every key, in order of number.
    fn all(&mut self) -> StoreResult<Vec<SigningKey>>;

    /// Replaces the sealed part and the times of the key whose version is one less than this one's, else `Stale`.
    fn update(&mut self, key: &SigningKey) -> StoreResult<()>;
}
