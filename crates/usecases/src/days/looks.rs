use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::account::Account;
use tenantry_domain::account::engine::Rulebook;
use tenantry_domain::id::TenantId;
use tenantry_ports::{StoreError, StoreResult, TenantScope, TenantTx};

use super::plan::plan;
use crate::Platform;

/// How long before it is due a look is relied on: the transaction that does so ends in this time, and no other process'
/// clock is ahead by more.
const MARGIN: TimeDelta = TimeDelta::minutes(1);
/// How often a unit of work is begun again because it took so long that what was noted for it can no longer be relied on.
const ATTEMPTS: usize = 3;

/// The looks that this process has noted and that nobody has begun yet.
#[derive(Debug, Default)]
pub struct NotedLooks(Mutex<HashMap<TenantId, BTreeSet<DateTime<Utc>>>>);

impl NotedLooks {
    /// Whether the tenant will be looked at when this is due, whatever is committed until then.
    fn cover(&self, tenant: TenantId, due: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = noted.get(&tenant).and_then(|looks| looks.range(now + MARGIN..).next().copied());
        first.is_some_and(|look| look <= reliable(due, now))
    }

    fn add(&self, tenant: TenantId, look: DateTime<Utc>, now: DateTime<Utc>) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let looks = noted.entry(tenant).or_default();
        *looks = looks.split_off(&now);
        looks.insert(look);
    }
}

/// When to look for what is due then, so that it can be relied on for a while: a little later, if that is very soon.
fn reliable(due: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    due.max(now + MARGIN * 2)
}

/// When the accounts that a unit of work changes are to be looked at.
#[derive(Debug, Default)]
pub(crate) struct Looks(Option<DateTime<Utc>>);

impl Looks {
    /// Says when to look at an account that has just been changed under these rules.
    pub(crate) fn plan(
        &mut self,
        platform: &Platform,
        account: &mut Account,
        rules: &Rulebook,
        now: DateTime<Utc>,
    ) {
        account.rolls_at = plan(rules, &account.state, platform.policy.day_grace, now);
        let first = [self.0, account.rolls_at].into_iter().flatten().min();
        self.0 = first;
    }
}

/// Why a unit of work was undone.
enum Undone<E> {
    /// It failed.
    Failed(E),
    /// Nobody would look at its accounts in time.
    Unnoted(DateTime<Utc>),
}

impl<E: From<StoreError>> From<StoreError> for Undone<E> {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// One unit of work that may change accounts: commits on `Ok`, and only when it is noted that the tenant is to be looked at
/// when time has done something to any of them. Where that has to be noted first, the work is undone and done again: at most
/// once a day for a tenant, as a rule.
pub(crate) fn write<T, E: From<StoreError>>(
    platform: &Platform,
    scope: &TenantScope,
    mut body: impl FnMut(&mut dyn TenantTx, &mut Looks) -> Result<T, E>,
) -> Result<T, E> {
    let store = platform.stores.open(scope)?;
    for _ in 0..ATTEMPTS {
        let outcome = store.write(|tx| {
            let mut looks = Looks::default();
            let value = body(tx, &mut looks).map_err(Undone::Failed)?;
            match looks.0 {
                Some(due) if !platform.looks.cover(scope.tenant(), due, platform.clock.now()) => {
                    Err(Undone::Unnoted(due))
                }
                _ => Ok(value),
            }
        });
        match outcome {
            Ok(value) => return Ok(value),
            Err(Undone::Failed(error)) => return Err(error),
            Err(Undone::Unnoted(due)) => note(platform, scope.tenant(), due)?,
        }
    }
    Err(StoreError::Unavailable("changing accounts took minutes".to_owned()).into())
}

fn note(platform: &Platform, tenant: TenantId, due: DateTime<Utc>) -> StoreResult<()> {
    let now = platform.clock.now();
    let look = reliable(due, now);
    platform.control.write(|tx| tx.days().note(tenant, look))?;
    platform.looks.add(tenant, look, now);
    Ok(())
}

/// Notes when to look at the accounts that a tenant has taken over.
pub(crate) fn after_import(platform: &Platform, scope: &TenantScope) -> StoreResult<()> {
    let due = platform.stores.open(scope)?.read(|tx| tx.accounts().next_roll())?;
    due.map_or(Ok(()), |due| note(platform, scope.tenant(), due))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_covers_what_is_due_later_until_shortly_before_it() {
        let (looks, tenant) = (NotedLooks::default(), TenantId::new(uuid::Uuid::from_u128(1)));
        let at = |minutes: i64| DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes);
        assert!(!looks.cover(tenant, at(100), at(0)));
        looks.add(tenant, at(90), at(0));
        assert!(looks.cover(tenant, at(100), at(0)) && looks.cover(tenant, at(90), at(89)));
        assert!(!looks.cover(tenant, at(89), at(0)), "that would be late");
        assert!(!looks.cover(tenant, at(100), at(90)), "somebody may have looked by now");
        assert!(looks.cover(tenant, at(80), at(88)), "soon is early enough for what is late anyway");
        assert!(!looks.cover(TenantId::new(uuid::Uuid::from_u128(2)), at(100), at(0)));
        looks.add(tenant, at(200), at(91));
        assert!(looks.cover(tenant, at(200), at(100)) && !looks.cover(tenant, at(199), at(100)));
        assert_eq!(looks.0.lock().unwrap()[&tenant].len(), 1, "what is over is forgotten");
    }
}
