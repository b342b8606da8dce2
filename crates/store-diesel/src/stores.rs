use std::fs::DirBuilder;
use std::io;
use std::path::Path;
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use tenantry_ports::{
    ControlStore, DatabaseError, StoreError, StoreResult, TenantDatabases, TenantScope, TenantStores,
};

use crate::ceiling::Ceiling;
use crate::connect::{Target, connect_sqlite};
use crate::connector::Connector;
use crate::control::Control;
use crate::databases::{PostgresDatabases, SqliteDatabases, pending_migrations};
use crate::migrations::{self, Schema};
use crate::pool::{Database, Shared};
use crate::registry::{OpenTenants, Registry};
use crate::url::{PostgresUrl, sqlite_uri};
use crate::{DatabaseUrl, StoreSettings};

/// The oldest SQLite that does not damage a database with several connections (the WAL-reset bug).
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);
/// The oldest PostgreSQL that can create a database without waiting for a checkpoint (`STRATEGY WAL_LOG`).
const OLDEST_POSTGRES: i32 = 150_000;

/// Why the databases could not be opened. Names no password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The control database is not there, or does not let us in.
    #[error(
        "cannot connect to the control database {database:?}: {reason}; if it does not exist yet, create it: createdb '{database}'"
    )]
    Connect {
        /// Its name.
        database: String,
        /// What the client library says.
        reason: String,
    },
    /// The control database's file cannot be used.
    #[error("cannot open the control database: {0}")]
    File(String),
    /// Too old to be relied on.
    #[error("{database} {found} is too old: {needed} or newer is needed")]
    TooOld {
        /// SQLite or PostgreSQL.
        database: &'static str,
        /// Its version.
        found: String,
        /// The oldest that will do.
        needed: &'static str,
    },
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All databases of the product, open.
pub struct Stores {
    control: Arc<Database>,
    registry: Arc<Registry>,
    databases: Arc<dyn TenantDatabases>,
    postgres: Option<Arc<PostgresDatabases>>,
}

impl Stores {
    /// Connects to the control database and checks that it can be relied on. A SQLite file is made, with its
    /// directory, if it is not there; a PostgreSQL database has to exist.
    ///
    /// Its schema is another matter: see [`migrate_control`](Self::migrate_control).
    pub fn open(settings: &StoreSettings) -> Result<Self, OpenError> {
        let shared = Shared::new(settings.clone());
        match &settings.url {
            DatabaseUrl::Sqlite(path) => Self::open_sqlite(path, &shared),
            DatabaseUrl::Postgres(url) => Self::open_postgres(url, &shared),
        }
    }

    fn open_sqlite(path: &Path, shared: &Shared) -> Result<Self, OpenError> {
        let unusable = |error: &dyn std::fmt::Display| OpenError::File(error.to_string());
        if let Some(directory) = path.parent() {
            make_directory(directory).map_err(|error| unusable(&error))?;
        }
        let settings = &shared.settings;
        let directory = settings.data_dir.join("tenants");
        make_directory(&directory).map_err(|error| unusable(&error))?;
        let mut sqlite = connect_sqlite(&sqlite_uri(path, "rwc"), settings.lock_timeout)
            .map_err(|error| unusable(&error))?;
        let version = sqlite_version(&mut sqlite).map_err(|error| unusable(&error))?;
        if parse_version(&version) < Some(OLDEST_SQLITE) {
            return Err(OpenError::TooOld { database: "SQLite", found: version, needed: "3.51.3" });
        }
        let target = Target::sqlite(path.to_owned(), settings);
        let control = Arc::new(open_control(target, shared));
        let files = directory.clone();
        let located = Arc::clone(settings);
        let registry = Registry::new(shared.clone(), move |scope| {
            Target::sqlite(files.join(format!("{}.db", scope.database())), &located)
        });
        let databases = Arc::new(SqliteDatabases::new(directory, Arc::clone(&registry), shared));
        Ok(Self { control, registry, databases, postgres: None })
    }

