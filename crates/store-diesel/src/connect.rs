//! How a connection is made, and what is set on it.

use std::path::PathBuf;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::StoreSettings;
use crate::db::Db;
use crate::url::{PostgresUrl, sqlite_uri};

/// One database, and how to connect to it.
#[derive(Clone)]
pub(crate) enum Target {
    Sqlite { path: PathBuf, busy_timeout: Duration },
    Postgres(Vec<Entrance>),
}

/// How to enter a PostgreSQL database. Where the password may have been changed there are several: whichever the server
/// does not let in is followed by the next.
#[derive(Clone)]
pub(crate) struct Entrance {
    url: PostgresUrl,
    conninfo: String,
}

/// No connection could be made. Says nothing secret.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ConnectError(pub(crate) String);

impl Target {
    /// A SQLite file.
    pub(crate) fn sqlite(path: PathBuf, settings: &StoreSettings) -> Self {
        Self::Sqlite { path, busy_timeout: settings.lock_timeout }
    }

    /// A PostgreSQL database for everyday statements.
    pub(crate) fn postgres(url: PostgresUrl, settings: &StoreSettings) -> Self {
        Self::Postgres(vec![Entrance::new(url, settings, settings.statement_timeout, &[])])
    }

    /// A tenant's PostgreSQL database, by whichever of these lets us in. All its statements find their rows by keys, so that
    /// one plan is good for all values, and for all sizes of the tables: left to itself, PostgreSQL would plan some anew each
    /// time, for a slice of a few accounts at more cost than that of reading them; and keep for others the plan that was best
    /// while the database was new, which is to read whole tables.
    pub(crate) fn tenant(urls: impl IntoIterator<Item = PostgresUrl>, settings: &StoreSettings) -> Self {
        let plans = [
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            // Where only a whole table will do, all that was turned off counts as so dear that it would be compiled.
            ("jit", "off"),
        ];
        let plans = plans.map(|(name, value)| (name, value.to_owned()));
        let entrance = |url| Entrance::new(url, settings, settings.statement_timeout, &plans);
        Self::Postgres(urls.into_iter().map(entrance).collect())
    }

    /// A PostgreSQL database to make and unmake others from.
    pub(crate) fn maintenance(url: PostgresUrl, settings: &StoreSettings) -> Self {
        Self::Postgres(vec![Entrance::new(url, settings, settings.maintenance_timeout, &[])])
    }

    /// Connects. A SQLite file has to exist.
    pub(crate) fn connect(&self) -> Result<Db, ConnectError> {
        match self {
            Self::Sqlite { path, busy_timeout } => {
                connect_sqlite(&sqlite_uri(path, "rw"), *busy_timeout).map(Db::Sqlite)
            }
            Self::Postgres(_) => self.connect_postgres().map(Db::Postgres),
        }
    }

    /// Connects to what has to be a PostgreSQL database.
    pub(crate) fn connect_postgres(&self) -> Result<PgConnection, ConnectError> {
        let Self::Postgres(entrances) = self else {
            return Err(ConnectError("this is no PostgreSQL database".to_owned()));
        };
        // Initialised by libpq, OpenSSL would take itself apart when the process exits, under the feet of a pool's thread
        // that is just connecting: a crash after everything went well. Initialised like this, it does not.
        openssl_sys::init();
        let mut outcome = Err(ConnectError("nobody knows how to enter it".to_owned()));
        // The first once more at the end: meanwhile the password may have been changed to that.
        let again = entrances.first().filter(|_| entrances.len() > 1);
        for entrance in entrances.iter().chain(again) {
            outcome = entrance.enter();
            match &outcome {
                Err(error) if error.0.contains(WRONG_PASSWORD) => {}
                _ => break,
            }
        }
        outcome
    }
}

/// How PostgreSQL says that it knows another password.
const WRONG_PASSWORD: &str = "password authentication failed";

impl Entrance {
    /// Everything is set while connecting, which takes no round trip of its own. The keep-alives end a wait for a
    /// server that has silently gone.
    fn new(
        url: PostgresUrl,
        settings: &StoreSettings,
        statement_timeout: Duration,
        more: &[(&str, String)],
    ) -> Self {
        let parameters = [
            ("application_name", "tenantry".to_owned()),
            ("connect_timeout", settings.connect_timeout.as_secs().max(2).to_string()),
            ("keepalives_idle", "10".to_owned()),
            ("keepalives_interval", "5".to_owned()),
            ("keepalives_count", "3".to_owned()),
            ("tcp_user_timeout", "15000".to_owned()),
        ];
        let timeouts = [
            ("statement_timeout", statement_timeout),
            ("lock_timeout", settings.lock_timeout),
            ("idle_in_transaction_session_timeout", settings.idle_transaction_timeout),
        ];
        let timeouts = timeouts.map(|(name, duration)| (name, duration.as_millis().to_string()));
        let conninfo = url.conninfo(&parameters, &[&timeouts, more].concat());
        Self { url, conninfo }
    }

