//! What there is to know about the places where databases are, for whoever looks after them.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Nullable, Text};
use tenantry_domain::tenant::ClusterName;

use super::cluster::Cluster;
use super::directory::Directory;

/// A PostgreSQL server that tenants' databases are on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterReport {
    /// What the settings call it.
    pub name: ClusterName,
    /// What it says of itself, or why it says nothing.
    pub server: Result<ServerReport, String>,
}

/// What a PostgreSQL server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerReport {
    /// Its version, as `15.18`.
    pub version: String,
    /// Whether our role may create databases.
    pub creates_databases: bool,
    /// Whether our role may create roles, which takes it for tenants' logins.
    pub creates_roles: bool,
    /// How many connections it takes.
    pub max_connections: u32,
    /// How many clients are connected, ours and others.
    pub connections: u32,
    /// How it begins after a crash: with `fsync` it opens every file of every database first, which takes minutes where
    /// there are thousands; `syncfs` does without.
    pub recovery_init_sync_method: Option<String>,
    /// Logins of this installation that may enter no database, sorted.
    pub orphaned_logins: Vec<String>,
}

/// The directory of SQLite tenant databases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryReport {
    /// Where it is.
    pub path: PathBuf,
    /// Whether files can be made there, or why not.
    pub writable: Result<(), String>,
    /// The names of databases that somebody is making, or began to make and never finished.
    pub unfinished: Vec<String>,
}

#[derive(QueryableByName)]
struct Facts {
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = Bool)]
    creates_databases: bool,
    #[diesel(sql_type = Bool)]
    creates_roles: bool,
    #[diesel(sql_type = Integer)]
    max_connections: i32,
    #[diesel(sql_type = Integer)]
    connections: i32,
    #[diesel(sql_type = Nullable<Text>)]
    recovery_init_sync_method: Option<String>,
}

const FACTS: &str = "SELECT current_setting('server_version') AS version, \
    rolcreatedb OR rolsuper AS creates_databases, rolcreaterole OR rolsuper AS creates_roles, \
    current_setting('max_connections')::int AS max_connections, \
    (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections, \
    current_setting('recovery_init_sync_method', true) AS recovery_init_sync_method \
    FROM pg_roles WHERE rolname = current_user";

pub(super) fn cluster(cluster: &Cluster) -> ClusterReport {
    let asked = cluster.ask(|server| {
        let facts: Facts = diesel::sql_query(FACTS).get_result(server.connection())?;
        Ok((facts, server.orphaned_logins(cluster.naming.prefix())?))
    });
    let count = |number: i32| number.try_into().unwrap_or_default();
    let server = asked.map_err(|broken| broken.0.detail).map(|(facts, orphaned_logins)| ServerReport {
        version: facts.version,
        creates_databases: facts.creates_databases,
        creates_roles: facts.creates_roles,
        max_connections: count(facts.max_connections),
        connections: count(facts.connections),
        recovery_init_sync_method: facts.recovery_init_sync_method,
        orphaned_logins,
    });
    ClusterReport { name: cluster.name.clone(), server }
}

pub(super) fn directory(directory: &Directory) -> DirectoryReport {
    let probe = directory.path().join(format!("~writable-{}", std::process::id()));
    let writable = fs::File::create(&probe).and_then(|mut file| file.write_all(b"yes"));
    // What could not be made need not be removed.
    let _ = fs::remove_file(&probe);
    let names = directory.names().unwrap_or_default();
    let is_unfinished = |name: &String| name.contains("~new_") || name.contains("~adopt_");
    DirectoryReport {
        path: directory.path().to_owned(),
        writable: writable.map_err(|error| error.to_string()),
        unfinished: names.into_iter().filter(is_unfinished).collect(),
    }
}
