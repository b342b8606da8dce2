//! What the databases report, in the words of the ports.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};
use tenantry_ports::{Constraint, StoreError};

/// Why a statement did not do: the database said no, or its answer made no sense.
#[derive(Debug)]
pub(crate) enum Fault {
    Database(Error),
    Store(StoreError),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(error) => error,
            Fault::Database(error) => store_error(error),
        }
    }
}

/// What a statement of a repository answers.
pub(crate) type Answer<T> = Result<T, Fault>;

/// Every unique constraint: PostgreSQL reports its name, SQLite only its columns.
const CONSTRAINTS: [(Constraint, &str, &str); 19] = [
    (Constraint::TenantSlug, "tenants_slug_held", "tenants.slug"),
    (Constraint::TenantId, "tenants_pkey", "tenants.id"),
    (
        Constraint::RunNumber,
        "provisioning_runs_pkey",
        "provisioning_runs.tenant_id, provisioning_runs.number",
    ),
    (Constraint::ApiKeyLookup, "api_keys_lookup", "api_keys.lookup"),
    (Constraint::ApiKeyRequest, "api_keys_request", "api_keys.request"),
    (Constraint::SigningKeyNumber, "signing_keys_number", "signing_keys.number"),
    (Constraint::UserEmail, "users_email", "users.email_folded"),
    (Constraint::Username, "users_username", "users.username"),
    (Constraint::ConfigVersion, "account_configs_pkey", "account_configs.id, account_configs.version"),
    (Constraint::ProcessName, "processes_name", "processes.process_type, processes.name"),
    (Constraint::ConfigHistory, "config_versions_pkey", "config_versions.subject, config_versions.version"),
    (Constraint::AccountId, "accounts_pkey", "accounts.id"),
    (Constraint::OrgCode, "org_units_code", "org_units.kind, org_units.code"),
    (Constraint::OrgCode, "org_units_group_code", "org_units.parent_id, org_units.code"),
    (Constraint::OrgAssignment, "org_units_assignment", "org_units.parent_id, org_units.target_id"),
    (Constraint::TradeId, "trades_pkey", "trades.account_id, trades.trade_id"),
    (Constraint::IdempotencyKey, "idempotency_pkey", "idempotency.scope"),
    (Constraint::LogSequence, "events_pkey", "events.sequence"),
    (Constraint::Notice, "notices_pkey", "notices.id, notices.channel"),
];

/// How the databases say that trying again may help. Diesel passes on no SQLSTATE, so these are the English
/// sentences; a PostgreSQL server that speaks another language has its time-outs reported as [`StoreError::Failed`].
const PASSING: [&str; 14] = [
    // SQLite: BUSY, LOCKED, CANTOPEN, IOERR, FULL.
    "database is locked",
    "database table is locked",
    "database schema is locked",
    "unable to open database file",
    "disk I/O error",
    "database or disk is full",
    // PostgreSQL: 55P03, 57014, 40P01, 57P01, 57P02, 57P03, 53100, 53200.
    "canceling statement due to",
    "deadlock detected",
    "terminating connection",
    "the database system is",
    "could not extend file",
    "could not write",
    "out of memory",
    "no space left on device",
];

/// The store's word for what Diesel reports.
pub(crate) fn store_error(error: Error) -> StoreError {
    match &error {
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, about) => match constraint(about.as_ref()) {
            Some(constraint) => StoreError::Conflict(constraint),
            None => StoreError::Failed(Box::new(error)),
        },
        _ if is_passing(&error) => StoreError::Unavailable(error.to_string()),
        Error::DeserializationError(reason) => StoreError::corrupt("row", reason),
        _ => StoreError::Failed(Box::new(error)),
    }
}

/// Whether trying again, perhaps on another connection, may help.
pub(crate) fn is_passing(error: &Error) -> bool {
    match error {
        Error::BrokenTransactionManager => true,
        Error::DatabaseError(kind, about) => match kind {
            DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::SerializationFailure
            | DatabaseErrorKind::ReadOnlyTransaction => true,
            DatabaseErrorKind::Unknown => is_passing_text(about.message()),
            _ => false,
        },
        _ => false,
    }
}

