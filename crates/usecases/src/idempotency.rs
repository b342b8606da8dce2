//! Requests that may come again: they get the first answer instead of a second effect.
//!
//! What a request does, its events and its answer commit together, so whatever happens to the process, a request that
//! comes again either finds its answer or nothing that it did. Nobody ever waits for a claim of somebody who died.

mod platform;

use chrono::{DateTime, Utc};
use tenantry_ports::{
    Counts, IdempotencyKey, LogHead, StoreError, StoreResult, StoredResponse, TenantScope, TenantTx,
};

pub(crate) use platform::once_on_platform;

use crate::Platform;

/// An answer as bytes, so that a repeated request gets the very same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// As it is kept.
    pub(crate) fn kept(&self, key: IdempotencyKey, now: DateTime<Utc>) -> StoredResponse {
        StoredResponse { key, status: self.status, body: self.body.clone(), created_at: now }
    }
}

impl From<StoredResponse> for Answer {
    fn from(stored: StoredResponse) -> Self {
        Self { status: stored.status, body: stored.body }
    }
}

/// What became of a request that may come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once<T> {
    /// It was done now.
    Done(T),
    /// It was refused now, for good: the answer is kept, too.
    Refused(Answer),
    /// It was answered before.
    Before(Answer),
    /// Its key was used for another request.
    KeyReused,
}

impl<T> Once<T> {
    /// What this answer is to a request of this key.
    pub(crate) fn found(before: StoredResponse, key: &IdempotencyKey) -> Self {
        if before.key.fingerprint == key.fingerprint { Self::Before(before.into()) } else { Self::KeyReused }
    }

    /// The same, with what was done seen in another way.
    pub fn map<U>(self, view: impl FnOnce(T) -> U) -> Once<U> {
        match self {
            Self::Done(done) => Once::Done(view(done)),
            Self::Refused(answer) => Once::Refused(answer),
            Self::Before(answer) => Once::Before(answer),
            Self::KeyReused => Once::KeyReused,
        }
    }
}

/// Keeps the refusal of a request for its repetitions, after nothing of it was kept; false if another one of its key was
/// answered meanwhile.
pub fn keep_refusal(
    platform: &Platform,
    scope: &TenantScope,
    key: &IdempotencyKey,
    refusal: &Answer,
) -> StoreResult<bool> {
    let now = platform.clock.now();
    let since = now - platform.policy.idempotency_retention;
    platform.stores.open(scope)?.write(|tx| {
        tx.log().lock()?;
        let free = tx.idempotency().find(&[&key.scope], since)?.is_empty();
        if free {
            tx.idempotency().insert(&[refusal.kept(key.clone(), now)], since)?;
        }
        Ok(free)
    })
}

/// Does what a request asks for in a tenant's database, unless it was answered before.
///
/// `act` runs with the log locked, in the transaction in which its answer is kept; it must not have written anything
/// when it refuses. `answer` writes the answer; where it writes none, a refusal is passed on and not kept: what the
/// store failed at, and whatever may be otherwise the next time.
pub fn once<T, E: From<StoreError>>(
    platform: &Platform,
    scope: &TenantScope,
    request: Option<&IdempotencyKey>,
    now: DateTime<Utc>,
    act: impl FnOnce(&mut dyn TenantTx, LogHead, Counts) -> Result<T, E>,
    answer: impl FnOnce(&Result<T, E>) -> Option<Answer>,
) -> Result<Once<T>, E> {
    let since = now - platform.policy.idempotency_retention;
    platform.stores.open(scope)?.write(|tx| {
        // First in line: whoever had the same request before has committed its answer by now.
        let (head, counts) = tx.log().lock_and_count()?;
        let Some(key) = request else {
            return act(tx, head, counts).map(Once::Done);
        };
        if let Some(before) = tx.idempotency().find(&[&key.scope], since)?.pop() {
            return Ok(Once::found(before, key));
        }
        let outcome = act(tx, head, counts);
        let Some(answer) = answer(&outcome) else {
            return outcome.map(Once::Done);
        };
        tx.idempotency().insert(&[answer.kept(key.clone(), now)], since)?;
        Ok(outcome.map_or(Once::Refused(answer), Once::Done))
    })
}
