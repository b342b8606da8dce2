use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tenantry_domain::id::ApiKeyId;
use tenantry_ports::StoreResult;

use crate::Platform;

/// The keys that were used since that was last written down. Begin with an empty one.
#[derive(Debug, Default)]
pub struct KeyUses(Mutex<BTreeSet<ApiKeyId>>);

impl KeyUses {
    pub(crate) fn note(&self, key: ApiKeyId) {
        self.noted().insert(key);
    }

    fn noted(&self) -> MutexGuard<'_, BTreeSet<ApiKeyId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many keys one statement takes.
const SLICE: usize = 10_000;

/// Writes down which keys were used since the last call, in one statement for as many as it takes; how many there were. To
/// be called twice a minute: a key's last use is known to within a minute.
pub fn record_uses(platform: &Platform) -> StoreResult<usize> {
    let used: Vec<_> = std::mem::take(&mut *platform.key_uses.noted()).into_iter().collect();
    if used.is_empty() {
        return Ok(0);
    }
    let now = platform.clock.now();
    let written = platform
        .control
        .write(|tx| used.chunks(SLICE).try_for_each(|some| tx.api_keys().note_use(some, now)));
    if written.is_err() {
        // The next call tries again.
        platform.key_uses.noted().extend(&used);
    }
    written.map(|()| used.len())
}