/// Whether what the database says means that trying again may help.
pub(crate) fn is_passing_text(message: &str) -> bool {
    PASSING.iter().any(|text| message.contains(text))
}

/// Whether the connection is gone, so that nothing that was sent over it has to be looked for.
pub(crate) const fn is_disconnected(error: &Error) -> bool {
    matches!(
        error,
        Error::BrokenTransactionManager
            | Error::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                _
            )
    )
}

fn constraint(about: &dyn DatabaseErrorInformation) -> Option<Constraint> {
    let sqlite = about.message().strip_prefix("UNIQUE constraint failed: ");
    CONSTRAINTS
        .into_iter()
        .find(|(_, name, columns)| about.constraint_name() == Some(name) || sqlite == Some(columns))
        .map(|(constraint, ..)| constraint)
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;
    use diesel::prelude::*;
    use diesel::sql_types::Text;
    use tenantry_ports::LogHead;
    use tenantry_testkit::sample;

    use super::*;
    use crate::db::Db;
    use crate::pool::Database;
    use crate::testing;

    #[derive(QueryableByName)]
    struct Unique {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Text)]
        columns: String,
    }

    const POSTGRES: &str = "\
        SELECT x.relname::text AS name, (SELECT string_agg(t.relname || '.' || a.attname, ', ' ORDER BY k.place) \
            FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place) \
            JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number) AS columns \
        FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid \
        WHERE i.indisunique AND t.relnamespace = 'public'::regnamespace";

    /// What is unique in a database: the names, and the columns in SQLite's spelling.
    fn uniques(database: &Database) -> Vec<(String, String)> {
        let mut connection = database.connection().unwrap();
        let Db::Postgres(postgres) = &mut connection.db else { panic!("no PostgreSQL") };
        let found: Vec<Unique> = diesel::sql_query(POSTGRES).load(postgres).unwrap();
        found.into_iter().map(|unique| (unique.name, unique.columns)).collect()
    }

    #[test]
    fn every_named_constraint_is_one_of_the_databases() {
        let Some(place) = testing::postgres() else { return };
        let uniques = [uniques(place.stores.control_database()), uniques(&place.tenant_database())].concat();
        for (constraint, name, columns) in CONSTRAINTS {
            assert!(uniques.contains(&(name.to_owned(), columns.to_owned())), "{constraint:?}: {uniques:#?}");
        }
    }

    #[test]
    fn a_constraint_that_no_port_names_is_a_failure() {
        let key = sample::api_key(None);
        for place in testing::both() {
            let twice = tenantry_ports::ApiKey { lookup: "another".to_owned(), ..key.clone() };
            let outcome = place.stores.control().write(|tx| {
                tx.api_keys().insert(&key)?;
                tx.api_keys().insert(&twice)
            });
            assert!(matches!(outcome, Err(StoreError::Failed(_))), "{outcome:?}");
        }
    }

    #[test]
    fn a_full_disk_may_pass() {
        let place = testing::sqlite();
        let config = sample::stored_config("25k-eval-v1", 1);
        let accounts: Vec<_> = (0..100).map(|_| sample::account(place.scope.tenant(), &config)).collect();
        let (database, store) = (place.tenant_database(), place.store());
        // No page more than there are; and no second connection, since each has a limit of its own.
        database.connection().unwrap().db.batch_execute("PRAGMA max_page_count = 1").unwrap();
        let outcome = store.write(|tx| tx.accounts().insert(&accounts));
        assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
        database.connection().unwrap().db.batch_execute("PRAGMA max_page_count = 100000").unwrap();
        store.write(|tx| tx.accounts().insert(&accounts)).unwrap();
    }

    #[test]
    fn an_entry_of_the_log_that_is_there_already_is_a_conflict() {
        for place in testing::both() {
            let store = place.store();
            let entries = sample::log_entries(place.scope.tenant(), LogHead::EMPTY, 1);
            store.write(|tx| tx.log().append(&entries)).unwrap();
            let outcome = store.write(|tx| tx.log().append(&entries));
            assert!(matches!(outcome, Err(StoreError::Conflict(Constraint::LogSequence))), "{outcome:?}");
        }
    }
}
