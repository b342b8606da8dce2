use std::error::Error;

/// What a store answers.
pub type StoreResult<T> = Result<T, StoreError>;

/// Why a store could not do what it was asked.
///
/// Whichever it is, the transaction it happened in is doomed: nothing of it is kept, on any backend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another row already has the value that must be unique.
    #[error("conflict: {0:?}")]
    Conflict(Constraint),
    /// The thing changed (or the lease was taken over) since it was read.
    #[error("it was changed by someone else in the meantime")]
    Stale,
    /// The database cannot be reached, is too busy, or every connection is in use. Trying again may help.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Stored data does not make sense to this version of the program.
    #[error("corrupt {what}: {detail}")]
    Corrupt {
        /// Which kind of row.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// Anything else the database reported.
    #[error("the database failed: {0}")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    /// A `Corrupt` error.
    pub fn corrupt(what: &'static str, detail: impl ToString) -> Self {
        Self::Corrupt { what, detail: detail.to_string() }
    }
}

/// What must be unique; each is a constraint of the database, so it also holds between processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Constraint {
    /// A slug among the tenants that hold theirs.
    TenantSlug,
    /// A tenant's id.
    TenantId,
    /// The number of a run of a tenant.
    RunNumber,
    /// The public part of an API key.
    ApiKeyLookup,
    /// The request that an API key was made for.
    ApiKeyRequest,
    /// The number of a signing key.
    SigningKeyNumber,
    /// A user's folded e-mail address, within a tenant.
    UserEmail,
    /// A username, within a tenant.
    Username,
    /// A version of a config id, within a tenant.
    ConfigVersion,
    /// The type and name of a process, within a tenant.
    ProcessName,
    /// A version of a tenant's basis or of a process.
    ConfigHistory,
    /// An account's id.
    AccountId,
    /// The code of a unit of the organisation among those of its kind; a purchasing group's within its purchasing
    /// organisation.
    OrgCode,
    /// The assignment of a purchasing organisation to somebody.
    OrgAssignment,
    /// A trade's id, within an account.
    TradeId,
    /// An idempotency key in its scope.
    IdempotencyKey,
    /// A sequence number of a tenant's log.
    LogSequence,
    /// The notice of an event for a channel.
    Notice,
}
