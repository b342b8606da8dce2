use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use tenantry_domain::id::{ApiKeyId, TenantId};
use uuid::Uuid;

use crate::{Algorithm, Scope, Secret, SigningKey, TokenError};

/// What an access token of a machine says: an OAuth 2.0 access token as RFC 9068 has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineClaims {
    /// `sub` and `client_id`: the API key it was got with.
    pub key: ApiKeyId,
    /// `tenant_id`.
    pub tenant: TenantId,
    /// `scope`: some of the key's.
    pub scopes: BTreeSet<Scope>,
    /// `jti`.
    pub token: Uuid,
    /// `iat`.
    pub issued_at: DateTime<Utc>,
    /// `exp`.
    pub expires_at: DateTime<Utc>,
}

/// A new key pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningPair {
    /// Its name: the thumbprint of the public part (RFC 7638).
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// The public part as a JSON Web Key, ready for the key set.
    pub public_jwk: String,
    /// The private part, sealed for the signing key of this name and for nothing else.
    pub sealed_private: String,
}

/// A sealed value was altered, moved from its place, or sealed under a master key that is not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a sealed value cannot be opened: it was altered or moved, or sealed under a master key that the settings do not have"
)]
pub struct Unopenable;

/// Tokens that others can check: signed with a private key, checked with the public one. The private part of a key is
/// known to whoever implements this, while it signs, and to nobody else.
pub trait MachineTokens: Send + Sync {
    /// A new key pair.
    fn generate(&self) -> SigningPair;

    /// A token of the issuer of this URL, which is also its audience.
    fn sign(&self, key: &SigningKey, issuer: &str, claims: &MachineClaims) -> Result<Secret, Unopenable>;

    /// Which key claims to have signed this; none if it has not the form of such a token. Says nothing about who made it.
    fn kid(&self, token: &str) -> Option<String>;

    /// Checks a token of the issuer of this URL with this key's public part. Whether the key may be used any more is for
    /// the caller to know.
    fn check(
        &self,
        key: &SigningKey,
        issuer: &str,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<MachineClaims, TokenError>;

    /// The key's private part sealed under the master key in force; none if it is already, or there is none. Only what it
    /// is sealed with is sealed anew.
    fn rewrap(&self, key: &SigningKey) -> Result<Option<String>, Unopenable>;
}
