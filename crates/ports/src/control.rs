use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{ClusterName, Plan, Run, Slug, Status, Tenant};

use crate::work::Work;
use crate::{
    Access, ApiKeyRepository, AttemptRepository, CarryoverRepository, DayRepository, DeliveryMarkRepository,
    HeadRepository, IdempotencyRepository, LogRepository, NonceRepository, NoticeRepository, PendingAdmin,
    PoolRepository, ReplicaRepository, SigningKeyRepository, StoreError, StoreResult, UpkeepRepository,
    Verdict,
};

/// The control database: which tenants there are, their provisioning runs, and the API keys.
///
/// Use [`write`](#method.write) and [`read`](#method.read); `transact` is what adapters implement.
pub trait ControlStore: Send + Sync {
    /// Begins a transaction, runs `body` exactly once, and does as its verdict says. If any store error occurred
    /// inside, nothing is kept, and a `Commit` verdict is answered with an error.
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn ControlTx) -> Verdict,
    ) -> StoreResult<()>;
}

impl dyn ControlStore {
    /// One unit of work that may write: commits on `Ok`, rolls back on `Err`.
    pub fn write<T, E: From<StoreError>>(
        &self,
        body: impl FnOnce(&mut dyn ControlTx) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut work = Work::new(body);
        let outcome = self.transact(Access::Write, &mut |tx| work.run(|body| body(tx)));
        work.finish(outcome)
    }

    /// One unit of work that only reads.
    pub fn read<T, E: From<StoreError>>(
        &self,
        body: impl FnOnce(&mut dyn ControlTx) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut work = Work::new(body);
        let outcome = self.transact(Access::Read, &mut |tx| work.run(|body| body(tx)));
        work.finish(outcome)
    }
}

/// A transaction of the control database: one repository per aggregate.
pub trait ControlTx {
    /// Tenants.
    fn tenants(&mut self) -> &mut dyn TenantRepository;
    /// Provisioning runs.
    fn runs(&mut self) -> &mut dyn RunRepository;
    /// Databases kept ready for tenants to come.
    fn pool(&mut self) -> &mut dyn PoolRepository;
    /// API keys.
    fn api_keys(&mut self) -> &mut dyn ApiKeyRepository;
    /// What is to be told outside.
    fn notices(&mut self) -> &mut dyn NoticeRepository;
    /// What may be used once.
    fn nonces(&mut self) -> &mut dyn NonceRepository;
    /// First answers to requests that are not a tenant's.
    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository;
    /// Attempts to sign in from addresses, and to where nobody can.
    fn attempts(&mut self) -> &mut dyn AttemptRepository;
    /// What machines' tokens are signed with.
    fn signing_keys(&mut self) -> &mut dyn SigningKeyRepository;
    /// How far a change of the master key has come.
    fn carryover(&mut self) -> &mut dyn CarryoverRepository;
    /// For which tenants there may be something to deliver.
    fn delivery_marks(&mut self) -> &mut dyn DeliveryMarkRepository;
    /// Signed heads of tenants' event logs.
    fn heads(&mut self) -> &mut dyn HeadRepository;
    /// The processes that answer requests.
    fn replicas(&mut self) -> &mut dyn ReplicaRepository;
    /// The platform's own event log. Whoever writes to it locks it as the last thing before the commit: then nobody waits for
    /// anything else while others wait for them.
    fn log(&mut self) -> &mut dyn LogRepository;
    /// When tenants' accounts are to be looked at.
    fn days(&mut self) -> &mut dyn DayRepository;
    /// How far the round over all tenants' databases has come.
    fn upkeep(&mut self) -> &mut dyn UpkeepRepository;
}

/// Which tenants to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantFilter {
    /// Only those in this state.
    pub status: Option<Status>,
    /// Only those with this plan.
    pub plan: Option<Plan>,
    /// Only those whose name or slug contains this, without regard to case.
    pub text: Option<String>,
}

/// A row that makes no sense to this version of the program. Lists leave it out, so that it stands in nobody's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// What it is found by, as it is stored.
    pub id: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Tenants in the control database.
///
/// Who is looked up and cannot be read is an error. Lists leave such out and go on, so that fewer than were asked for
/// always means that there are no more; [`unreadable`](Self::unreadable) tells of them.
pub trait TenantRepository {
    /// Adds a tenant. `Conflict(TenantSlug)` if another one holds the slug.
    fn insert(&mut self, tenant: &Tenant) -> StoreResult<()>;

    /// The tenant with this id, whatever its state.
    fn get(&mut self, id: TenantId) -> StoreResult<Option<Tenant>>;

    /// The tenant that holds this slug ([`holds_slug`](tenantry_domain::tenant::Lifecycle::holds_slug)).
    fn holding(&mut self, slug: &Slug) -> StoreResult<Option<Tenant>>;

    /// Replaces the tenant whose version is one less than this one's, else `Stale`. `Conflict(TenantSlug)` if it
    /// takes up a slug again that another one holds by now.
    fn update(&mut self, tenant: &Tenant) -> StoreResult<()>;

    /// At most `limit` tenants that are waiting for a confirmation which can no longer come at `now`, oldest first.
    fn overdue(&mut self, now: DateTime<Utc>, limit: usize) -> StoreResult<Vec<Tenant>>;

