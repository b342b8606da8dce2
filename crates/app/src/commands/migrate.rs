//! `migrate`: brings every database up to date.
//!
//! A server brings the control database up to date when it starts, and a new tenant's database is made up to date; this
//! is for the tenants there are already. It may be interrupted and repeated at any time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tenantry_domain::tenant::Slug;
use tenantry_ports::{
    ControlStore, DatabaseError, NotReady, StoreError, StoreResult, TenantFilter, TenantScope,
};
use tenantry_store_diesel::{DatabaseUrl, Stores};

use super::print;
use crate::cli::Migrate;
use crate::compose::{open_stores, store_failure};
use crate::failure::Failure;
use crate::settings::Settings;

/// Databases that are worked on at the same time.
const AT_ONCE: usize = 4;
const PAGE: usize = 200;

/// Migrates the control database, then the tenants'. One tenant's failure does not stop the others, but is a failure.
pub(crate) fn migrate(settings: &Settings, wish: &Migrate) -> Result<(), Failure> {
    if wish.dry_run && matches!(&settings.stores.url, DatabaseUrl::Sqlite(path) if !path.exists()) {
        return print("control database: would be made; there are no tenants yet\n");
    }
    let stores = open_stores(settings)?;
    if wish.dry_run {
        let lacking = stores.pending_control().map_err(|error| store_failure(&error))?;
        print(&format!("control database: {}\n", would(lacking)))?;
        if lacking > 0 {
            // This version can read the tenants only from a control database that is up to date.
            return print("tenants' databases: looked at when the control database is up to date\n");
        }
    } else {
        let ran = stores.migrate_control().map_err(|error| store_failure(&error))?;
        print(&format!("control database: {}\n", did(ran)))?;
    }
    let scopes = scopes(&stores.control(), wish.only.as_deref())?;
    let failed = each(&scopes, |number, scope| one(&stores, scope, wish.dry_run, number, scopes.len()));
    match failed {
        0 => Ok(()),
        _ => Err(Failure::new(
            format!("{failed} of {} tenants' databases could not be migrated", scopes.len()),
            "mend what is said above and run it again: what is done is not done twice",
        )),
    }
}

/// The databases to look at.
fn scopes(control: &Arc<dyn ControlStore>, only: Option<&str>) -> Result<Vec<TenantScope>, Failure> {
    let Some(text) = only else {
        return all(control).map_err(|error| store_failure(&error));
    };
    let unknown = || Failure::new(format!("there is no tenant '{text}'"), "give the slug of a tenant");
    let slug: Slug = text.parse().map_err(|_| unknown())?;
    let tenant =
        control.read(|tx| tx.tenants().holding(&slug)).map_err(|error: StoreError| store_failure(&error))?;
    let scope = TenantScope::maintenance(&tenant.ok_or_else(unknown)?);
    let scope = scope.map_err(|NotReady(status)| {
        let what = format!("tenant '{text}' is {status} and has no database to migrate");
        Failure::new(what, "wait until it is Active; its database is made up to date")
    })?;
    Ok(vec![scope])
}

fn all(control: &Arc<dyn ControlStore>) -> StoreResult<Vec<TenantScope>> {
    let (mut scopes, mut after) = (Vec::new(), None);
    loop {
        let page = control.read(|tx| tx.tenants().page(&TenantFilter::default(), after, PAGE))?;
        let Some(last) = page.last() else {
            return Ok(scopes);
        };
        after = Some((last.created_at, last.id));
        // Of the others the worker takes care.
        scopes.extend(page.iter().filter_map(|tenant| TenantScope::maintenance(tenant).ok()));
    }
}

/// Does something with each scope, several at a time, and counts the failures.
fn each(scopes: &[TenantScope], work: impl Fn(usize, &TenantScope) -> bool + Sync) -> usize {
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|threads| {
        for _ in 0..AT_ONCE.min(scopes.len()) {
            threads.spawn(|| {
                while let Some((number, scope)) = take(&next, scopes) {
                    if !work(number, scope) {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    failed.into_inner()
}

fn take<'a>(next: &AtomicUsize, scopes: &'a [TenantScope]) -> Option<(usize, &'a TenantScope)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    scopes.get(number).map(|scope| (number, scope))
}

/// Migrates one tenant's database and says what came of it; false if it failed.
fn one(stores: &Stores, scope: &TenantScope, dry_run: bool, number: usize, of: usize) -> bool {
    let outcome = if dry_run {
        stores.pending_tenant(scope).map(would)
    } else {
        stores.databases().migrate(scope).map(did)
    };
    let place = format!("[{}/{of}] {}", number + 1, scope.slug());
    match outcome {
        Ok(what) => print(&format!("{place}: {what}\n")).is_ok(),
        Err(DatabaseError { detail, .. }) => {
            eprintln!("{place}: failed: {}", detail.replace('\n', " "));
            false
        }
    }
}

fn did(migrations: usize) -> String {
    match migrations {
        0 => "up to date".to_owned(),
        1 => "1 migration done".to_owned(),
        many => format!("{many} migrations done"),
    }
}

fn would(migrations: usize) -> String {
    match migrations {
        0 => "up to date".to_owned(),
        1 => "1 migration to do".to_owned(),
        many => format!("{many} migrations to do"),
    }
}
