use chrono::{DateTime, Utc};
use tenantry_domain::id::TenantId;

use crate::{LogHead, StoreResult};

/// How far an event log had come at a moment, with a code that only this installation can make: whoever keeps it can
/// tell later whether the log was cut off or written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedHead {
    /// Whose log; none for the platform's.
    pub tenant: Option<TenantId>,
    /// How far it had come.
    pub head: LogHead,
    /// When.
    pub at: DateTime<Utc>,
    /// The code over all of it.
    pub mac: [u8; 32],
}

/// Signed heads, kept apart from the logs they speak of.
pub trait HeadRepository {
    /// Keeps these, but for those of whose place in their log there is one already; answers with those that are kept. Of
    /// each of these logs the latest `most` are kept.
    fn add(&mut self, heads: &[SignedHead], most: usize) -> StoreResult<Vec<SignedHead>>;

    /// Those of this tenant's log, or the platform's for none, in its order.
    fn of(&mut self, tenant: Option<TenantId>) -> StoreResult<Vec<SignedHead>>;
}
