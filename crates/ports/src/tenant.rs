use std::sync::Arc;

use chrono::{DateTime, Utc};
use tenantry_domain::account::{Account, AccountStatus, WebsiteUserId};
use tenantry_domain::config::{ConfigId, ConfigVersion};
use tenantry_domain::id::AccountId;
use tenantry_domain::tenant::Settings;

use crate::trades::{HoldingRepository, TradeRepository};
use crate::work::Work;
use crate::{
    Access, AttemptRepository, BasisRepository, ConfigHead, ConfigVersionRecord, FloorRepository,
    MappingRepository, OrganisationRepository, SessionRepository, StoreError, StoreResult, StoredConfig,
    StoredResponse, TenantLogRepository, TenantScope, UserRepository, Verdict, WebhookRepository,
};

/// Opens tenants' databases.
pub trait TenantStores: Send + Sync {
    /// The store of the tenant in this scope. Cheap when it is open already. The database has to exist and be migrated.
    fn open(&self, scope: &TenantScope) -> StoreResult<Arc<dyn TenantStore>>;
}

/// One tenant's database.
///
/// Use [`write`](#method.write) and [`read`](#method.read); `transact` is what adapters implement.
pub trait TenantStore: Send + Sync {
    /// As [`ControlStore::transact`](crate::ControlStore::transact).
    fn transact(&self, access: Access, body: &mut dyn FnMut(&mut dyn TenantTx) -> Verdict)
    -> StoreResult<()>;
}

impl dyn TenantStore {
    /// One unit of work that may write: commits on `Ok`, rolls back on `Err`.
    pub fn write<T, E: From<StoreError>>(
        &self,
        body: impl FnOnce(&mut dyn TenantTx) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut work = Work::new(body);
        let outcome = self.transact(Access::Write, &mut |tx| work.run(|body| body(tx)));
        work.finish(outcome)
    }

    /// One unit of work that only reads.
    pub fn read<T, E: From<StoreError>>(
        &self,
        body: impl FnOnce(&mut dyn TenantTx) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut work = Work::new(body);
        let outcome = self.transact(Access::Read, &mut |tx| work.run(|body| body(tx)));
        work.finish(outcome)
    }
}

/// A transaction of a tenant's database: one repository per aggregate.
pub trait TenantTx {
    /// The tenant's settings.
    fn settings(&mut self) -> &mut dyn SettingsRepository;
    /// People.
    fn users(&mut self) -> &mut dyn UserRepository;
    /// Sign-ins.
    fn sessions(&mut self) -> &mut dyn SessionRepository;
    /// Attempts to sign in to accounts.
    fn attempts(&mut self) -> &mut dyn AttemptRepository;
    /// The basis and the processes.
    fn basis(&mut self) -> &mut dyn BasisRepository;
    /// Account configs.
    fn configs(&mut self) -> &mut dyn ConfigRepository;
    /// Accounts.
    fn accounts(&mut self) -> &mut dyn AccountRepository;
    /// The organisation.
    fn organisation(&mut self) -> &mut dyn OrganisationRepository;
    /// Whose accounts are.
    fn mappings(&mut self) -> &mut dyn MappingRepository;
    /// Trades that were applied.
    fn trades(&mut self) -> &mut dyn TradeRepository;
    /// Which accounts may hold a symbol.
    fn holdings(&mut self) -> &mut dyn HoldingRepository;
    /// Webhook endpoints.
    fn webhooks(&mut self) -> &mut dyn WebhookRepository;
    /// Answers given before.
    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository;
    /// The event log.
    fn log(&mut self) -> &mut dyn TenantLogRepository;
    /// Where the event log begins.
    fn floor(&mut self) -> &mut dyn FloorRepository;
}

/// The tenant's settings, one document.
pub trait SettingsRepository {
    /// The settings; none before the tenant is seeded.
    fn get(&mut self) -> StoreResult<Option<Settings>>;

    /// Writes the settings, whether or not there were any.
    fn put(&mut self, settings: &Settings) -> StoreResult<()>;
}

/// Account configs. Versions are only ever added, as long as the database is the same tenant's.
pub trait ConfigRepository {
    /// Adds a version. `Conflict(ConfigVersion)` if there is that version already.
    fn insert(&mut self, config: &StoredConfig) -> StoreResult<()>;

    /// The current (highest) versions of these ids, without documents; unknown ids are left out.
    fn heads(&mut self, ids: &[ConfigId]) -> StoreResult<Vec<ConfigHead>>;

