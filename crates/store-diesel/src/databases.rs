//! Making and unmaking tenants' databases.

mod cluster;
mod directory;
mod faults;
mod logins;
mod making;
mod owned;
mod postgres;
mod report;
mod rights;
mod scram;
mod server;
mod sqlite;
mod template;
mod upkeep;

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tenantry_ports::{DatabaseError, DatabaseFault, Permit, TenantScope};

pub(crate) use self::cluster::Clusters;
use self::faults::{Broken, migration_failed, unavailable};
pub(crate) use self::postgres::PostgresDatabases;
pub use self::report::{ClusterReport, DirectoryReport, ServerReport};
pub(crate) use self::server::{OLDEST as OLDEST_POSTGRES, version as postgres_version};
pub(crate) use self::sqlite::{SqliteDatabases, here};
use crate::connector::Source;
use crate::migrations::{self, Schema};
use crate::registry::Registry;

/// Whether it is still permitted; asked once nobody else can make or unmake the database.
fn permitted(permit: Permit<'_>) -> Result<(), Broken> {
    Ok(permit().map_err(unavailable)?)
}

/// Brings a tenant's database up to date, over a connection that serves it afterwards.
fn migrate(registry: &Arc<Registry>, scope: &TenantScope) -> Result<usize, DatabaseError> {
    let database = registry.database(scope).map_err(unavailable)?;
    let _turn = database.turn().map_err(unavailable)?;
    let mut connection = database.connection().map_err(unavailable)?;
    migrations::run(&mut connection.db, Schema::Tenant).map_err(|error| migration_failed(&*error))
}

/// Waits until a database's connections are closed, at most this long.
fn wait_until_gone(connections: &Weak<Source>, patience: Duration) -> Result<(), DatabaseError> {
    let begun = Instant::now();
    while connections.strong_count() > 0 {
        if begun.elapsed() >= patience {
            return Err(DatabaseError::new(DatabaseFault::Passing, "the database is still in use"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