    /// At most `limit` tenants whose databases exist and are looked after
    /// ([`TenantScope::maintenance`](crate::TenantScope::maintenance)) and do not have this schema as far as anybody
    /// noted, in order of id, after this one; each with the schema that was noted, if any was.
    fn outdated(
        &mut self,
        schema: &str,
        after: Option<TenantId>,
        limit: usize,
    ) -> StoreResult<Vec<(Tenant, Option<String>)>>;

    /// Whether any database is behind, in one question: one that [`outdated`](Self::outdated) would tell of, or one of the
    /// pool that is ready and does not have this schema. What cannot be read may count.
    fn anything_outdated(&mut self, schema: &str) -> StoreResult<bool>;

    /// Notes which schema the tenant's database has. Not a change of the tenant: its version stays.
    fn note_schema(&mut self, id: TenantId, schema: &str) -> StoreResult<()>;

    /// The tenants that cannot be read, in order of id. Reads every row there is.
    fn unreadable(&mut self) -> StoreResult<Vec<Unreadable>>;

    /// How many tenants there are in each state.
    fn census(&mut self) -> StoreResult<Vec<(Status, u64)>>;

    /// How many tenants hold or are going to hold a database on each server
    /// ([`holds_slug`](tenantry_domain::tenant::Lifecycle::holds_slug)).
    fn per_cluster(&mut self) -> StoreResult<Vec<(ClusterName, u64)>>;

    /// At most `limit` tenants, newest first, after the one whose (`created_at`, `id`) is `after`.
    fn page(
        &mut self,
        filter: &TenantFilter,
        after: Option<(DateTime<Utc>, TenantId)>,
        limit: usize,
    ) -> StoreResult<Vec<Tenant>>;
}

/// The right to work on a run until a moment. A later claim has a higher fence, and writes under a lower one are `Stale`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Whose run.
    pub tenant: TenantId,
    /// Which run of that tenant.
    pub number: u32,
    /// The fencing token.
    pub fence: i64,
}

/// A run that a worker has claimed.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The right to work on it.
    pub lease: Lease,
    /// The run as its journal says.
    pub run: Run,
    /// The tenant.
    pub tenant: Tenant,
    /// The admin to create, if the run has that step.
    pub admin: Option<PendingAdmin>,
}

/// A run that is not closed, as the queue sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRun {
    /// Whose.
    pub tenant: TenantId,
    /// Which.
    pub number: u32,
    /// From when on it may be claimed; none if it may not.
    pub due: Option<DateTime<Utc>>,
    /// Who works on it, and until when nobody else may.
    pub lease: Option<(String, DateTime<Utc>)>,
}

/// Provisioning runs: journal, queue and leases in one.
pub trait RunRepository {
    /// Adds a run that nobody may claim yet ([`enqueue`](Self::enqueue) makes it claimable).
    /// `Conflict(RunNumber)` if there is one of that number.
    fn insert(&mut self, run: &Run, admin: Option<&PendingAdmin>) -> StoreResult<()>;

    /// Lets workers claim the tenant's run of that number from `due` on. `Stale` if there is none, or it is closed.
    fn enqueue(&mut self, tenant: TenantId, number: u32, due: DateTime<Utc>) -> StoreResult<()>;

    /// Every run of the tenant, oldest first, journals in order.
    fn of_tenant(&mut self, tenant: TenantId) -> StoreResult<Vec<Run>>;

    /// Claims the run that is longest due at `now` and not leased, for `lease` from `now` on.
    /// Concurrent claimers get different runs or none, without waiting for each other.
    ///
    /// A run that cannot be read, or whose tenant cannot, is set aside for an operator to see to
    /// ([`set_aside`](Self::set_aside)), and the next one claimed.
    fn claim(&mut self, worker: &str, now: DateTime<Utc>, lease: TimeDelta) -> StoreResult<Option<Claim>>;

    /// Writes direction and journal of a claimed run and holds the lease until `until`. `Stale` if the lease has
    /// been taken over.
    fn record(&mut self, lease: &Lease, run: &Run, until: DateTime<Utc>) -> StoreResult<()>;

    /// Holds the lease until `until` and changes nothing else. `Stale` as above.
    fn renew(&mut self, lease: &Lease, until: DateTime<Utc>) -> StoreResult<()>;

    /// Whether the lease still holds: `Stale` if not. Changes nothing.
    fn holds(&mut self, lease: &Lease) -> StoreResult<()>;

    /// Writes the run and gives the lease back; workers may claim it again from `due` on. `Stale` as above.
    fn release(&mut self, lease: &Lease, run: &Run, due: DateTime<Utc>) -> StoreResult<()>;

    /// Writes the run and closes it: nobody claims it again. `Stale` as above.
    fn close(&mut self, lease: &Lease, run: &Run) -> StoreResult<()>;

    /// Closes a run that nobody works on, unfinished. `Stale` if there is none, or it is closed or leased.
    fn cancel(&mut self, tenant: TenantId, number: u32) -> StoreResult<()>;

    /// The admin that waits to be created in one of the tenant's runs, and forgets it there.
    fn take_admin(&mut self, tenant: TenantId) -> StoreResult<Option<PendingAdmin>>;

    /// The runs that are not closed, in order of what they have waited for longest, with who works on them.
    fn open(&mut self) -> StoreResult<Vec<OpenRun>>;

    /// The runs that were set aside, and why. They are claimed again once they are queued again.
    fn set_aside(&mut self) -> StoreResult<Vec<(TenantId, u32, String)>>;
}
