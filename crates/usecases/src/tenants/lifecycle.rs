//! What an operator does with a tenant: suspend, resume, retry, deprovision, restore.

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{InvalidTransition, Lifecycle, Run, Slug, Status, Tenant};
use tenantry_ports::{Constraint, ControlTx, StoreError, StoreResult};

use crate::notices::{self, Happening};
use crate::{Platform, Record, recorded};

/// Why a tenant's state was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such tenant.
    #[error("there is no such tenant")]
    NoSuchTenant,
    /// It is not the version the caller meant.
    #[error("the tenant has changed since")]
    Stale,
    /// Its state does not allow this.
    #[error(transparent)]
    Refused(#[from] InvalidTransition),
    /// Another tenant has its slug by now.
    #[error("a tenant with slug '{0}' already exists")]
    SlugTaken(Slug),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for ChangeError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale => Self::Stale,
            other => Self::Store(other),
        }
    }
}

/// Which tenant to change, and who does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// Whose state.
    pub tenant: TenantId,
    /// The version it has to have; any, if none.
    pub version: Option<i64>,
    /// Who does it.
    pub by: &'a str,
}

/// Refuses the tenant's calls from now on. Its data stays.
pub fn suspend(platform: &Platform, target: Target<'_>) -> Result<Tenant, ChangeError> {
    change(platform, target, |_, tenant, now| Ok(tenant.lifecycle.clone().suspend(now)?))
}

/// Lets a suspended tenant work again.
pub fn resume(platform: &Platform, target: Target<'_>) -> Result<Tenant, ChangeError> {
    change(platform, target, |_, tenant, now| Ok(tenant.lifecycle.clone().resume(now)?))
}

/// Has the provisioning of a failed tenant tried again, from the beginning, with the admin that was ordered.
pub fn retry(platform: &Platform, target: Target<'_>) -> Result<Tenant, ChangeError> {
    let retried = change(platform, target, |tx, tenant, now| {
        let queued = tenant.lifecycle.clone().retry(now)?;
        let admin = tx.runs().take_admin(tenant.id)?;
        let number = next_run(tx, tenant.id)?;
        let run = Run::announced(tenant.id, number, admin.is_some(), "Provisioning is tried again", now);
        tx.runs().insert(&run, admin.as_ref())?;
        tx.runs().enqueue(tenant.id, number, now)?;
        Ok(queued)
    })?;
    platform.nudge.runs_are_due();
    Ok(retried)
}

/// Has the tenant's database dropped once a grace period is over: the policy's, or this one. A failed tenant, whose
/// database was undone already, has nothing to be given time for; one that waits for its end may be given less.
pub fn deprovision(
    platform: &Platform,
    target: Target<'_>,
    grace: Option<TimeDelta>,
) -> Result<Tenant, ChangeError> {
    let sooner = |drop_at: DateTime<Utc>, now| grace.is_some_and(|grace| now + grace < drop_at);
    let gone = change(platform, target, |tx, tenant, now| {
        let grace = match tenant.lifecycle {
            Lifecycle::Failed { .. } => TimeDelta::zero(),
            _ => grace.unwrap_or(platform.policy.deprovision_grace),
        };
        let mut number = next_run(tx, tenant.id)?;
        let state = match &tenant.lifecycle {
            Lifecycle::Deprovisioning { drop_at, .. } if sooner(*drop_at, now) => {
                // The run that waits for the end is there; it only has to come up earlier.
                number -= 1;
                tenant.lifecycle.clone().restore(now)?
            }
            other => {
                tx.runs().insert(&Run::deprovisioning(tenant.id, number), None)?;
                other.clone()
            }
        };
        let going = state.deprovision(grace, now)?;
        if let Lifecycle::Deprovisioning { drop_at, .. } = going {
            tx.runs().enqueue(tenant.id, number, drop_at)?;
        }
        Ok(going)
    })?;
    platform.nudge.runs_are_due();
    Ok(gone)
}

