use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_ports::{SigningKey, SigningKeyState, StoreResult};

use crate::Platform;

/// How long what was read is good for: replicas notice a rotation after this long.
pub(super) const FRESH: TimeDelta = TimeDelta::seconds(2);
/// How old it has to be to be read anew for a key that is not in it; whoever makes keys up causes no more reads than that.
const DOUBTFUL: TimeDelta = TimeDelta::milliseconds(200);

/// The signing keys as they were read a moment ago. Begin with an empty one.
#[derive(Debug, Default)]
pub struct Keyring(RwLock<Read>);

#[derive(Debug, Default)]
struct Read {
    keys: Arc<[SigningKey]>,
    at: Option<DateTime<Utc>>,
}

impl Keyring {
    /// What was read, if that is not older than this.
    fn fresh(&self, now: DateTime<Utc>, age: TimeDelta) -> Option<Arc<[SigningKey]>> {
        let read = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let fresh = read.at.is_some_and(|at| (now - at).abs() < age);
        fresh.then(|| Arc::clone(&read.keys))
    }

    /// Has the next who asks read anew.
    pub(super) fn forget(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).at = None;
    }
}

fn keys(platform: &Platform, age: TimeDelta) -> StoreResult<Arc<[SigningKey]>> {
    let now = platform.clock.now();
    if let Some(keys) = platform.keyring.fresh(now, age) {
        return Ok(keys);
    }
    let keys: Arc<[SigningKey]> = platform.control.read(|tx| tx.signing_keys().all())?.into();
    let mut read = platform.keyring.0.write().unwrap_or_else(PoisonError::into_inner);
    *read = Read { keys: Arc::clone(&keys), at: Some(now) };
    Ok(keys)
}

/// The key that signs now: the latest that may.
pub(crate) fn signer(platform: &Platform) -> StoreResult<Option<SigningKey>> {
    let now = platform.clock.now();
    let signs = |key: &&SigningKey| key.state(now) == SigningKeyState::Signing;
    Ok(keys(platform, FRESH)?.iter().rfind(signs).cloned())
}

/// The key of this name, if what it signed is accepted.
pub(crate) fn verifier(platform: &Platform, kid: &str) -> StoreResult<Option<SigningKey>> {
    let now = platform.clock.now();
    let named = |keys: &[SigningKey]| keys.iter().find(|key| key.kid == kid).cloned();
    let known = match named(&keys(platform, FRESH)?) {
        // Another replica may have made it this very second.
        None => named(&keys(platform, DOUBTFUL)?),
        known => known,
    };
    Ok(known.filter(|key| key.state(now) != SigningKeyState::Retired))
}

/// The public parts of all keys whose signatures are or are going to be accepted, each a JSON Web Key, newest first.
pub fn published(platform: &Platform) -> StoreResult<Vec<String>> {
    let now = platform.clock.now();
    let keys = keys(platform, FRESH)?;
    let accepted = keys.iter().rev().filter(|key| key.state(now) != SigningKeyState::Retired);
    Ok(accepted.map(|key| key.public_jwk.clone()).collect())
}
