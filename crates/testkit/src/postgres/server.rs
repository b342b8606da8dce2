use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::cleaner::Cleaner;
use super::cluster::{Care, Cluster, USER, random_text};
use super::programs::{self, Programs};

/// A PostgreSQL server that tests may do anything with.
#[derive(Debug)]
pub struct Server {
    /// `postgres://user:password@host:port`.
    origin: String,
    /// `?…`, or nothing.
    parameters: String,
    /// A database that is there.
    maintenance: String,
    psql: PathBuf,
    /// Where it keeps everything, if it was started here.
    pub(super) directory: Option<PathBuf>,
    /// Dropped (or left to the end of the process), it removes what was made.
    cleaner: Cleaner,
}

/// Drops every database, and then every role, whose name begins with one of the words noted.
const DROP_NOTED: &str = r#"
for prefix in $noted; do
    "$1" "$2" -XAtqc "SELECT datname FROM pg_database WHERE starts_with(datname, '$prefix')" |
    while read -r database; do
        "$1" "$2" -Xqc "DROP DATABASE IF EXISTS \"$database\" WITH (FORCE)"
    done
    "$1" "$2" -XAtqc "SELECT rolname FROM pg_roles WHERE starts_with(rolname, '$prefix')" |
    while read -r role; do
        "$1" "$2" -Xqc "DROP ROLE IF EXISTS \"$role\""
    done
done
"#;

/// The longest prefix that a tenant database may have, in characters.
const LONGEST_PREFIX: usize = 13;

impl Server {
    /// Starts one that ends with this process.
    pub(super) fn started(programs: &Programs, care: Care) -> Result<Self, String> {
        let psql = programs.path("psql");
        let psql = if psql.is_file() { psql } else { programs::psql() };
        let Cluster { port, password, directory, cleaner } = Cluster::start(programs, care)?;
        Ok(Self {
            origin: format!("postgres://{USER}:{password}@127.0.0.1:{port}"),
            parameters: String::new(),
            maintenance: "postgres".to_owned(),
            psql,
            directory: Some(directory),
            cleaner,
        })
    }

    /// The one at this address, which stays when the process ends; the databases made on it do not.
    pub(super) fn at(url: &str) -> Result<Self, String> {
        let (origin, maintenance, parameters) = split(url)?;
        let psql = programs::psql();
        let cleaner = Cleaner::spawn(DROP_NOTED, [psql.as_os_str(), url.as_ref()]);
        let cleaner = cleaner.map_err(|error| format!("no cleaner: {error}"))?;
        let server = Self { origin, parameters, maintenance, psql, directory: None, cleaner };
        server.query(&server.maintenance, "SELECT 1").map(|_| server)
    }

    /// Where the server's client program of this name (`pgbench`) should be.
    pub fn program(&self, name: &str) -> PathBuf {
        self.psql.with_file_name(name)
    }

    /// The address of a database on this server, whether or not it exists.
    pub fn url(&self, database: &str) -> String {
        format!("{}/{database}{}", self.origin, self.parameters)
    }

    /// The address of a new, empty database whose name begins with `prefix` (`a-z`, `0-9`, `_`) and is unique.
    ///
    /// # Panics
    /// If it cannot be created.
    pub fn fresh_database(&self, prefix: &str) -> String {
        let name = format!("{prefix}_{}", unique(16));
        self.note(&name);
        self.query(&self.maintenance, &format!("CREATE DATABASE \"{name}\""))
            .unwrap_or_else(|error| panic!("a database is created: {error}"));
        self.url(&name)
    }

    /// A unique prefix for the names of tenant databases. What begins with it, roles included, is dropped when the process
    /// ends.
    pub fn fresh_prefix(&self) -> String {
        let prefix = format!("t{}_", unique(LONGEST_PREFIX - 2));
        self.note(&prefix);
        prefix
    }

