//! What goes over a connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel::connection::{Connection, InstrumentationEvent};

use crate::pool::Database;

/// What was heard so far.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// Every statement that was sent, `BEGIN` and `COMMIT` too.
    pub(crate) sent: Vec<String>,
    /// Those that were prepared first, which on PostgreSQL is one more round trip each.
    pub(crate) prepared: Vec<String>,
}

/// Somebody who listens.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ear(Arc<Mutex<Traffic>>);

impl Ear {
    /// Listens to the database's only connection from now on.
    pub(crate) fn on(database: &Database) -> Self {
        let ear = Self::default();
        let heard = ear.clone();
        let mut connection = database.connection().unwrap();
        connection.db.set_instrumentation(move |event: InstrumentationEvent<'_>| match event {
            InstrumentationEvent::StartQuery { query, .. } => heard.traffic().sent.push(query.to_string()),
            InstrumentationEvent::CacheQuery { sql, .. } => heard.traffic().prepared.push(sql.to_owned()),
            _ => {}
        });
        ear
    }

    /// What is heard while this is done.
    pub(crate) fn hear(&self, act: impl FnOnce()) -> Traffic {
        *self.traffic() = Traffic::default();
        act();
        std::mem::take(&mut *self.traffic())
    }

    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
