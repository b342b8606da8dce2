use tenantry_ports::{Access, StoreError, StoreResult};

use crate::db::Db;
use crate::error::Answer;
use crate::pool::{Borrowed, Database};

/// A unit of work under way. It is every repository of its database at once: each aggregate's statements are in a
/// module of their own, as the implementation of the port's trait for this type.
///
/// Every statement goes through [`read`](Self::read) or [`write`](Self::write), which is where a failure dooms the
/// whole, and where a write in a unit of work that only reads is refused.
pub(crate) struct Transaction<'a> {
    database: &'a Database,
    connection: &'a mut Borrowed,
    access: Access,
    doom: Option<String>,
}

impl<'a> Transaction<'a> {
    pub(crate) const fn reading(database: &'a Database, connection: &'a mut Borrowed) -> Self {
        Self { database, connection, access: Access::Read, doom: None }
    }

    pub(crate) const fn writing(database: &'a Database, connection: &'a mut Borrowed) -> Self {
        Self { database, connection, access: Access::Write, doom: None }
    }

    /// Runs statements that change nothing. They may be run again, on another connection, if this one turns out dead
    /// and nothing depends on it.
    pub(crate) fn read<T>(&mut self, statement: impl FnMut(&mut Db) -> Answer<T>) -> StoreResult<T> {
        self.doomed()?;
        let replaceable = self.access == Access::Read && matches!(self.connection.db, Db::Postgres(_));
        let answer = if replaceable {
            self.database.on_a_live_connection(self.connection, statement)
        } else {
            self.connection.attempt(statement)
        };
        self.settle(answer)
    }

    /// Runs statements that change something.
    pub(crate) fn write<T>(&mut self, statement: impl FnOnce(&mut Db) -> Answer<T>) -> StoreResult<T> {
        self.doomed()?;
        let answer = match self.access {
            Access::Write => self.connection.attempt(statement),
            Access::Read => Err(StoreError::Failed("a unit of work that reads cannot write".into()).into()),
        };
        self.settle(answer)
    }

    /// An error once anything has failed.
    pub(crate) fn doomed(&self) -> StoreResult<()> {
        match &self.doom {
            None => Ok(()),
            Some(reason) => Err(StoreError::Failed(
                format!("nothing is kept, since something failed before: {reason}").into(),
            )),
        }
    }

    fn settle<T>(&mut self, answer: Answer<T>) -> StoreResult<T> {
        answer.map_err(|fault| {
            let error = StoreError::from(fault);
            self.doom = Some(error.to_string());
            error
        })
    }
}
