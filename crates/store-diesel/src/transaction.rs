use tenantry_ports::{Access, StoreError, StoreResult};

use crate::connector::Pooled;
use crate::db::Db;
use crate::error::Answer;

/// A unit of work under way. It is every repository of its database at once: each aggregate's statements are in a
/// module of their own, as the implementation of the port's trait for this type.
///
/// Every statement goes through [`read`](Self::read) or [`write`](Self::write), which is where a failure dooms the
/// whole, and where a write in a unit of work that only reads is refused.
pub(crate) struct Transaction<'a> {
    connection: &'a mut Pooled,
    access: Access,
    doom: Option<String>,
}

impl<'a> Transaction<'a> {
    /// On a connection on which it has begun.
    pub(crate) const fn new(access: Access, connection: &'a mut Pooled) -> Self {
        Self { connection, access, doom: None }
    }

    /// Runs statements that change nothing. They are run again, on a new connection, if this one turns out dead and
    /// holds no transaction.
    pub(crate) fn read<T>(&mut self, statement: impl FnMut(&mut Db) -> Answer<T>) -> StoreResult<T> {
        self.doomed()?;
        let repeatable = self.access == Access::Read && matches!(self.connection.db, Db::Postgres(_));
        let answer = if repeatable {
            self.connection.attempt_repeatable(statement)
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
