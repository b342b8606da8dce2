use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::TenantId;

use crate::StoreResult;

/// How far the round has come that goes over all tenants' databases, and the right to go on with it until a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpkeepRound {
    /// When it was begun.
    pub begun_at: DateTime<Utc>,
    /// The last tenant, in order of id, that is done; none at its beginning.
    pub after: Option<TenantId>,
    /// The fencing token: who claims it later has a higher one.
    pub fence: i64,
}

/// The one round there is.
pub trait UpkeepRepository {
    /// Claims the round, for `lease` from `now` on, if somebody has to go on with it at `now` and nobody does.
    fn claim(
        &mut self,
        worker: &str,
        now: DateTime<Utc>,
        lease: TimeDelta,
    ) -> StoreResult<Option<UpkeepRound>>;

    /// It has come so far, and somebody has to go on with it at `due`. `Stale` if the lease has been taken over or given back.
    fn settle(&mut self, round: &UpkeepRound, due: DateTime<Utc>) -> StoreResult<()>;
}
