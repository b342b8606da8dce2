//! Requests that are not a tenant's: their answers are kept in the control database.

use chrono::{DateTime, Utc};
use tenantry_ports::{Constraint, ControlTx, IdempotencyKey, StoreError, StoreResult};

use super::{Answer, Once};
use crate::{Platform, Record, recorded};

/// How often a request is looked at anew when somebody else answers the same one meanwhile.
const ATTEMPTS: usize = 3;
/// Most outdated answers that one request clears away: more than the one it adds.
const CLEARED: usize = 64;

/// Does what a request asks for in the control database, unless it was answered before.
///
/// `act` answers with what it did and how that is kept, in the same transaction; it may be called again, after nothing
/// was kept. Of two who come at once one finds in the way what the other did, and then its answer. `refused` writes the
/// answer to a refusal that is for good.
pub(crate) fn once_on_platform<T, E: From<StoreError>>(
    platform: &Platform,
    key: &IdempotencyKey,
    by: Option<&str>,
    now: DateTime<Utc>,
    mut act: impl FnMut(&mut dyn ControlTx, &mut Record) -> Result<(T, Answer), E>,
    refused: impl Fn(&E) -> Option<Answer>,
) -> Result<Once<T>, E> {
    for _ in 0..ATTEMPTS {
        let mut answered = false;
        let outcome = recorded::<_, E>(platform, by, |tx, record| {
            if let Some(before) = find(platform, tx, key, now)? {
                return Ok(before);
            }
            let (done, answer) = act(tx, record)?;
            keep(platform, tx, key, &answer, now).inspect_err(|error| answered = is_taken(error))?;
            Ok(Once::Done(done))
        });
        let refusal = match outcome {
            Ok(once) => return Ok(once),
            Err(_) if answered => continue,
            Err(refusal) => refusal,
        };
        // Nothing of it is left. What stood in the way may be what the same request did a moment ago.
        let Some(answer) = refused(&refusal) else { return Err(refusal) };
        match platform.control.write(|tx| keep(platform, tx, key, &answer, now)) {
            Ok(()) => return Ok(Once::Refused(answer)),
            Err(error) if is_taken(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Stale.into())
}

fn is_taken(error: &StoreError) -> bool {
    matches!(error, StoreError::Conflict(Constraint::IdempotencyKey))
}

fn find<T>(
    platform: &Platform,
    tx: &mut dyn ControlTx,
    key: &IdempotencyKey,
    now: DateTime<Utc>,
) -> StoreResult<Option<Once<T>>> {
    let since = now - platform.policy.idempotency_retention;
    let before = tx.idempotency().find(&[&key.scope], since)?.pop();
    Ok(before.map(|before| Once::found(before, key)))
}

fn keep(
    platform: &Platform,
    tx: &mut dyn ControlTx,
    key: &IdempotencyKey,
    answer: &Answer,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let since = now - platform.policy.idempotency_retention;
    tx.idempotency().insert(&[answer.kept(key.clone(), now)], since)?;
    tx.idempotency().forget(since, CLEARED)
}
