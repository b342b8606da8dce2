use std::sync::Arc;

use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::ClusterName;

use crate::{StoreResult, TenantScope, TenantStore};

/// Whether the caller still has the right to make or unmake the database, asked while nobody else can; an error stops the
/// call before it has changed anything.
///
/// A worker that slept through the end of its lease finds out here: whoever took over, undoing what it had begun perhaps,
/// has to wait for the same lock, so either comes later or has been here before.
pub type Permit<'a> = &'a dyn Fn() -> StoreResult<()>;

/// Makes and unmakes tenant databases. Slow, and never called inside a request or with a lock held.
///
/// Every method may be repeated: after a crash nobody knows whether the last call took effect.
pub trait TenantDatabases: Send + Sync {
    /// Creates the tenant's database, without data, tags it with its owner, and makes the login that alone may enter it.
    ///
    /// A database of that name that carries this tenant's tag is adopted; one that does not is
    /// [`DatabaseFault::Foreign`] and stays untouched.
    fn create(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), DatabaseError>;

    /// Makes a pooled database the tenant's: gives it the tenant's name and tag. Its content and login stay.
    ///
    /// True if the tenant's database is there afterwards (or was before); false if the pooled one is not there. What has
    /// the tenant's name and another tag is [`DatabaseFault::Foreign`].
    fn adopt(
        &self,
        pooled: &TenantScope,
        scope: &TenantScope,
        permit: Permit<'_>,
    ) -> Result<bool, DatabaseError>;

    /// Brings the tenant schema up to date, and the login's rights with it; returns how many migrations that took: none
    /// where `create` could copy a database that was up to date.
    fn migrate(&self, scope: &TenantScope) -> Result<usize, DatabaseError>;

    /// How many migrations the tenant's database lacks.
    fn pending(&self, scope: &TenantScope) -> Result<usize, DatabaseError>;

    /// Gives the login of the tenant's database the password that is derived from the master key in force, and makes the
    /// login if it is not there. Nothing where databases have no logins.
    fn renew_login(&self, scope: &TenantScope) -> Result<(), DatabaseError>;

    /// The tenant's database, entered as its owner, who may remove what the tenant's own login may not; for looking after it, and
    /// over a connection of its own, which is closed when the store is dropped. The database has to exist and be migrated.
    fn as_owner(&self, scope: &TenantScope) -> StoreResult<Arc<dyn TenantStore>>;

    /// Closes every connection of this process to the database, so that it can be given another name.
    fn close(&self, scope: &TenantScope) -> Result<(), DatabaseError>;

    /// Drops the tenant's database and its login, if they are there and carry this tenant's tag, and whatever an
    /// interrupted [`create`](Self::create) left. Afterwards they are confirmed gone, also if a creation was still under way.
    ///
    /// A database that is not this tenant's is left alone, and that is no error.
    fn remove(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), DatabaseError>;

    /// Whether the tenant's database is there.
    fn presence(&self, scope: &TenantScope) -> Result<Presence, DatabaseError>;

    /// What the tenant schema is called that [`migrate`](Self::migrate) brings a database to.
    fn schema(&self) -> &str;

    /// What there is on every server, in order of their names. One that cannot be asked keeps nobody from the others.
    fn inventory(&self) -> Vec<Inventory>;
}

/// What there is on a server.
#[derive(Debug)]
pub struct Inventory {
    /// Which server.
    pub cluster: ClusterName,
    /// Every database on it that looks like one of ours, whoever's it is.
    pub found: Result<Vec<FoundDatabase>, DatabaseError>,
}

/// A database that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDatabase {
    /// On which server.
    pub cluster: ClusterName,
    /// What it is called.
    pub name: String,
    /// Whose tag it carries: a tenant's, or a pooled database's; none if it carries no tag of ours.
    pub owner: Option<TenantId>,
    /// A removal of it was interrupted: nobody can enter it any more, and all that can be done with it is to remove it.
    pub ruined: bool,
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
