use crate::TenantScope;

/// Makes and unmakes tenant databases. Slow, and never called inside a request or with a lock held.
///
/// Every method may be repeated: after a crash nobody knows whether the last call took effect.
pub trait TenantDatabases: Send + Sync {
    /// Creates the tenant's database, without data, and tags it with its owner.
    ///
    /// A database of that name that carries this tenant's tag is adopted; one that does not is
    /// [`DatabaseFault::Foreign`] and stays untouched.
    fn create(&self, scope: &TenantScope) -> Result<(), DatabaseError>;

    /// Brings the tenant schema up to date; returns how many migrations that took: none where `create` could copy a
    /// database that was up to date.
    fn migrate(&self, scope: &TenantScope) -> Result<usize, DatabaseError>;

    /// Drops the tenant's database, if it is there and carries this tenant's tag, and whatever an interrupted
    /// [`create`](Self::create) left. Afterwards it is confirmed gone, also if a creation was still under way.
    ///
    /// A database that is not this tenant's is left alone, and that is no error.
    fn remove(&self, scope: &TenantScope) -> Result<(), DatabaseError>;

    /// Whether the tenant's database is there.
    fn presence(&self, scope: &TenantScope) -> Result<Presence, DatabaseError>;
}

/// Whether there is a database of a tenant's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// There is none.
    Absent,
    /// There is one that carries the tenant's tag.
    Own,
    /// There is one that does not.
    Foreign,
}

/// What kind of fault it was, which decides what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseFault {
    /// It may pass: connection refused, timeouts, a busy server, a full disk; also what nobody foresaw, since a few
    /// vain attempts cost less than a tenant given up for a hiccup.
    Passing,
    /// The name is taken by a database that is not ours.
    Foreign,
    /// It will not get better by itself.
    Lasting,
}

/// A fault while making or unmaking a database. The text is for the log; strangers get a sentence per kind of fault.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct DatabaseError {
    /// What kind of fault.
    pub fault: DatabaseFault,
    /// What exactly happened, for the log.
    pub detail: String,
}

impl DatabaseError {
    /// A fault of this kind.
    pub fn new(fault: DatabaseFault, detail: impl ToString) -> Self {
        Self { fault, detail: detail.to_string() }
    }
}
