use chrono::{DateTime, Utc};

use crate::StoreResult;

/// Whether something that may be used once was used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonceUse {
    /// This was the first time.
    First,
    /// Somebody, somewhere, was before.
    Again,
}

/// What may be used once within a time: nonces of signed requests, by their hashes. One memory for all replicas, which
/// outlives them.
pub trait NonceRepository {
    /// Remembers the nonce with this SHA-256 until `expires_at`, unless it is remembered already at `now`.
    ///
    /// Of concurrent callers one is told that it was the first. What was to be remembered until `now` or earlier is
    /// forgotten; some of it is cleared away with every call, so that no more is kept than is in use.
    fn remember(
        &mut self,
        hash: &[u8; 32],
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> StoreResult<NonceUse>;
}
