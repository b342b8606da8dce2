use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::account::engine::{AccountEvent, apply_to, time_acts_next};
use tenantry_domain::account::{Account, AccountStatus};
use tenantry_domain::id::TenantId;
use tenantry_domain::timestamp;
use tenantry_ports::{StoreError, StoreResult, TenantScope, TenantTx};

use super::plan::plan;
use crate::accounts::{Hand, config_of};
use crate::journal::{self, Traced};
use crate::{Platform, transfer};

/// How many accounts are changed in one transaction.
const SLICE: usize = 500;
/// How long nobody else looks at a tenant that somebody looks at. Should they, nothing is done twice.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// When a tenant is looked at again that could not be.
const AGAIN: TimeDelta = TimeDelta::minutes(1);
/// When a tenant is looked at again that nobody may, at present.
const LATER: TimeDelta = TimeDelta::hours(1);

/// What time alone did to accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rolled {
    /// How many accounts it did something to.
    pub accounts: usize,
    /// How many of them trade again after a pause.
    pub resumed: usize,
    /// How many of them have run out of time.
    pub expired: usize,
}

impl Rolled {
    fn plus(self, other: Self) -> Self {
        Self {
            accounts: self.accounts + other.accounts,
            resumed: self.resumed + other.resumed,
            expired: self.expired + other.expired,
        }
    }
}

/// Looks at the tenant whose accounts are longest due, and does to them what time has done. None where nothing is due.
///
/// A process that dies at it leaves what it has not committed to who looks when the lease is over; two at the same time find
/// different accounts due, since whoever moves one on has locked the tenant's log and says when it is due next.
pub fn roll_once(platform: &Platform, worker: &str) -> StoreResult<Option<Rolled>> {
    let now = platform.clock.now();
    let Some(look) = platform.control.write(|tx| tx.days().claim(worker, now, LEASE))? else {
        return Ok(None);
    };
    let (rolled, next) = match looked_at(platform, look.tenant, now) {
        Ok(found) => found,
        Err(error) => {
            tracing::error!("Days of tenant {} cannot begin: {error}", look.tenant);
            (Rolled::default(), Some(now + AGAIN))
        }
    };
    match platform.control.write(|tx| tx.days().settle(&look, next)) {
        // Somebody else has looked meanwhile, and says when to look next.
        Ok(()) | Err(StoreError::Stale) => Ok(Some(rolled)),
        Err(error) => Err(error),
    }
}

/// What time did to the tenant's accounts, and when to look at them again.
fn looked_at(
    platform: &Platform,
    tenant: TenantId,
    now: DateTime<Utc>,
) -> StoreResult<(Rolled, Option<DateTime<Utc>>)> {
    let found = platform.control.read(|tx| tx.tenants().get(tenant))?;
    let Some(tenant) = found.filter(|tenant| tenant.lifecycle.holds_slug()) else {
        return Ok((Rolled::default(), None));
    };
    let scope = match TenantScope::maintenance(&tenant) {
        // One that is being imported is not touched before it is complete.
        Ok(scope) if !transfer::waits(&tenant) => scope,
        _ => return Ok((Rolled::default(), Some(now + LATER))),
    };
    let mut rolled = Rolled::default();
    loop {
        let slice = roll(platform, &scope, now)?;
        rolled = rolled.plus(slice.rolled);
        if slice.next.is_none_or(|next| next > now) {
            return Ok((rolled, slice.next));
        }
    }
}

struct Slice {
    rolled: Rolled,
    next: Option<DateTime<Utc>>,
}

/// Does to some of the accounts that are due what time has done to them.
fn roll(platform: &Platform, scope: &TenantScope, now: DateTime<Utc>) -> StoreResult<Slice> {
    let hand = Hand { actor: "tenantry".to_owned(), trace: "days".to_owned() };
    platform.stores.open(scope)?.write(|tx| {
        // First in line, then looking around: what is due now, nobody else moves on.
        let head = tx.log().lock()?;
        let mut accounts = tx.accounts().to_roll(now, SLICE)?;
        let (mut rolled, mut events) = (Rolled::default(), Vec::new());
        for account in &mut accounts {
            let before = account.state.status;
            let moved = pass_time(platform, tx, account, &hand, &mut events, now)?;
            let after = account.state.status;
            let paused = before == AccountStatus::Paused && after != AccountStatus::Paused;
            rolled = rolled.plus(Rolled {
                accounts: usize::from(moved),
                resumed: usize::from(paused && !after.is_final()),
                expired: usize::from(after == AccountStatus::Expired),
            });
            account.version += 1;
            account.updated_at = timestamp::whole_millis(now);
        }
        tx.accounts().update(&accounts)?;
        if rolled.accounts > 0 {
            events.insert(0, journal::accounts::days_rolled(now, rolled, &hand));
            journal::append(platform, scope, tx, head, events, now)?;
        }
        Ok(Slice { rolled, next: tx.accounts().next_roll()? })
    })
}

/// Does to an account what time has done to it until now, one moment after the other, and says whether that was anything.
fn pass_time(
    platform: &Platform,
    tx: &mut dyn TenantTx,
    account: &mut Account,
    hand: &Hand,
    events: &mut Vec<Traced>,
    now: DateTime<Utc>,
) -> StoreResult<bool> {
    let config = match config_of(platform, tx, account) {
        Err(error @ StoreError::Corrupt { .. }) => {
            // It would be so at the next look, too, and stand in the others' way.
            tracing::error!("Days of account {} do not begin any more: {error}", account.id);
            account.rolls_at = None;
            return Ok(false);
        }
        config => config?,
    };
    let rules = platform.configs.rules(&account.config_hash, &config);
    let grace = platform.policy.day_grace;
    let mut moved = false;
    while let Some(due) = time_acts_next(&rules, &account.state).filter(|due| *due + grace <= now) {
        let event = AccountEvent::DayRolled { at: due.max(account.state.as_of) };
        let outcome = apply_to(&rules, &mut account.state, &event);
        let (id, version) = (account.id, account.config_version);
        let told = outcome.emitted.iter();
        events.extend(told.map(|emission| journal::accounts::emitted(id, version, emission, &event, hand)));
        if !outcome.changed {
            break;
        }
        moved = true;
    }
    account.rolls_at = plan(&rules, &account.state, grace, now);
    Ok(moved)
}
