//! Making and unmaking tenants' databases.

mod postgres;
mod server;
mod sqlite;
mod template;

use std::io;
use std::sync::Weak;
use std::time::{Duration, Instant};

use tenantry_ports::{DatabaseError, DatabaseFault, StoreError, TenantScope};

pub(crate) use self::postgres::PostgresDatabases;
pub(crate) use self::sqlite::SqliteDatabases;
use crate::connect::ConnectError;
use crate::connector::Source;
use crate::migrations::{self, Schema};
use crate::registry::Registry;

/// A [`DatabaseError`] that `?` makes from what the libraries report: what nobody foresaw counts as passing.
struct Broken(DatabaseError);

impl From<ConnectError> for Broken {
    fn from(error: ConnectError) -> Self {
        Self(DatabaseError::new(DatabaseFault::Passing, error))
    }
}

impl From<diesel::result::Error> for Broken {
    fn from(error: diesel::result::Error) -> Self {
        Self(DatabaseError::new(DatabaseFault::Passing, error))
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        let fault = match error.kind() {
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::Unsupported
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::InvalidFilename => DatabaseFault::Lasting,
            _ => DatabaseFault::Passing,
        };
        Self(DatabaseError::new(fault, error))
    }
}

impl From<Broken> for DatabaseError {
    fn from(broken: Broken) -> Self {
        broken.0
    }
}

impl From<DatabaseError> for Broken {
    fn from(error: DatabaseError) -> Self {
        Self(error)
    }
}

/// Brings a tenant's database up to date, over a connection that serves it afterwards.
fn migrate(registry: &Registry, scope: &TenantScope) -> Result<usize, DatabaseError> {
    let database = registry.database(scope).map_err(unavailable)?;
    let _turn = database.turn().map_err(unavailable)?;
    let mut connection = database.connection().map_err(unavailable)?;
    migrations::run(&mut connection.db, Schema::Tenant).map_err(|error| migration_failed(&*error))
}

/// How many migrations a tenant's database lacks.
pub(crate) fn pending_migrations(registry: &Registry, scope: &TenantScope) -> Result<usize, DatabaseError> {
    let database = registry.database(scope).map_err(unavailable)?;
    let mut connection = database.connection().map_err(unavailable)?;
    migrations::pending(&mut connection.db, Schema::Tenant).map_err(|error| migration_failed(&*error))
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

fn unavailable(error: StoreError) -> DatabaseError {
    DatabaseError::new(DatabaseFault::Passing, error)
}

/// A migration that fails because the database is busy may pass; one that is wrong will not.
fn migration_failed(error: &(dyn std::error::Error + 'static)) -> DatabaseError {
    let passing = match error.downcast_ref::<diesel::result::Error>() {
        Some(error) => crate::error::is_passing(error),
        None => crate::error::is_passing_text(&error.to_string()),
    };
    let fault = if passing { DatabaseFault::Passing } else { DatabaseFault::Lasting };
    DatabaseError::new(fault, format!("a migration failed: {error}"))
}
