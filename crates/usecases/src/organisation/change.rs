use tenantry_domain::organisation::{OrgContent, OrgId, OrgUnit};
use tenantry_ports::{TenantScope, TenantTx};

use super::create::check_ends;
use super::{Dependents, OrgError};
use crate::{Platform, journal};

/// Which unit somebody wants to be otherwise.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its id.
    pub unit: OrgId,
    /// Who wants it.
    pub actor: String,
    /// The request it came with, for the event.
    pub trace: String,
}

/// Replaces what is set about a unit by other content of its kind, if `is_meant` says so of the version it has. It may come to
/// belong to another unit. Where nothing is different, nothing changes.
pub fn replace(
    platform: &Platform,
    scope: &TenantScope,
    wish: Change,
    content: OrgContent,
    is_meant: impl FnOnce(i64) -> bool,
) -> Result<OrgUnit, OrgError> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.write(|tx| {
        let head = tx.log().lock()?;
        let before = meant(tx, wish.unit, is_meant)?;
        if content.kind() != before.kind() {
            return Err(OrgError::NoSuchUnit);
        }
        let Some(after) = before.replaced(content, now) else { return Ok(before) };
        check_ends(tx, &after.content)?;
        tx.organisation()
            .update(std::slice::from_ref(&after))
            .map_err(|error| OrgError::of(error, &after))?;
        let event = journal::organisation::unit_updated(&before, &after, &wish.actor, wish.trace);
        journal::append(platform, scope, tx, head, vec![event], now)?;
        Ok(after)
    })
}

/// Deletes a unit on which nothing hangs, if `is_meant` says so of the version it has.
pub fn remove(
    platform: &Platform,
    scope: &TenantScope,
    wish: Change,
    is_meant: impl FnOnce(i64) -> bool,
) -> Result<(), OrgError> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.write(|tx| {
        let head = tx.log().lock()?;
        let unit = meant(tx, wish.unit, is_meant)?;
        let hanging = tx.organisation().hanging_on(unit.id)?;
        if !hanging.is_empty() {
            return Err(OrgError::InUse(Dependents::of(&hanging)));
        }
        tx.organisation().remove(unit.id)?;
        let event = journal::organisation::unit_deleted(&unit, &wish.actor, wish.trace);
        Ok(journal::append(platform, scope, tx, head, vec![event], now)?)
    })
}

fn meant(tx: &mut dyn TenantTx, id: OrgId, is_meant: impl FnOnce(i64) -> bool) -> Result<OrgUnit, OrgError> {
    let unit = tx.organisation().get(&[id])?.pop().ok_or(OrgError::NoSuchUnit)?;
    if is_meant(unit.version) { Ok(unit) } else { Err(OrgError::Stale { version: unit.version }) }
}
