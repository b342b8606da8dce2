//! `tenants suspend`, `resume`, `retry`, `delete` and `restore`.

use std::io::{BufRead as _, IsTerminal as _};

use chrono::TimeDelta;
use tenantry_domain::tenant::{Lifecycle, Tenant};
use tenantry_usecases::Platform;
use tenantry_usecases::tenants::{self, ChangeError, Target};

use super::settle::settle;
use super::{standing, tell, tenant};
use crate::cli::{ChangeTenant, DeleteTenant, WorkTenant};
use crate::compose::store_failure;
use crate::failure::Failure;

/// Refuses the tenant's calls.
pub(super) fn suspend(platform: &Platform, wish: &ChangeTenant) -> Result<(), Failure> {
    change(platform, wish, tenants::suspend)
}

/// Lets the tenant work again.
pub(super) fn resume(platform: &Platform, wish: &ChangeTenant) -> Result<(), Failure> {
    change(platform, wish, tenants::resume)
}

/// Takes a deletion back.
pub(super) fn restore(platform: &Platform, wish: &ChangeTenant) -> Result<(), Failure> {
    change(platform, wish, tenants::restore)
}

fn change(
    platform: &Platform,
    wish: &ChangeTenant,
    how: impl FnOnce(&Platform, Target) -> Result<Tenant, ChangeError>,
) -> Result<(), Failure> {
    let before = tenant(platform, &wish.tenant)?;
    let changed = how(platform, of(&before)).map_err(|error| refused(error, &before))?;
    tell(platform, &changed, wish.json)
}

/// Tries to provision the tenant again.
pub(super) fn retry(platform: &Platform, wish: &WorkTenant) -> Result<(), Failure> {
    let before = tenant(platform, &wish.change.tenant)?;
    let queued = tenants::retry(platform, of(&before)).map_err(|error| refused(error, &before))?;
    let tenant = if wish.no_wait { queued } else { settle(platform, queued.id)? };
    tell(platform, &tenant, wish.change.json)?;
    match &tenant.lifecycle {
        Lifecycle::Failed { .. } => {
            let next = format!(
                "see to the cause, then try again; `tenantry tenants show {}` has the history",
                tenant.id
            );
            Err(Failure::new("the tenant could not be provisioned this time either", next))
        }
        _ => Ok(()),
    }
}

/// Deletes the tenant, if that is really meant.
pub(super) fn delete(platform: &Platform, wish: &DeleteTenant) -> Result<(), Failure> {
    let WorkTenant { change, no_wait } = &wish.work;
    let before = tenant(platform, &change.tenant)?;
    if let Lifecycle::Deleted { .. } | Lifecycle::Expired { .. } = before.lifecycle {
        let what = format!("{} is {} already", before.slug, before.lifecycle.status());
        return Err(Failure::new(what, "nothing is left of it but its history"));
    }
    if !wish.yes {
        ask(&before, wish.immediately)?;
    }
    let grace = wish.immediately.then(TimeDelta::zero);
    let going =
        tenants::deprovision(platform, of(&before), grace).map_err(|error| refused(error, &before))?;
    let is_due =
        matches!(going.lifecycle, Lifecycle::Deprovisioning { since, drop_at, .. } if drop_at <= since);
    let tenant = if is_due && !no_wait { settle(platform, going.id)? } else { going };
    tell(platform, &tenant, change.json)?;
    if matches!(tenant.lifecycle, Lifecycle::Deprovisioning { begun: false, .. }) && !is_due {
        eprintln!("Until then `tenantry tenants restore {}` takes it back.", tenant.slug);
    }
    Ok(())
}

/// Has the slug typed, so that nobody deletes a tenant by mistake.
fn ask(tenant: &Tenant, immediately: bool) -> Result<(), Failure> {
    let slug = &tenant.slug;
    if !std::io::stdin().is_terminal() {
        let what = format!("deleting {slug} has to be confirmed, and there is no terminal to ask at");
        return Err(Failure::new(what, "say --yes if that is really meant"));
    }
    let end = if immediately { "at once, for ever" } else { "once the grace period is over" };
    eprintln!(
        "{} ({slug}) is {}. Its database {} is dropped {end}.",
        tenant.name,
        standing(tenant),
        tenant.database
    );
    eprint!("Type {slug} to delete it: ");
    let mut typed = String::new();
    match std::io::stdin().lock().read_line(&mut typed) {
        Ok(_) if typed.trim() == slug.as_str() => Ok(()),
        _ => Err(Failure::new("that is not its slug; nothing was deleted", "run it again if it is meant")),
    }
}

/// As it was when it was looked up: what somebody else did to it meanwhile was not meant.
fn of(tenant: &Tenant) -> Target<'static> {
    Target { tenant: tenant.id, version: Some(tenant.version), by: "cli" }
}

fn refused(error: ChangeError, tenant: &Tenant) -> Failure {
    let show = || format!("`tenantry tenants show {}` says where it stands", tenant.id);
    match error {
        ChangeError::Store(error) => store_failure(&error),
        ChangeError::Stale => Failure::new("somebody else changed the tenant at the same time", show()),
        ChangeError::NoSuchTenant => {
            Failure::new(error, "`tenantry tenants list` shows the tenants there are")
        }
        ChangeError::Refused(_) => Failure::new(format!("{}: {error}", tenant.slug), show()),
        ChangeError::SlugTaken(_) => {
            Failure::new(error, "delete that one first, or make this tenant anew under another slug")
        }
    }
}
