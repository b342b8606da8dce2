use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::{ApiKeyId, TenantId};
use tenantry_ports::{ApiKey, Constraint, ControlTx, IdempotencyKey, Secret, StoreError, StoreResult};

use super::make::{KeyAnswers, Made, NewKey, NewKeyError, announce, insert, mint};
use crate::idempotency::Once;
use crate::journal::platform::{api_key_revoked, api_key_rotated};
use crate::limits::{self, Keyring};
use crate::{Platform, Record, recorded};

/// The longest that a replaced key may go on working.
pub const LONGEST_OVERLAP: TimeDelta = TimeDelta::days(30);

/// A key that is to be replaced.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// Whose; none for an operator's key.
    pub owner: Option<TenantId>,
    /// Which.
    pub key: ApiKeyId,
    /// Its version, if only that is meant.
    pub version: Option<i64>,
    /// For how long it still works beside its successor, at most [`LONGEST_OVERLAP`]; not at all if zero.
    pub overlap: TimeDelta,
    /// Who wants it.
    pub created_by: String,
}

/// Why a key was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeKeyError {
    /// The owner has no key of this id.
    #[error("there is no such key")]
    NotFound,
    /// It does not work any more, so it cannot be replaced.
    #[error("the key was revoked or has expired")]
    Ended,
    /// It has another version than was said.
    #[error("the key has version {0} by now")]
    Changed(i64),
    /// Its successor cannot be made.
    #[error(transparent)]
    New(#[from] NewKeyError),
}

impl From<StoreError> for ChangeKeyError {
    fn from(error: StoreError) -> Self {
        Self::New(error.into())
    }
}

/// How often a change is begun anew when somebody else changes the key meanwhile. Changes of one key are rare.
const ATTEMPTS: usize = 5;

/// Revokes a key of this owner; false if there is none of that id. Revoking it again changes nothing.
pub fn revoke(platform: &Platform, owner: Option<TenantId>, id: ApiKeyId, by: &str) -> StoreResult<bool> {
    match revoke_version(platform, owner, id, None, by) {
        Ok(()) => Ok(true),
        Err(ChangeKeyError::New(NewKeyError::Store(error))) => Err(error),
        Err(_) => Ok(false),
    }
}

/// The same, only if the key has this version.
pub fn revoke_version(
    platform: &Platform,
    owner: Option<TenantId>,
    id: ApiKeyId,
    version: Option<i64>,
    by: &str,
) -> Result<(), ChangeKeyError> {
    let now = platform.clock.now();
    let revoked = persistently(|| {
        recorded(platform, Some(by), |tx, record| {
            let key = own(tx, owner, id, version)?;
            if key.revoked_at.is_some() {
                return Ok(false);
            }
            record.add(api_key_revoked(platform, &key, by, now));
            tx.api_keys().update(&ApiKey { revoked_at: Some(now), version: key.version + 1, ..key })?;
            Ok(true)
        })
    })?;
    if revoked {
        tracing::info!(key = %id, "API key revoked");
    }
    Ok(())
}

/// Replaces a key by a new one of the same name and scopes, which lives as long as the old one was made for. The old one
/// works for as long as the overlap says, unless it was to expire before. A quota that is used up stands in the way only of a
/// further successor of the same key, and of more than twice as many keys: else there are in the end no more than before.
pub fn rotate(platform: &Platform, rotation: &Rotation) -> Result<(ApiKey, Secret), ChangeKeyError> {
    let now = platform.clock.now();
    let keyring = limits::keyring(platform, rotation.owner)?;
    let (new, text) = persistently(|| {
        recorded(platform, None, |tx, record| replace(platform, tx, record, rotation, &keyring, None, now))
    })?;
    tell(rotation, &new);
    Ok((new, text))
}

/// The same for a request that may come again.
pub fn rotate_once(
    platform: &Platform,
    rotation: &Rotation,
    answers: &KeyAnswers<'_>,
) -> Result<Once<Made>, ChangeKeyError> {
    let now = platform.clock.now();
    let keyring = limits::keyring(platform, rotation.owner)?;
    let once = persistently(|| {
        answers.once(platform, now, |tx, record| {
            let request = Some(answers.request.clone());
            let (new, text) = replace(platform, tx, record, rotation, &keyring, request, now)?;
            Ok(Made::New(new, text))
        })
    })?;
    if let Once::Done(Made::New(new, _)) = &once {
        tell(rotation, new);
    }
    Ok(once)
}

fn replace(
    platform: &Platform,
    tx: &mut dyn ControlTx,
    record: &mut Record,
    rotation: &Rotation,
    keyring: &Keyring,
    request: Option<IdempotencyKey>,
    now: DateTime<Utc>,
) -> Result<(ApiKey, Secret), ChangeKeyError> {
    let end = now + rotation.overlap.clamp(TimeDelta::zero(), LONGEST_OVERLAP);
    let old = own(tx, rotation.owner, rotation.key, rotation.version)?;
    if !old.is_live(now) {
        return Err(ChangeKeyError::Ended);
    }
    if end > now {
        keyring.admit_successor::<NewKeyError>(tx, &old, now)?;
    }
    let wish = NewKey {
        owner: old.tenant,
        name: old.name.clone(),
        scopes: old.scopes.clone(),
        expires_at: old.expires_at.map(|end| now + (end - old.created_at)),
        created_by: rotation.created_by.clone(),
    };
    let (new, text) = mint(platform, wish, request)?;
    insert(tx, &new)?;
    let ends = old.expires_at.map_or(end, |before| before.min(end));
    record.add(api_key_rotated(platform, &old, &new, ends, now));
    tx.api_keys().update(&ApiKey { expires_at: Some(ends), version: old.version + 1, ..old })?;
    Ok((new, text))
}

fn tell(rotation: &Rotation, new: &ApiKey) {
    announce(new);
    tracing::info!(key = %rotation.key, successor = %new.id, "API key replaced");
}

/// The owner's key of this id, if it has this version.
fn own(
    tx: &mut dyn ControlTx,
    owner: Option<TenantId>,
    id: ApiKeyId,
    version: Option<i64>,
) -> Result<ApiKey, ChangeKeyError> {
    let key = tx.api_keys().get(id)?.filter(|key| key.tenant == owner).ok_or(ChangeKeyError::NotFound)?;
    match version {
        Some(version) if version != key.version => Err(ChangeKeyError::Changed(key.version)),
        _ => Ok(key),
    }
}

/// Does it again if somebody else changed the same key, or answered the same request, in between.
pub(super) fn persistently<T>(
    mut attempt: impl FnMut() -> Result<T, ChangeKeyError>,
) -> Result<T, ChangeKeyError> {
    let mut outcome = attempt();
    for _ in 1..ATTEMPTS {
        match &outcome {
            Err(ChangeKeyError::New(NewKeyError::Store(
                StoreError::Stale | StoreError::Conflict(Constraint::ApiKeyRequest),
            ))) => outcome = attempt(),
            _ => break,
        }
    }
    outcome
}