    /// The names of the databases that begin with `prefix`, sorted.
    ///
    /// # Panics
    /// If the server does not answer.
    pub fn databases(&self, prefix: &str) -> Vec<String> {
        let sql = format!(
            "SELECT datname FROM pg_database WHERE starts_with(datname, '{prefix}') ORDER BY datname COLLATE \"C\""
        );
        let names = self
            .query(&self.maintenance, &sql)
            .unwrap_or_else(|error| panic!("databases are listed: {error}"));
        names.lines().map(str::to_owned).collect()
    }

    /// What `psql` answers to this SQL in this database: rows as lines, columns separated by `|`; or what it complains
    /// about.
    pub fn query(&self, database: &str, sql: &str) -> Result<String, String> {
        let output = Command::new(&self.psql)
            .arg(self.url(database))
            .args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql])
            .env("PGCONNECT_TIMEOUT", "10")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("psql is needed, but does not run: {error}"))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned())
        }
    }

    fn note(&self, word: &str) {
        self.cleaner.note(word).unwrap_or_else(|error| panic!("the cleaner is at work: {error}"));
    }
}

fn unique(length: usize) -> String {
    let mut text = random_text().unwrap_or_else(|error| panic!("no randomness: {error}"));
    text.truncate(length);
    text
}

/// Origin, database and parameters of an address.
fn split(url: &str) -> Result<(String, String, String), String> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    if !matches!(scheme, "postgres" | "postgresql") {
        return Err("expected postgres://user:password@host:port/database".to_owned());
    }
    let (rest, parameters) = match rest.split_once('?') {
        Some((rest, parameters)) => (rest, format!("?{parameters}")),
        None => (rest, String::new()),
    };
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let database = if database.is_empty() { "postgres" } else { database };
    Ok((format!("{scheme}://{authority}"), database.to_owned(), parameters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let parts = |url: &str| split(url).map(|(a, b, c)| [a, b, c].join(" ")).ok();
        assert_eq!(
            parts("postgres://u:p@h:5/db?sslmode=require").as_deref(),
            Some("postgres://u:p@h:5 db ?sslmode=require")
        );
        assert_eq!(parts("postgresql://h").as_deref(), Some("postgresql://h postgres "));
        assert_eq!(parts("postgres://h/?a=b").as_deref(), Some("postgres://h postgres ?a=b"));
        assert_eq!(parts("sqlite:x"), None);
    }

    #[test]
    fn what_was_made_on_a_server_that_stays_is_dropped_at_the_end() {
        let Some(own) = crate::postgres::shared() else {
            return;
        };
        let server = Server::at(&own.url("postgres")).unwrap();
        let prefix = server.fresh_prefix();
        assert!(prefix.len() <= LONGEST_PREFIX && prefix.starts_with('t'), "{prefix}");
        for sql in [
            format!("CREATE ROLE \"{prefix}~group\""),
            format!("CREATE ROLE \"{prefix}~acme\" LOGIN IN ROLE \"{prefix}~group\""),
            format!("CREATE DATABASE \"{prefix}acme\""),
            format!("GRANT CONNECT ON DATABASE \"{prefix}acme\" TO \"{prefix}~acme\""),
        ] {
            server.query("postgres", &sql).unwrap();
        }
        let roles = format!("SELECT count(*) FROM pg_roles WHERE starts_with(rolname, '{prefix}')");
        assert_eq!(own.query("postgres", &roles).unwrap(), "2");
        let control = server.fresh_database("control");
        assert_eq!(own.databases(&prefix), [format!("{prefix}acme")]);
        let control = control.rsplit_once('/').unwrap().1.to_owned();
        assert_eq!(own.databases(&control).len(), 1);
        drop(server);
        assert!(own.databases(&prefix).is_empty() && own.databases(&control).is_empty());
        assert_eq!(own.query("postgres", &roles).unwrap(), "0");
    }

    #[test]
    fn a_server_of_ones_own_is_gone_with_its_directory() {
        let Some(programs) = programs::find() else { return };
        let server = Server::started(&programs, Care::Careless).unwrap();
        let data = server.query("postgres", "SHOW data_directory").unwrap();
        assert!(std::fs::exists(&data).unwrap());
        let url = server.url("postgres");
        drop(server);
        assert!(!std::fs::exists(&data).unwrap());
        assert!(Server::at(&url).is_err());
    }
}
