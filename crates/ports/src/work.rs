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

/// Runs `body` once in a transaction of `transact`: commits on `Ok`, rolls back on `Err`.
pub(crate) fn unit_of_work<Tx: ?Sized, T, E: From<StoreError>>(
    transact: impl FnOnce(&mut dyn FnMut(&mut Tx) -> Verdict) -> StoreResult<()>,
    body: impl FnOnce(&mut Tx) -> Result<T, E>,
) -> Result<T, E> {
    let mut body = Some(body);
    let mut result = None;
    let outcome = transact(&mut |tx| {
        let Some(body) = body.take() else { return Verdict::Rollback };
        let verdict = match result.insert(body(tx)) {
            Ok(_) => Verdict::Commit,
            Err(_) => Verdict::Rollback,
        };
        verdict
    });
    match (outcome, result) {
        (Ok(()), Some(result)) => result,
        (Err(_), Some(Err(reason))) => Err(reason),
        (Err(error), _) => Err(error.into()),
        (Ok(()), None) => Err(StoreError::Failed("the unit of work was never run".into()).into()),
    }
}
