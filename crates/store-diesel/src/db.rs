use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::prelude::*;

/// A connection to one of the two databases. Whatever both can do is written once against this; where their SQL
/// differs, the variant is matched.
#[derive(diesel::MultiConnection)]
pub(crate) enum Db {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Db {
    /// Begins a transaction that may write. SQLite has to be told at once: a transaction that began by reading and
    /// then writes fails if another one wrote in between.
    pub(crate) fn begin_write(&mut self) -> QueryResult<()> {
        match self {
            Self::Sqlite(sqlite) => AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE"),
            Self::Postgres(postgres) => AnsiTransactionManager::begin_transaction(postgres),
        }
    }

    /// Begins reading, and says whether there is a transaction to end: one state throughout on SQLite, where that is
    /// free; statement by statement on PostgreSQL, where `BEGIN` and `COMMIT` would be two more round trips.
    pub(crate) fn begin_read(&mut self) -> QueryResult<bool> {
        match self {
            Self::Sqlite(sqlite) => AnsiTransactionManager::begin_transaction(sqlite).map(|()| true),
            Self::Postgres(_) => Ok(false),
        }
    }

    pub(crate) fn commit(&mut self) -> QueryResult<()> {
        <Self as Connection>::TransactionManager::commit_transaction(self)
    }

    /// Rolls back. Where even that fails the connection is broken, which its pool notices.
    pub(crate) fn roll_back(&mut self) {
        if let Err(error) = <Self as Connection>::TransactionManager::rollback_transaction(self) {
            tracing::debug!(%error, "could not roll back");
        }
    }
}
