use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use tenantry_domain::id::TenantId;

use crate::StoreResult;

/// A process that answers requests, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// Which one; another with every start.
    pub id: String,
    /// When it last said so.
    pub seen_at: DateTime<Utc>,
    /// How many requests a minute it let in lately of the tenants that sent more than a few.
    pub rates: BTreeMap<TenantId, u32>,
}

/// The processes that answer requests. Each says every few seconds that it is there, so that they know of each other.
pub trait ReplicaRepository {
    /// Keeps what this replica says, in the place of what it said before, and answers with what the others said at
    /// `since` or later. Who was silent for longer is forgotten.
    fn announce(&mut self, replica: &Replica, since: DateTime<Utc>) -> StoreResult<Vec<Replica>>;

    /// What the others than `id` said at `since` or later.
    fn others(&mut self, id: &str, since: DateTime<Utc>) -> StoreResult<Vec<Replica>>;

    /// Forgets a replica that stops.
    fn withdraw(&mut self, id: &str) -> StoreResult<()>;
}
