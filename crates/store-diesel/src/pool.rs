use std::sync::{Arc, Weak};
use std::time::Duration;

use scheduled_thread_pool::ScheduledThreadPool;
use tenantry_ports::{Access, StoreError, StoreResult, Verdict};

use crate::StoreSettings;
use crate::connect::ConnectError;
use crate::connector::{Connector, Source};
use crate::db::Db;
use crate::error::{Answer, Fault};
use crate::gate::{Gate, Turn};
use crate::transaction::Transaction;

/// A connection that goes back to its pool when it is dropped.
pub(crate) type Borrowed = r2d2::PooledConnection<Connector>;

/// One open database: its connections and, for SQLite, the gate its writers pass.
pub(crate) struct Database {
    pool: r2d2::Pool<Connector>,
    gate: Option<Gate>,
    patience: Duration,
    source: Weak<Source>,
}

/// What every pool of the program shares: r2d2 would otherwise start three threads for each.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) threads: Arc<ScheduledThreadPool>,
    pub(crate) settings: Arc<StoreSettings>,
}

impl Shared {
    pub(crate) fn new(settings: StoreSettings) -> Self {
        let threads = ScheduledThreadPool::builder().num_threads(4).thread_name_pattern("store-{}").build();
        Self { threads: Arc::new(threads), settings: Arc::new(settings) }
    }
}

impl Database {
    /// A pool that makes its connections when they are needed.
    pub(crate) fn new(connector: Connector, connections: u32, shared: &Shared) -> Self {
        let gate = connector.is_sqlite().then(Gate::default);
        let source = connector.source();
        let pool = r2d2::Pool::builder()
            .max_size(connections)
            .min_idle(Some(0))
            // r2d2's own reaper would stay scheduled for ever after a pool is closed: see `Registry::close_idle`.
            .idle_timeout(None)
            .max_lifetime(None)
            .connection_timeout(shared.settings.connect_timeout)
            // A round trip per use; instead a broken connection is noticed when it fails, see `Transaction`.
            .test_on_check_out(false)
            .thread_pool(Arc::clone(&shared.threads))
            .error_handler(Box::new(LogFailures))
            .build_unchecked(connector);
        Self { pool, gate, patience: shared.settings.lock_timeout, source }
    }

    /// A connection, now or within the time allowed.
    pub(crate) fn connection(&self) -> StoreResult<Borrowed> {
        self.pool.get().map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// Whether a connection is open, or about to be, also one that the pool does not know of yet.
    pub(crate) fn is_connected(&self) -> bool {
        // One of them is the pool's own.
        self.source.strong_count() > 1
    }

    /// Closes a connection that nobody uses right now; false if there is none.
    pub(crate) fn shed(&self) -> bool {
        self.pool.try_get().map(|mut idle| idle.give_up()).is_some()
    }

    /// Gone once every connection is closed, which takes that the last owner of this drops it.
    pub(crate) fn source(&self) -> Weak<Source> {
        Weak::clone(&self.source)
    }

    /// Waits for its turn to write, where writers go one after the other.
    pub(crate) fn turn(&self) -> StoreResult<Option<Turn<'_>>> {
        self.gate.as_ref().map(|gate| gate.enter(self.patience)).transpose()
    }

    /// One statement outside any transaction, on whichever connection works.
    pub(crate) fn query<T>(&self, statement: impl FnMut(&mut Db) -> Answer<T>) -> StoreResult<T> {
        Ok(self.connection()?.attempt_repeatable(statement)?)
    }

    /// A unit of work, as the ports describe it.
    pub(crate) fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut Transaction<'_>) -> Verdict,
    ) -> StoreResult<()> {
        match access {
            Access::Read => self.read(body),
            Access::Write => self.write(body),
        }
    }

    fn read(&self, body: &mut dyn FnMut(&mut Transaction<'_>) -> Verdict) -> StoreResult<()> {
        let mut connection = self.connection()?;
        let begun = connection.db.begin_read().map_err(Fault::from)?;
        let mut transaction = Transaction::new(Access::Read, &mut connection);
        body(&mut transaction);
        let outcome = transaction.doomed();
        if begun {
            connection.db.roll_back();
        }
        outcome
    }

    fn write(&self, body: &mut dyn FnMut(&mut Transaction<'_>) -> Verdict) -> StoreResult<()> {
        let _turn = self.turn()?;
        let mut connection = self.connection()?;
        connection.attempt_repeatable(|db| Ok(db.begin_write()?))?;
        let mut transaction = Transaction::new(Access::Write, &mut connection);
        let verdict = body(&mut transaction);
        let outcome = transaction.doomed();
        if verdict == Verdict::Commit && outcome.is_ok() {
            let committed = connection.db.commit();
            if committed.is_err() {
                connection.db.roll_back();
            }
            return Ok(committed.map_err(Fault::from)?);
        }
        connection.db.roll_back();
        match verdict {
            Verdict::Commit => outcome,
            Verdict::Rollback => Ok(()),
        }
    }
}

#[derive(Debug)]
struct LogFailures;

impl r2d2::HandleError<ConnectError> for LogFailures {
    fn handle_error(&self, error: ConnectError) {
        tracing::debug!(%error, "could not connect to a database");
    }
}