    fn enter(&self) -> Result<PgConnection, ConnectError> {
        let entered = PgConnection::establish(&self.conninfo);
        entered.map_err(|error| ConnectError(self.url.redact(&error.to_string())))
    }
}

/// Opens a SQLite database, durable and strict.
pub(crate) fn connect_sqlite(uri: &str, busy_timeout: Duration) -> Result<SqliteConnection, ConnectError> {
    let failed = |error: &dyn std::fmt::Display| ConnectError(error.to_string());
    let mut sqlite = SqliteConnection::establish(uri).map_err(|error| failed(&error))?;
    let pragmas = format!(
        "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
        busy_timeout.as_millis()
    );
    sqlite.batch_execute(&pragmas).map_err(|error| failed(&error))?;
    Ok(sqlite)
}

#[cfg(test)]
mod tests {
    use diesel::sql_types::{BigInt, Text};

    use super::*;
    use crate::DatabaseUrl;

    #[derive(QueryableByName)]
    struct Pragmas {
        #[diesel(sql_type = Text)]
        journal_mode: String,
        #[diesel(sql_type = BigInt)]
        synchronous: i64,
        #[diesel(sql_type = BigInt)]
        foreign_keys: i64,
        #[diesel(sql_type = BigInt)]
        timeout: i64,
    }

    #[test]
    fn a_sqlite_connection_is_durable_and_keeps_references() {
        let directory = tempfile::tempdir().unwrap();
        let uri = sqlite_uri(&directory.path().join("x.db"), "rwc");
        let mut sqlite = connect_sqlite(&uri, Duration::from_millis(1234)).unwrap();
        let sql =
            "SELECT * FROM pragma_journal_mode, pragma_synchronous, pragma_foreign_keys, pragma_busy_timeout";
        let pragmas: Pragmas = diesel::sql_query(sql).get_result(&mut sqlite).unwrap();
        assert_eq!(pragmas.journal_mode, "wal");
        assert_eq!((pragmas.synchronous, pragmas.foreign_keys, pragmas.timeout), (2, 1, 1234));
    }

    #[test]
    fn a_file_that_is_not_there_is_not_made() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        let target = Target::Sqlite { path: path.clone(), busy_timeout: Duration::ZERO };
        assert!(target.connect().is_err() && !path.exists());
    }

    #[derive(QueryableByName)]
    struct Setting {
        #[diesel(sql_type = Text)]
        setting: String,
    }

    #[test]
    fn a_postgres_connection_has_its_settings() {
        let Some(server) = tenantry_testkit::postgres::shared() else {
            return;
        };
        let DatabaseUrl::Postgres(url) = server.url("postgres").parse().unwrap() else {
            panic!("no PostgreSQL URL")
        };
        let mut settings = StoreSettings::new(DatabaseUrl::Postgres(url.clone()), "");
        settings.statement_timeout = Duration::from_millis(1001);
        settings.lock_timeout = Duration::from_millis(1002);
        settings.idle_transaction_timeout = Duration::from_millis(1003);
        settings.maintenance_timeout = Duration::from_millis(1004);
        let limits = |target: Target| {
            let query = diesel::sql_query(
                "SELECT setting FROM pg_settings WHERE source = 'client' AND \
                 name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', \
                 'application_name', 'plan_cache_mode', 'jit', 'enable_seqscan', 'enable_hashjoin', \
                 'enable_mergejoin') \
                 ORDER BY name COLLATE \"C\"",
            );
            let found: Vec<Setting> = query.load(&mut target.connect_postgres().unwrap()).unwrap();
            found.into_iter().map(|found| found.setting).collect::<Vec<_>>()
        };
        assert_eq!(limits(Target::postgres(url.clone(), &settings)), ["tenantry", "1003", "1002", "1001"]);
        assert_eq!(limits(Target::maintenance(url.clone(), &settings)), ["tenantry", "1003", "1002", "1004"]);
        let tenant = ["tenantry", "off", "off", "off", "1003", "off", "1002", "force_generic_plan", "1001"];
        assert_eq!(limits(Target::tenant([url], &settings)), tenant);
    }
}