/// Takes a deprovisioning back, as long as nobody has begun to drop the database.
pub fn restore(platform: &Platform, target: Target<'_>) -> Result<Tenant, ChangeError> {
    change(platform, target, |tx, tenant, now| {
        let back = tenant.lifecycle.clone().restore(now)?;
        let number = next_run(tx, tenant.id)?.saturating_sub(1);
        tx.runs().cancel(tenant.id, number)?;
        Ok(back)
    })
}

/// Moves a tenant to the state that `next` finds, together with what `next` writes.
fn change(
    platform: &Platform,
    target: Target<'_>,
    next: impl FnOnce(&mut dyn ControlTx, &Tenant, DateTime<Utc>) -> Result<Lifecycle, ChangeError>,
) -> Result<Tenant, ChangeError> {
    let now = platform.clock.now();
    let changed = recorded(platform, Some(target.by), |tx, record| {
        let mut tenant = tx.tenants().get(target.tenant)?.ok_or(ChangeError::NoSuchTenant)?;
        if target.version.is_some_and(|version| version != tenant.version) {
            return Err(ChangeError::Stale);
        }
        let before = tenant.lifecycle.status();
        let lifecycle = next(tx, &tenant, now)?;
        tenant.enter(lifecycle, now);
        tx.tenants().update(&tenant).map_err(|error| match error {
            StoreError::Conflict(Constraint::TenantSlug) => ChangeError::SlugTaken(tenant.slug.clone()),
            other => other.into(),
        })?;
        let after = tenant.lifecycle.status();
        // A deletion that is ordered once more comes earlier.
        let ordered = (after == Status::Deprovisioning).then_some(Happening::DeletionQueued);
        if let Some(what) = Happening::between(before, after).or(ordered) {
            notices::announce(platform, tx, record, &tenant, &[what], now)?;
        }
        Ok(tenant)
    })?;
    platform.nudge.tenant_changed(changed.id);
    platform.nudge.notices_are_due();
    tracing::info!("Tenant {} ({}) is {}", changed.id, changed.slug, changed.lifecycle.status());
    Ok(changed)
}

fn next_run(tx: &mut dyn ControlTx, tenant: TenantId) -> StoreResult<u32> {
    Ok(tx.runs().of_tenant(tenant)?.last().map_or(0, |run| run.number) + 1)
}

/// At most this many at a time.
const OVERDUE: usize = 100;

/// Lets go of tenants that were never confirmed, which frees their slugs; returns how many. There may be more.
pub fn expire(platform: &Platform) -> StoreResult<usize> {
    let now = platform.clock.now();
    let overdue = platform.control.read(|tx| tx.tenants().overdue(now, OVERDUE))?;
    let mut expired = 0;
    for tenant in overdue {
        let id = tenant.id;
        match recorded(platform, None, |tx, record| let_go(platform, tx, record, tenant, now)) {
            Ok(true) => {
                platform.nudge.tenant_changed(id);
                platform.nudge.notices_are_due();
                expired += 1;
            }
            // Somebody else let go of it first.
            Ok(false) | Err(StoreError::Stale) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(expired)
}

/// Lets go of a tenant that can no longer be confirmed, and calls off the run that waited for that; false if it still can,
/// or was.
pub(super) fn let_go(
    platform: &Platform,
    tx: &mut dyn ControlTx,
    record: &mut Record,
    mut tenant: Tenant,
    now: DateTime<Utc>,
) -> StoreResult<bool> {
    let Ok(expired) = tenant.lifecycle.clone().expire(now) else { return Ok(false) };
    tenant.enter(expired, now);
    tx.tenants().update(&tenant)?;
    // It has no other: further ones come with retries and deprovisionings.
    tx.runs().cancel(tenant.id, 1)?;
    notices::announce(platform, tx, record, &tenant, &[Happening::Expired], now)?;
    Ok(true)
}
