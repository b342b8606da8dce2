use std::fs::DirBuilder;
use std::io;
use std::path::Path;
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tenantry_domain::tenant::ClusterName;
use tenantry_ports::{ControlStore, DatabaseError, StoreError, StoreResult, TenantDatabases, TenantStores};

use crate::ceiling::Ceiling;
use crate::connect::{Target, connect_sqlite};
use crate::connector::Connector;
use crate::control::Control;
use crate::databases::{
    ClusterReport, Clusters, DirectoryReport, OLDEST_POSTGRES, PostgresDatabases, SqliteDatabases, here,
    postgres_version,
};
use crate::migrations::{self, Schema};
use crate::pool::{Database, Shared};
use crate::registry::{OpenTenants, Registry};
use crate::url::{PostgresUrl, sqlite_uri};
use crate::{DatabaseUrl, StoreSettings};

/// The oldest SQLite that does not damage a database with several connections (the WAL-reset bug).
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

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
    databases: Databases,
}

/// Where tenants' databases are.
enum Databases {
    Sqlite(Arc<SqliteDatabases>),
    Postgres(Arc<PostgresDatabases>),
}

/// What there is to know about the places where databases are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Premises {
    /// SQLite files in a directory.
    Directory(DirectoryReport),
    /// PostgreSQL servers, by name.
    Clusters(Vec<ClusterReport>),
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
        let (files, located) = (directory.clone(), Arc::clone(settings));
        let registry = Registry::new(shared.clone(), move |scope| {
            here(scope).map_err(|error| StoreError::Failed(Box::new(error)))?;
            Ok(Target::sqlite(files.join(format!("{}.db", scope.database())), &located))
        });
        let databases = SqliteDatabases::new(directory, Arc::clone(&registry), shared);
        Ok(Self { control, registry, databases: Databases::Sqlite(Arc::new(databases)) })
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
        let clusters = Arc::new(Clusters::new(url, settings));
        let located = Arc::clone(&clusters);
        let registry = Registry::new(shared.clone(), move |scope| {
            let cluster = located.of(scope).map_err(|error| StoreError::Failed(Box::new(error)))?;
            Ok(cluster.tenant(scope))
        });
        let databases = PostgresDatabases::new(clusters, Arc::clone(&registry), shared);
        Ok(Self { control, registry, databases: Databases::Postgres(Arc::new(databases)) })
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
        match &self.databases {
            Databases::Sqlite(sqlite) => Arc::clone(sqlite) as Arc<dyn TenantDatabases>,
            Databases::Postgres(postgres) => Arc::clone(postgres) as Arc<dyn TenantDatabases>,
        }
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

    /// Prepares, on each server, the database that new tenants' are copied from, so that the first one is made as fast as
    /// the others; answers which servers that failed on, and why. Only PostgreSQL has any; without this they are prepared
    /// when they are first needed.
    pub fn prepare(&self) -> Vec<(ClusterName, DatabaseError)> {
        match &self.databases {
            Databases::Sqlite(_) => Vec::new(),
            Databases::Postgres(postgres) => postgres.prepare(),
        }
    }

    /// Looks at the places where databases are. Slow where a server does not answer.
    pub fn examine(&self) -> Premises {
        match &self.databases {
            Databases::Sqlite(sqlite) => Premises::Directory(sqlite.examine()),
            Databases::Postgres(postgres) => Premises::Clusters(postgres.examine()),
        }
    }

    /// Drops logins of this installation that may enter no database, and says how many there were. Interrupted removals
    /// leave such.
    pub fn drop_orphaned_logins(&self) -> Result<usize, DatabaseError> {
        match &self.databases {
            Databases::Sqlite(_) => Ok(0),
            Databases::Postgres(postgres) => postgres.drop_orphaned_logins(),
        }
    }

    /// Whether the control database answers. Takes no longer than the settings' time-outs.
    pub fn ping(&self) -> StoreResult<()> {
        self.control.query(|db| Ok(db.batch_execute("SELECT 1")?))
    }
}

#[cfg(test)]
use tenantry_ports::TenantScope;

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
    let ceiling = Ceiling::new(shared.settings.control_connections);
    let connector = Connector::new(target, None, Box::new(move |_| ceiling.permit()));
    Database::new(connector, shared.settings.control_connections, shared)
}

#[diesel::declare_sql_function]
extern "SQL" {
    #[sql_name = "sqlite_version"]
    fn sqlite_version_text() -> Text;
}

fn sqlite_version(sqlite: &mut SqliteConnection) -> QueryResult<String> {
    diesel::select(sqlite_version_text()).get_result(sqlite)
}

fn parse_version(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}
