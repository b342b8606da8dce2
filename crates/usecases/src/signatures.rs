//! Requests that are signed with a shared secret instead of carrying a credential.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_ports::{MacCheck, NonceUse, StoreError};

use crate::Platform;

/// Those whose signatures count.
#[derive(Clone)]
pub struct Signers {
    /// What they sign with.
    pub secrets: Arc<dyn MacCheck>,
    /// By how much their clocks may be ahead of ours or behind it.
    pub window: TimeDelta,
}

/// What comes with a signed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// When it was signed, in whole seconds.
    pub at: DateTime<Utc>,
    /// Chosen anew for every request.
    pub nonce: String,
    /// HMAC-SHA256 of the request, of `at` and of `nonce`.
    pub mac: [u8; 32],
}

/// Why a signature does not count.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// Signed too long ago, or in our future.
    #[error("signed at {at}, and it is {now}")]
    OutOfTime {
        /// When it was signed.
        at: DateTime<Utc>,
        /// What time it is here.
        now: DateTime<Utc>,
        /// By how much they may differ.
        window: TimeDelta,
    },
    /// Signed with another secret, or something else was signed.
    #[error("the signature is wrong")]
    Wrong,
    /// The nonce was used before.
    #[error("the nonce was used before")]
    Replayed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether `message` was signed by somebody whose signature counts, and just now. It may be a repetition: see [`use_up`].
pub fn check(
    platform: &Platform,
    signers: &Signers,
    signature: &Signature,
    message: &[u8],
) -> Result<(), SignatureError> {
    let (now, window) = (platform.clock.now(), signers.window);
    if (now - signature.at).abs() > window {
        return Err(SignatureError::OutOfTime { at: signature.at, now, window });
    }
    if signers.secrets.verify(message, &signature.mac) { Ok(()) } else { Err(SignatureError::Wrong) }
}

/// Takes a signature that was [`check`]ed for the one request it is good for, on whichever replica that arrives.
///
/// The nonce is remembered for as long as the signature could be in time, and as long again: the replicas' clocks may
/// differ, too.
pub fn use_up(platform: &Platform, signers: &Signers, signature: &Signature) -> Result<(), SignatureError> {
    let (now, until) = (platform.clock.now(), signature.at + signers.window * 2);
    let hash = platform.digest.sha256(signature.nonce.as_bytes());
    match platform.control.write(|tx| tx.nonces().remember(&hash, now, until))? {
        NonceUse::First => Ok(()),
        NonceUse::Again => Err(SignatureError::Replayed),
    }
}
