use chrono::{DateTime, Utc};
use tenantry_domain::id::TenantId;

use crate::StoreResult;

/// How far a change of the master key has come: what hung on former ones is made to hang on the one in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carryover {
    /// From which master keys to which, by their names.
    pub plan: String,
    /// When it was begun.
    pub begun_at: DateTime<Utc>,
    /// The last tenant, in order of id, that is done.
    pub after: Option<TenantId>,
    /// When everything was done.
    pub completed_at: Option<DateTime<Utc>>,
}

/// The one carry-over that is under way, or was the last.
pub trait CarryoverRepository {
    /// It, if there ever was one.
    fn get(&mut self) -> StoreResult<Option<Carryover>>;

    /// Puts this one in its place.
    fn put(&mut self, carryover: &Carryover) -> StoreResult<()>;
}