    fn open_postgres(url: &PostgresUrl, shared: &Shared) -> Result<Self, OpenError> {
        let settings = &shared.settings;
        let target = Target::postgres(url.clone(), settings);
        let mut postgres = target.connect_postgres().map_err(|error| OpenError::Connect {
            database: url.database().to_owned(),
            reason: error.to_string(),
        })?;
        let version = postgres_version(&mut postgres).map_err(crate::error::store_error)?;
        if version < OLDEST_POSTGRES {
            let found = (version / 10_000).to_string();
            return Err(OpenError::TooOld { database: "PostgreSQL", found, needed: "15" });
        }
        let control = Arc::new(open_control(target, shared));
        let (located, server) = (Arc::clone(settings), url.clone());
        let registry = Registry::new(shared.clone(), move |scope| {
            Target::postgres(server.with_database(scope.database().as_str()), &located)
        });
        let databases = Arc::new(PostgresDatabases::new(
            url.clone(),
            Arc::clone(&control),
            Arc::clone(&registry),
            shared,
        ));
        let postgres = Some(Arc::clone(&databases));
        Ok(Self { control, registry, databases, postgres })
    }

    /// The control database.
    pub fn control(&self) -> Arc<dyn ControlStore> {
        Arc::new(Control(Arc::clone(&self.control)))
    }

    /// The tenants' databases, for working with them.
    pub fn tenants(&self) -> Arc<dyn TenantStores> {
        Arc::new(OpenTenants(Arc::clone(&self.registry)))
    }

    /// The tenants' databases, for making and unmaking them.
    pub fn databases(&self) -> Arc<dyn TenantDatabases> {
        Arc::clone(&self.databases)
    }

    /// Brings the control database's schema up to date, and says how many migrations that took. Replicas that start
    /// together may all call this; one does it, the others wait.
    pub fn migrate_control(&self) -> StoreResult<usize> {
        let _turn = self.control.turn()?;
        let mut connection = self.control.connection()?;
        migrations::run(&mut connection.db, Schema::Control).map_err(StoreError::Failed)
    }

    /// How many migrations the control database lacks.
    pub fn pending_control(&self) -> StoreResult<usize> {
        let mut connection = self.control.connection()?;
        migrations::pending(&mut connection.db, Schema::Control).map_err(StoreError::Failed)
    }

    /// How many migrations a tenant's database lacks; `databases().migrate(scope)` runs them.
    pub fn pending_tenant(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        pending_migrations(&self.registry, scope)
    }

    /// Prepares the database that new tenants' are copied from, so that the first one is made as fast as the others.
    /// Only PostgreSQL has one; without this it is prepared when it is first needed.
    pub fn prepare(&self) -> Result<(), DatabaseError> {
        self.postgres.as_ref().map_or(Ok(()), |postgres| postgres.prepare())
    }

    /// Whether the control database answers. Takes no longer than the settings' time-outs.
    pub fn ping(&self) -> StoreResult<()> {
        self.control.query(|db| Ok(db.batch_execute("SELECT 1")?))
    }
}

#[cfg(test)]
impl Stores {
    pub(crate) fn control_database(&self) -> &Database {
        &self.control
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    pub(crate) fn tenant_database(&self, scope: &TenantScope) -> StoreResult<Arc<Database>> {
        self.registry.database(scope)
    }
}

/// Makes a directory that is nobody else's business, unless it is there.
fn make_directory(directory: &Path) -> io::Result<()> {
    if directory.as_os_str().is_empty() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(directory)
}

fn open_control(target: Target, shared: &Shared) -> Database {
    let connector = Connector::new(target, None, Ceiling::new(shared.settings.control_connections));
    Database::new(connector, shared.settings.control_connections, shared)
}

#[diesel::declare_sql_function]
extern "SQL" {
    #[sql_name = "sqlite_version"]
    fn sqlite_version_text() -> Text;
    fn current_setting(name: Text) -> Text;
}

fn sqlite_version(sqlite: &mut SqliteConnection) -> QueryResult<String> {
    diesel::select(sqlite_version_text()).get_result(sqlite)
}

fn postgres_version(postgres: &mut PgConnection) -> QueryResult<i32> {
    let text: String = diesel::select(current_setting("server_version_num")).get_result(postgres)?;
    text.parse().map_err(|error| diesel::result::Error::DeserializationError(Box::new(error)))
}

fn parse_version(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}