    /// One version, or the current one.
    fn get(&mut self, id: &ConfigId, version: Option<ConfigVersion>) -> StoreResult<Option<StoredConfig>>;

    /// The current versions of at most `limit` ids in order of id, after the id `after`.
    fn page(&mut self, after: Option<&ConfigId>, limit: usize) -> StoreResult<Vec<ConfigHead>>;

    /// The highest version of this id whose resolved document has this hash.
    fn with_hash(&mut self, id: &ConfigId, hash: &str) -> StoreResult<Option<StoredConfig>>;

    /// At most `limit` versions of this id without their documents, the highest first, below the version `before`.
    fn versions(
        &mut self,
        id: &ConfigId,
        before: Option<ConfigVersion>,
        limit: usize,
    ) -> StoreResult<Vec<ConfigVersionRecord>>;

    /// Removes every version of every config: for a database that nobody has used yet and that takes over what another
    /// one holds, instead of what it was seeded with.
    fn clear(&mut self) -> StoreResult<()>;
}

/// Which accounts to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Only those of this website user.
    pub user: Option<WebsiteUserId>,
    /// Only those in this status.
    pub status: Option<AccountStatus>,
    /// Only those of this config.
    pub config: Option<ConfigId>,
}

/// Which state of an account it is: where both are the same, everything else is too. The version alone would do, were it
/// not for a database that is restored from a backup and counts on from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountRevision {
    /// [`Account::version`].
    pub version: i64,
    /// [`Account::updated_at`].
    pub updated_at: DateTime<Utc>,
}

impl From<&Account> for AccountRevision {
    fn from(account: &Account) -> Self {
        Self { version: account.version, updated_at: account.updated_at }
    }
}

/// Trading accounts. Reads and writes take slices, since they are what everybody does at once.
pub trait AccountRepository {
    /// Adds accounts, in one statement where the database can. `Conflict(AccountId)`.
    fn insert(&mut self, accounts: &[Account]) -> StoreResult<()>;

    /// The accounts with these ids, in any order; unknown ids are left out.
    fn get(&mut self, ids: &[AccountId]) -> StoreResult<Vec<Account>>;

    /// In which state the accounts with these ids are, in any order; unknown ids are left out. Much cheaper than the
    /// accounts, for those who know them already.
    fn revisions(&mut self, ids: &[AccountId]) -> StoreResult<Vec<(AccountId, AccountRevision)>>;

    /// Replaces accounts, in one statement where the database can. Each carries the version after the one that it was read
    /// with, and comes once; `Stale` if any of them has another by now or does not exist, and then none is replaced. What an
    /// account is born with stays as it is: tenant, user and the time of its provisioning.
    fn update(&mut self, accounts: &[Account]) -> StoreResult<()>;

    /// At most `limit` accounts, newest first (ids are time-ordered), after the account `after`.
    fn page(
        &mut self,
        filter: &AccountFilter,
        after: Option<AccountId>,
        limit: usize,
    ) -> StoreResult<Vec<Account>>;

    /// At most `limit` accounts whose [`rolls_at`](Account::rolls_at) is at `now` or earlier, those longest due first.
    fn to_roll(&mut self, now: DateTime<Utc>, limit: usize) -> StoreResult<Vec<Account>>;

    /// The earliest [`rolls_at`](Account::rolls_at) there is.
    fn next_roll(&mut self) -> StoreResult<Option<DateTime<Utc>>>;

    /// How many accounts there are.
    fn count(&mut self) -> StoreResult<u64>;
}

/// First answers, kept so that a repeated request gets the same one.
pub trait IdempotencyRepository {
    /// What was answered in these scopes; a scope nothing was answered in is left out. An answer older than `since` counts as none.
    fn find(&mut self, scopes: &[&str], since: DateTime<Utc>) -> StoreResult<Vec<StoredResponse>>;

    /// Keeps first answers, replacing those older than `since`; `Conflict(IdempotencyKey)` if a younger one exists.
    fn insert(&mut self, responses: &[StoredResponse], since: DateTime<Utc>) -> StoreResult<()>;

    /// Removes at most `limit` answers older than `since`, but for what somebody else is removing. For the control database:
    /// tenants' own logins may not, and there it would look at every answer.
    fn forget(&mut self, since: DateTime<Utc>, limit: usize) -> StoreResult<()>;

    /// Removes at most `limit` answers older than `since`, in whichever order, but for what somebody else holds; how many those
    /// were. For the owner of a tenant's database, who looks at every answer from time to time.
    fn sweep(&mut self, since: DateTime<Utc>, limit: usize) -> StoreResult<usize>;
}
