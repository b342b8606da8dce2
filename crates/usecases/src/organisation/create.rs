use tenantry_domain::organisation::{OrgContent, OrgId, OrgUnit};
use tenantry_ports::{IdempotencyKey, StoreError, StoredResponse, TenantScope, TenantTx};

use super::OrgError;
use crate::{Platform, journal};

/// A unit that is to be there.
#[derive(Debug, Clone)]
pub struct Create {
    /// What is set about it.
    pub content: OrgContent,
    /// Who wants it.
    pub actor: String,
    /// Makes a repeated request get the first answer.
    pub idempotency: Option<IdempotencyKey>,
    /// The request it came with, for the event.
    pub trace: String,
}

/// A unit that was created, now or by the same request before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// As it was then.
    pub unit: OrgUnit,
    /// Whether the answer was given before.
    pub replayed: bool,
}

/// Creates a unit.
pub fn create(platform: &Platform, scope: &TenantScope, wish: Create) -> Result<Created, OrgError> {
    let now = platform.clock.now();
    let since = now - platform.policy.idempotency_retention;
    let unit = OrgUnit::create(platform.ids.time_ordered(), wish.content, now);
    platform.stores.open(scope)?.write(|tx| {
        let head = tx.log().lock()?;
        if let Some(key) = &wish.idempotency
            && let Some(answer) = tx.idempotency().find(&[&key.scope], since)?.pop()
        {
            return replay(key, &answer);
        }
        check_ends(tx, &unit.content)?;
        tx.organisation().insert(std::slice::from_ref(&unit)).map_err(|error| OrgError::of(error, &unit))?;
        let event = journal::organisation::unit_created(&unit, &wish.actor, wish.trace);
        journal::append(platform, scope, tx, head, vec![event], now)?;
        if let Some(key) = wish.idempotency {
            let body = serde_json::to_vec(&unit).map_err(|error| StoreError::Failed(Box::new(error)))?;
            let answer = StoredResponse { key, status: 201, body, created_at: now };
            tx.idempotency().insert(&[answer], since)?;
        }
        Ok(Created { unit, replayed: false })
    })
}

fn replay(key: &IdempotencyKey, stored: &StoredResponse) -> Result<Created, OrgError> {
    if stored.key.fingerprint != key.fingerprint {
        return Err(OrgError::KeyReused);
    }
    if stored.status != 201 {
        return Err(OrgError::RefusedBefore(stored.clone().into()));
    }
    let unit = serde_json::from_slice(&stored.body);
    let unit = unit.map_err(|error| StoreError::corrupt("stored response", error))?;
    Ok(Created { unit, replayed: true })
}

/// Whether everything that a unit with this content hangs on is there, which stays so under the lock.
pub(super) fn check_ends(tx: &mut dyn TenantTx, content: &OrgContent) -> Result<(), OrgError> {
    let ends: Vec<_> = content.parent().into_iter().chain(content.target()).collect();
    let found = tx.organisation().get(&ends)?;
    let is_missing = |id: &OrgId| !found.iter().any(|unit| unit.id == *id);
    let missing: Vec<_> = ends.iter().filter(|id| is_missing(id)).copied().collect();
    if missing.is_empty() { Ok(()) } else { Err(OrgError::Unknown(missing)) }
}
