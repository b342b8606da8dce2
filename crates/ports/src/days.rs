use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::TenantId;

use crate::StoreResult;

/// That a tenant's accounts are to be looked at, and the right to do so until a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayLook {
    /// Whose accounts.
    pub tenant: TenantId,
    /// When it was due.
    pub at: DateTime<Utc>,
    /// The fencing token: who claims it later has a higher one.
    pub fence: i64,
}

/// When tenants' accounts are to be looked at, since time alone will have done something to them: their day begins, or a stage
/// runs out of time. Nobody looks at tenants of which nothing is noted.
///
/// A look is there from its noting until it was due and somebody has looked: so what is committed before it is due is seen.
pub trait DayRepository {
    /// Has the tenant looked at at this time. Noted before, it stays noted.
    fn note(&mut self, tenant: TenantId, at: DateTime<Utc>) -> StoreResult<()>;

    /// Claims the look that is longest due at `now` and not leased, for `lease` from `now` on. Concurrent claimers get
    /// different ones or none, without waiting for each other.
    fn claim(&mut self, worker: &str, now: DateTime<Utc>, lease: TimeDelta) -> StoreResult<Option<DayLook>>;

    /// The tenant was looked at: this look is over, and the `next` one, a later one, is noted. `Stale` if the lease has been
    /// taken over.
    fn settle(&mut self, look: &DayLook, next: Option<DateTime<Utc>>) -> StoreResult<()>;
}
