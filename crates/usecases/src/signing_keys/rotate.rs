use chrono::{DateTime, TimeDelta, Utc};
use tenantry_ports::{Constraint, ControlTx, SigningKey, SigningKeyState, StoreError, StoreResult};

use super::keyring::FRESH;
use crate::journal::platform::{signing_key_created, signing_key_rotated};
use crate::machine_tokens::LONGEST_TOKEN;
use crate::{Platform, recorded};

/// For how long a key is accepted after it has stopped signing: as long as the longest token works, and a minute for clocks
/// that differ and for replicas that learn late.
const OVERLAP: TimeDelta = TimeDelta::seconds(LONGEST_TOKEN.num_seconds() + 60);

/// How the signing key is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// The new key is published now and signs after this long; the old one is accepted until its last token has expired.
    After(TimeDelta),
    /// The new key signs at once, and what any other has signed is refused: somebody may have got hold of it.
    Compromised,
}

/// Why the signing key was not replaced.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The last rotation has not come to its end: its key does not sign yet.
    #[error("key {kid} is published and signs from {from} on; until then no other one is made")]
    UnderWay {
        /// Which key.
        kid: String,
        /// From when on it signs.
        from: DateTime<Utc>,
    },
    /// Somebody else is replacing it at this moment.
    #[error("another one is replacing the signing key at this moment")]
    Beaten,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Every key there ever was, in order.
pub fn list(platform: &Platform) -> StoreResult<Vec<SigningKey>> {
    platform.control.read(|tx| tx.signing_keys().all())
}

/// Makes the first key, if there is none; true if this call made it. Of replicas that start together one does.
pub fn ensure(platform: &Platform) -> StoreResult<bool> {
    let now = platform.clock.now();
    if !list(platform)?.is_empty() {
        return Ok(false);
    }
    let key = new(platform, 1, now, now);
    let made = recorded(platform, None, |tx, record| {
        record.add(signing_key_created(platform, &key, now));
        tx.signing_keys().insert(&key)
    });
    match made {
        Ok(()) => {
            platform.keyring.forget();
            tracing::info!(kid = key.kid, "Signing key made");
            Ok(true)
        }
        Err(StoreError::Conflict(Constraint::SigningKeyNumber)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Replaces the signing key for whoever wants it (`by`) and answers the new one. Private parts that are done with are forgotten.
pub fn rotate(platform: &Platform, rotation: Rotation, by: &str) -> Result<SigningKey, RotateError> {
    let now = platform.clock.now();
    let outcome = recorded(platform, Some(by), |tx, record| {
        let keys = tx.signing_keys().all()?;
        let from = match rotation {
            Rotation::After(lead) => now + lead.max(TimeDelta::zero()),
            Rotation::Compromised => now,
        };
        let pending = keys.iter().find(|key| key.state(now) == SigningKeyState::Published);
        if let (Some(pending), Rotation::After(_)) = (pending, rotation) {
            return Err(RotateError::UnderWay { kid: pending.kid.clone(), from: pending.signs_from });
        }
        let number = keys.last().map_or(1, |key| key.number + 1);
        let key = new(platform, number, now, from);
        tx.signing_keys().insert(&key)?;
        for old in keys {
            make_way(tx, old, rotation, from, now)?;
        }
        record.add(signing_key_rotated(platform, &key, rotation, by, now));
        Ok(key)
    });
    platform.keyring.forget();
    match outcome {
        Err(RotateError::Store(StoreError::Conflict(Constraint::SigningKeyNumber) | StoreError::Stale)) => {
            Err(RotateError::Beaten)
        }
        Ok(key) => {
            tracing::info!(kid = key.kid, signs_from = %key.signs_from, "Signing key replaced");
            Ok(key)
        }
        error => error,
    }
}

/// A former key stops signing at `from`, and is forgotten once it is done with.
fn make_way(
    tx: &mut dyn ControlTx,
    mut old: SigningKey,
    rotation: Rotation,
    from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let before = old.clone();
    let earliest = |end: Option<DateTime<Utc>>, other| Some(end.map_or(other, |end| end.min(other)));
    old.signs_until = earliest(old.signs_until, from);
    old.verifies_until = match rotation {
        Rotation::After(_) => earliest(old.verifies_until, from + OVERLAP),
        Rotation::Compromised => earliest(old.verifies_until, now),
    };
    // Replicas that have not noticed yet may still sign with it, unless that is refused anyway.
    if rotation == Rotation::Compromised || old.signs_until.is_some_and(|end| end + FRESH * 2 <= now) {
        old.sealed_private = None;
    }
    if old == before {
        return Ok(());
    }
    old.version += 1;
    tx.signing_keys().update(&old)
}

fn new(platform: &Platform, number: i64, now: DateTime<Utc>, signs_from: DateTime<Utc>) -> SigningKey {
    let pair = platform.machine_tokens.generate();
    SigningKey {
        kid: pair.kid,
        number,
        algorithm: pair.algorithm,
        public_jwk: pair.public_jwk,
        sealed_private: Some(pair.sealed_private),
        created_at: now,
        signs_from,
        signs_until: None,
        verifies_until: None,
        version: 1,
    }
}
