use chrono::{DateTime, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{ClusterName, DatabaseName};
use uuid::Uuid;

use crate::{StoreResult, Unreadable};

/// A database that was made ahead of need: migrated and seeded, and no tenant's yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PooledDatabase {
    /// Its id; also what its owner's tag and its login are made from, as if it were a tenant's.
    pub id: Uuid,
    /// On which server it is.
    pub cluster: ClusterName,
    /// What it is called until a tenant takes it.
    pub database: DatabaseName,
    /// When it was ordered.
    pub created_at: DateTime<Utc>,
}

/// Where a pooled database stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolState {
    /// Somebody makes it, or brings it up to date, or removes it, or died doing so.
    InWork {
        /// When somebody else may carry on.
        until: DateTime<Utc>,
    },
    /// A tenant may take it.
    Ready {
        /// The tenant schema it has.
        schema: String,
    },
    /// A tenant's run has taken it, and either gives it a new name or removes it.
    Taken {
        /// Whose run.
        tenant: TenantId,
        /// The tenant schema it has.
        schema: String,
    },
}

/// The right to work on a pooled database; a later one has a higher fence, and writes under a lower one are `Stale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLease {
    /// Which database.
    pub id: Uuid,
    /// The fencing token.
    pub fence: i64,
}

/// A pooled database that a tenant's run has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenDatabase {
    /// The database.
    pub database: PooledDatabase,
    /// The tenant schema it has.
    pub schema: String,
}

/// The warm pool. Databases are registered before they are made and forgotten after they are gone, so that none is ever
/// unknown.
///
/// One whose row cannot be read is not in [`all`](Self::all) and is given to nobody; who comes upon it looking for one to
/// take or to carry on with sets it aside for an operator to see to ([`unreadable`](Self::unreadable)), and gets the next.
pub trait PoolRepository {
    /// Adds a database that somebody is about to make, and has until then.
    fn insert(&mut self, database: &PooledDatabase, until: DateTime<Utc>) -> StoreResult<PoolLease>;

    /// Every pooled database with its state, oldest first.
    fn all(&mut self) -> StoreResult<Vec<(PooledDatabase, PoolState)>>;

    /// The pooled databases whose rows cannot be read, in order of id.
    fn unreadable(&mut self) -> StoreResult<Vec<Unreadable>>;

    /// Takes a database with this schema on this server for a tenant's run: the one it has taken already, else the
    /// oldest that is ready, by one conditional update. Concurrent takers get different ones or none, without waiting
    /// for each other.
    fn take(
        &mut self,
        cluster: &ClusterName,
        schema: &str,
        tenant: TenantId,
    ) -> StoreResult<Option<TakenDatabase>>;

    /// What the tenant's run has taken, if that can be read.
    fn taken_by(&mut self, tenant: TenantId) -> StoreResult<Option<TakenDatabase>>;

    /// Forgets what the tenant's run has taken: it is the tenant's own by now, or gone.
    fn forget_taken(&mut self, tenant: TenantId) -> StoreResult<()>;

    /// Claims the database longest left alone by whoever worked on it, until then.
    fn claim_abandoned(
        &mut self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> StoreResult<Option<(PooledDatabase, PoolLease)>>;

    /// Claims this database if it is (still) ready, so that no tenant takes it; to bring it up to date, or to remove it.
    fn claim_ready(&mut self, id: Uuid, until: DateTime<Utc>) -> StoreResult<Option<PoolLease>>;

    /// Holds the lease until then. `Stale` if somebody else has taken over.
    fn renew(&mut self, lease: PoolLease, until: DateTime<Utc>) -> StoreResult<()>;

    /// Lets tenants take the database, which has this schema. `Stale` as above.
    fn ready(&mut self, lease: PoolLease, schema: &str) -> StoreResult<()>;

    /// Forgets the database, which is gone. `Stale` as above.
    fn delete(&mut self, lease: PoolLease) -> StoreResult<()>;
}
