//! `migrate`: brings every database up to date.
//!
//! A server brings the control database up to date when it starts, and a new tenant's database is made up to date; this
//! is for the tenants there are already. It may be interrupted and repeated at any time.

mod report;

use std::io::IsTerminal as _;

use tenantry_store_diesel::{DatabaseUrl, Stores};
use tenantry_usecases::Platform;
use tenantry_usecases::fleet::{self, FleetError, Member, Order, Summary};

use self::report::{Drift, Report};
use crate::cli::Migrate;
use crate::compose::{self, store_failure};
use crate::failure::Failure;
use crate::settings::Settings;

/// Migrates the control database, then the tenants'. One tenant's failure does not stop the others, but is a failure.
pub(crate) fn migrate(settings: &Settings, wish: &Migrate) -> Result<(), Failure> {
    let for_people = std::io::stdout().is_terminal() && !wish.json;
    if wish.dry_run && matches!(&settings.stores.url, DatabaseUrl::Sqlite(path) if !path.exists()) {
        eprintln!("There is no control database yet, and so there are no tenants: it would be made.");
        return Ok(());
    }
    let installation = compose::assemble(settings)?;
    let (platform, stores) = (&*installation.platform, &*installation.stores);
    let report = Report::new(for_people, platform.databases.schema());
    if !control(stores, wish.dry_run, &report)? {
        // This version can read the tenants only from a control database that is up to date.
        eprintln!("Tenants' databases are looked at when the control database is up to date.");
        return Ok(());
    }
    let most = settings.stores.all_tenant_connections.max(1) as usize;
    let jobs = wish.jobs.get().min(most);
    if jobs < wish.jobs.get() {
        eprintln!("{jobs} at a time: tenant_databases.max_open_connections allows no more.");
    }
    let drift = drift(platform, wish, jobs, &report)?;
    if wish.dry_run {
        return dry_run(&drift, &report);
    }
    let canary = wish.canary.as_deref().filter(|_| !drift.is_empty());
    let canary = canary.map(|text| member(platform, text)).transpose()?;
    let members: Vec<_> = drift.into_iter().map(|drift| drift.member).collect();
    report.begin(members.len(), "migrating");
    let order = Order { canary, parallel: jobs };
    let summary = fleet::migrate(platform, members, &order, |done| report.done(&done));
    report.summary(&summary);
    verdict(&summary)
}

/// Sees to the control database; false if a dry run must not look further.
fn control(stores: &Stores, dry_run: bool, report: &Report) -> Result<bool, Failure> {
    if dry_run {
        let lacking = stores.pending_control().map_err(|error| store_failure(&error))?;
        report.control(true, lacking);
        return Ok(lacking == 0);
    }
    let ran = stores.migrate_control().map_err(|error| store_failure(&error))?;
    report.control(false, ran);
    Ok(true)
}

/// The databases to work on. One that was asked for is looked into, since what was noted of it is not what was asked.
fn drift(platform: &Platform, wish: &Migrate, jobs: usize, report: &Report) -> Result<Vec<Drift>, Failure> {
    if let Some(text) = &wish.only {
        let members = vec![member(platform, text)?];
        let mut drift = look(platform, members, 1, report);
        if wish.dry_run {
            drift.retain(|drift| !matches!(drift.lacking, Some(Ok(0))));
        }
        return Ok(drift);
    }
    if !wish.verify {
        let behind = fleet::behind(platform).map_err(|error| store_failure(&error))?;
        return Ok(behind.into_iter().map(|member| Drift { member, lacking: None }).collect());
    }
    let every = fleet::every(platform).map_err(|error| store_failure(&error))?;
    report.begin(every.len(), "looking");
    let mut drift = look(platform, every, jobs, report);
    let schema = platform.databases.schema();
    drift.retain(|drift| {
        !matches!(drift.lacking, Some(Ok(0))) || drift.member.schema.as_deref() != Some(schema)
    });
    Ok(drift)
}

fn look(platform: &Platform, members: Vec<Member>, jobs: usize, report: &Report) -> Vec<Drift> {
    let lacking = fleet::look(platform, &members, jobs, |_, _| report.looked());
    let drift = |(member, lacking): (_, Result<_, tenantry_ports::DatabaseError>)| Drift {
        member,
        lacking: Some(lacking.map_err(|error| error.detail)),
    };
    members.into_iter().zip(lacking).map(drift).collect()
}

fn dry_run(drift: &[Drift], report: &Report) -> Result<(), Failure> {
    drift.iter().for_each(|drift| report.drift(drift));
    report.found(drift.len());
    match drift.iter().filter(|drift| matches!(drift.lacking, Some(Err(_)))).count() {
        0 => Ok(()),
        unreadable => Err(Failure::new(
            format!("{unreadable} of the tenants' databases cannot be looked into"),
            "mend what is said above; `tenantry doctor` may know more",
        )),
    }
}

fn member(platform: &Platform, text: &str) -> Result<Member, Failure> {
    let unknown =
        || Failure::new(format!("there is no tenant '{text}'"), "give the slug or the id of a tenant");
    let reference = text.parse().map_err(|_| unknown())?;
    fleet::one(platform, &reference).map_err(|error| match error {
        FleetError::NoSuchTenant(_) => unknown(),
        FleetError::NotReady { .. } => {
            Failure::new(error, "wait until it is Active; its database is made up to date")
        }
        FleetError::Store(error) => store_failure(&error),
    })
}

fn verdict(summary: &Summary) -> Result<(), Failure> {
    let Summary { migrated, failed, held_back, .. } = *summary;
    if held_back > 0 {
        let what = format!("the canary failed, and so the other {held_back} databases were not begun");
        let next = "mend what is said above and run it again; if only that one database is broken, name another with --canary SLUG";
        return Err(Failure::new(what, next));
    }
    if failed > 0 {
        let of = migrated + failed;
        let what = format!("{failed} of {of} tenants' databases could not be migrated");
        let next = "mend what is said above and run it again: what is done is not done twice";
        return Err(Failure::new(what, next));
    }
    Ok(())
}
