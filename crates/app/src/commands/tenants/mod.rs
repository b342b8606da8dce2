//! `tenants`: what an operator does with tenants, where the databases are.

mod change;
mod create;
mod export;
mod import;
mod settle;
mod show;

use tenantry_domain::tenant::{Lifecycle, Slug, Tenant};
use tenantry_ports::{StoreResult, TenantFilter};
use tenantry_usecases::Platform;
use tenantry_usecases::tenants::{self, TenantRef, find};

use super::table::time;
use super::{print, print_json};
use crate::cli::Tenants;
use crate::compose::{self, store_failure};
use crate::failure::Failure;
use crate::settings::Settings;

/// Does what the command line says.
pub(crate) fn run(settings: &Settings, wish: Tenants) -> Result<(), Failure> {
    let installation = compose::open(settings)?;
    let platform = &*installation.platform;
    match wish {
        Tenants::List(wish) => show::list(platform, &wish),
        Tenants::Show(wish) => show::show(platform, &wish),
        Tenants::Create(wish) => create::create(platform, wish),
        Tenants::Suspend(wish) => change::suspend(platform, &wish),
        Tenants::Resume(wish) => change::resume(platform, &wish),
        Tenants::Retry(wish) => change::retry(platform, &wish),
        Tenants::Delete(wish) => change::delete(platform, &wish),
        Tenants::Restore(wish) => change::restore(platform, &wish),
        Tenants::Export(wish) => export::export(platform, &wish),
        Tenants::Import(wish) => import::import(platform, wish),
    }
}

/// The tenant somebody means: by id; or by slug, the one that holds it, or else the latest that had it.
fn tenant(platform: &Platform, text: &str) -> Result<Tenant, Failure> {
    let unknown = || {
        let what = format!("there is no tenant '{text}'");
        Failure::new(what, "give the slug or the id of a tenant, as `tenantry tenants list` shows them")
    };
    let reference: TenantRef = text.parse().map_err(|_| unknown())?;
    let found = find(platform, &reference).and_then(|found| match (found, &reference) {
        (None, TenantRef::Slug(slug)) => latest(platform, slug),
        (found, _) => Ok(found),
    });
    found.map_err(|error| store_failure(&error))?.ok_or_else(unknown)
}

/// The newest tenant that had this slug.
fn latest(platform: &Platform, slug: &Slug) -> StoreResult<Option<Tenant>> {
    let mut found = None;
    each(platform, slug_filter(slug), |tenant| {
        let is_it = tenant.slug == *slug;
        found = is_it.then_some(tenant);
        !is_it
    })?;
    Ok(found)
}

fn slug_filter(slug: &Slug) -> TenantFilter {
    TenantFilter { text: Some(slug.to_string()), ..TenantFilter::default() }
}

/// Hands over every tenant that passes the filter, newest first, until that says it has seen enough.
fn each(platform: &Platform, filter: TenantFilter, mut see: impl FnMut(Tenant) -> bool) -> StoreResult<()> {
    const PAGE: usize = 200;
    let mut after = None;
    loop {
        let page = tenants::list(platform, &filter, after, PAGE)?;
        let is_last = page.len() < PAGE;
        after = page.last().map(|tenant| (tenant.created_at, tenant.id));
        for tenant in page {
            if !see(tenant) {
                return Ok(());
            }
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Prints the tenant as it is now: the sentence to people, everything to programs.
fn tell(platform: &Platform, tenant: &Tenant, json: bool) -> Result<(), Failure> {
    if json {
        return print_json(&as_json(platform, tenant)?);
    }
    print(&format!("{} is {}\n", tenant.slug, standing(tenant)))
}

/// As the API shows it.
fn as_json(platform: &Platform, tenant: &Tenant) -> Result<serde_json::Value, Failure> {
    let progress = tenants::progress(platform, tenant.id).map_err(|error| store_failure(&error))?;
    let gone = || Failure::new("the tenant is no longer there", "run the command again");
    Ok(tenantry_http_actix::tenant(progress.ok_or_else(gone)?))
}

/// Where the tenant stands, in words.
fn standing(tenant: &Tenant) -> String {
    let status = tenant.lifecycle.status();
    match &tenant.lifecycle {
        Lifecycle::PendingValidation { expires_at, .. } => {
            format!("{status}: it can be confirmed until {}", time(*expires_at))
        }
        Lifecycle::Failed { reason, needs_attention: false, .. } => format!("{status}: {reason}"),
        Lifecycle::Failed { reason, needs_attention: true, .. } => {
            format!("{status}, and something may be left of it: {reason}")
        }
        Lifecycle::Deprovisioning { begun: false, drop_at, .. } => {
            format!("{status}: its database is dropped after {}", time(*drop_at))
        }
        Lifecycle::Deprovisioning { .. } => format!("{status}: its database is being dropped"),
        _ => status.to_string(),
    }
}
