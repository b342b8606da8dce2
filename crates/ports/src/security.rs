use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tenantry_domain::Finding;
use tenantry_domain::id::{SessionId, TenantId, UserId};
use tenantry_domain::people::Role;
use tenantry_domain::tenant::Slug;
use uuid::Uuid;

/// A secret text: no `Display`, and a `Debug` that does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret, at the one place where it has to be known.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256.
pub trait Digest: Send + Sync {
    /// The SHA-256 of `bytes`.
    fn sha256(&self, bytes: &[u8]) -> [u8; 32];

    /// The SHA-256 of what comes piece by piece, since it is too long to be held.
    fn running(&self) -> Box<dyn RunningDigest>;
}

/// A SHA-256 under way.
pub trait RunningDigest: Send {
    /// What comes next.
    fn update(&mut self, bytes: &[u8]);

    /// The SHA-256 of everything that came.
    fn finish(self: Box<Self>) -> [u8; 32];
}

impl dyn Digest {
    /// The SHA-256 of `bytes` in hexadecimal.
    pub fn hex(&self, bytes: &[u8]) -> String {
        hexadecimal(&self.sha256(bytes))
    }
}

/// A SHA-256 as it is written: 64 lower-case hexadecimal digits.
pub fn hexadecimal(hash: &[u8; 32]) -> String {
    use fmt::Write as _;
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Secrets that are shared with those who sign what they send.
pub trait MacCheck: Send + Sync {
    /// Whether this is the HMAC-SHA256 of `message` under one of the secrets. Compares in constant time.
    fn verify(&self, message: &[u8], mac: &[u8; 32]) -> bool;
}

/// Password hashing. Slow on purpose: call it on a pool of its own.
pub trait PasswordHasher: Send + Sync {
    /// A PHC string with a fresh salt.
    fn hash(&self, password: &str) -> String;

    /// Whether `password` is the one that was hashed. Without a hash (no such user) it takes as long and says no.
    fn verify(&self, password: &str, hash: Option<&str>) -> bool;

    /// Whether a hash was made with less effort than is made now, so that it should be made anew while the password is known.
    fn is_outdated(&self, hash: &str) -> bool;
}

/// What a confirmation token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmClaims {
    /// `sub`: the provisioning id.
    pub tenant: TenantId,
    /// `slug`.
    pub slug: Slug,
    /// `jti`: matches the tenant's pending validation, so that the token works once.
    pub token: Uuid,
    /// `iat`.
    pub issued_at: DateTime<Utc>,
    /// `exp`.
    pub expires_at: DateTime<Utc>,
}

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessClaims {
    /// `sub`.
    pub user: UserId,
    /// `tenant_id`.
    pub tenant: TenantId,
    /// `role`.
    pub role: Role,
    /// `sid`: the session it was issued in.
    pub session: SessionId,
    /// `iat`.
    pub issued_at: DateTime<Utc>,
    /// `exp`.
    pub expires_at: DateTime<Utc>,
}

/// The token is not one of ours, not of this kind, or no longer (or not yet) valid. Which, is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token is invalid or has expired")]
pub struct TokenError;

/// Signed tokens. Each kind has its own key, `typ` and audience: none passes for another.
pub trait Tokens: Send + Sync {
    /// A confirmation token.
    fn confirm(&self, claims: &ConfirmClaims) -> Secret;

    /// Checks a confirmation token.
    fn check_confirm(&self, token: &str, now: DateTime<Utc>) -> Result<ConfirmClaims, TokenError>;

    /// An access token.
    fn access(&self, claims: &AccessClaims) -> Secret;

    /// Checks an access token.
    fn check_access(&self, token: &str, now: DateTime<Utc>) -> Result<AccessClaims, TokenError>;
}

/// For whom a key is made; part of the key's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAudience {
    /// The platform operator.
    Operator,
    /// One tenant's machines.
    Tenant,
}

/// A new key: the only time its text is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MintedKey {
    /// The key.
    pub text: Secret,
    /// What its record keeps.
    pub parts: PresentedKey,
    /// Its last four characters.
    pub last4: String,
}

/// The parts of a key that records are found and compared by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PresentedKey {
    /// The public part.
    pub lookup: String,
    /// SHA-256 of the whole key.
    pub hash: [u8; 32],
}

/// Makes API keys and recognises them: `<prefix>_<audience>_<random>_<checksum>`.
pub trait KeyMint: Send + Sync {
    /// A new key with at least 160 random bits.
    fn mint(&self, audience: KeyAudience) -> MintedKey;

    /// The parts of something that has a key's form and checksum; a typing error or a made-up key is none, and
    /// costs no look-up.
    fn parse(&self, text: &str) -> Option<PresentedKey>;

    /// Compares in constant time.
    fn matches(&self, presented: &[u8; 32], stored: &[u8; 32]) -> bool;
}

/// One of our own schemas, by name.
#[derive(Clone, Copy)]
pub struct SchemaSource {
    /// Unique per schema; compiled schemas are kept under it.
    pub name: &'static str,
    /// Makes the JSON Schema (draft 7).
    pub generate: fn() -> Value,
}

/// Checks documents against our own JSON Schemas. Never given a schema from outside.
pub trait SchemaCheck: Send + Sync {
    /// Everything the schema has to say against the document; nothing if it is valid.
    fn findings(&self, schema: &SchemaSource, document: &Value) -> Vec<Finding>;
}

/// Makes secrets that webhook calls are signed with, and recognises them.
pub trait WebhookSecrets: Send + Sync {
    /// A new one: `whsec_` and 32 random bytes in base64.
    fn mint(&self) -> Secret;

    /// Whether calls can be signed with this text, so that any receiver's library can check them: `whsec_` and 24 to 64
    /// bytes in base64, to the letter.
    fn is_secret(&self, text: &str) -> bool;
}

/// Signs webhook calls as Standard Webhooks has it.
pub trait WebhookSigner: Send + Sync {
    /// What goes into `webhook-signature` of a call with this id, made at this moment, with this very body: one signature
    /// per secret, so that a receiver who knows any of them can check it.
    ///
    /// A secret is `whsec_` and 24 to 64 bytes in base64; what is none was refused where it came in, and signs nothing.
    fn sign(&self, secrets: &[Secret], id: &str, at: DateTime<Utc>, body: &[u8]) -> String;
}
