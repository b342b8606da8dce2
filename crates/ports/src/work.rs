//! The closure unit of work, once for both kinds of store.

use crate::{StoreError, StoreResult};

/// Whether a unit of work means to write. Only a hint for how to begin; a `Read` that writes is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Changes nothing. Every statement sees one state of the data, and a later one never an earlier state; what has to
    /// agree is read by one statement. (One state throughout would cost a server two more round trips per read.)
    Read,
    /// Sees and changes; writers of one database go one after the other where the database needs it.
    Write,
}

/// What a unit of work's body wants done with its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Keep everything.
    Commit,
    /// Keep nothing.
    Rollback,
}

/// A body that a transaction runs once, and what came of it.
pub(crate) struct Work<B, T, E> {
    body: Option<B>,
    result: Option<Result<T, E>>,
}

impl<B, T, E: From<StoreError>> Work<B, T, E> {
    pub(crate) const fn new(body: B) -> Self {
        Self { body: Some(body), result: None }
    }

    /// Runs the body through `call`, which hands it the transaction.
    pub(crate) fn run(&mut self, call: impl FnOnce(B) -> Result<T, E>) -> Verdict {
        let Some(body) = self.body.take() else {
            return Verdict::Rollback;
        };
        match self.result.insert(call(body)) {
            Ok(_) => Verdict::Commit,
            Err(_) => Verdict::Rollback,
        }
    }

    /// What the unit of work answers, now that the transaction has ended in `outcome`: the body's own error is told
    /// rather than the failure that followed from it.
    pub(crate) fn finish(self, outcome: StoreResult<()>) -> Result<T, E> {
        match (outcome, self.result) {
            (Ok(()), Some(result)) => result,
            (Err(_), Some(Err(reason))) => Err(reason),
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Err(StoreError::Failed("the unit of work was never run".into()).into()),
        }
    }
}
