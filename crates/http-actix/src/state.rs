use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::web::Bytes;
use tenantry_domain::id::AccountId;
use tenantry_ports::{StoreError, TenantScope};
use tenantry_usecases::access::Principal;
use tenantry_usecases::accounts::{ProvisionAccount, ProvisionError, Receipt};
use tenantry_usecases::trades::{ApplyTrades, TradeError};
use tenantry_usecases::{Platform, accounts, limits, trades};

use crate::auth::{Credential, Gate};
use crate::lanes::{Lanes, Limits};
use crate::limits::{Rates, TenantRates, Ticks};
use crate::pools::{Pool, PoolQueue};
use crate::routes::accounts::{Found, Reader, Receipts};
use crate::{Doors, HttpSettings, Tails, Watch, openapi};

/// Whether the server may be sent traffic. Asked on a storage thread, so it may look at the database.
pub trait Readiness: Send + Sync {
    /// What has to hold, each by a name that may be shown to strangers, and whether it does.
    fn checks(&self) -> Vec<(&'static str, bool)>;
}

/// Everything the handlers share, once per process.
pub struct HttpState {
    pub(crate) platform: Arc<Platform>,
    pub(crate) settings: HttpSettings,
    pub(crate) prefix: String,
    pub(crate) doors: Doors,
    pub(crate) gate: Gate,
    pub(crate) rates: Rates,
    pub(crate) tenant_rates: TenantRates,
    /// What this process calls itself among the others.
    replica: String,
    pub(crate) provisioning: Lanes<TenantScope, ProvisionAccount, Result<Receipt, ProvisionError>>,
    pub(crate) trading: Lanes<TenantScope, ApplyTrades, Result<trades::Receipt, TradeError>>,
    pub(crate) reading: Lanes<TenantScope, AccountId, AccountRead>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) tails: Arc<Tails>,
    pub(crate) readiness: Arc<dyn Readiness>,
    document: OnceLock<Bytes>,
    draining: AtomicBool,
    storage: Pool,
    hashing: Pool,
}

/// Most commands in one slice.
pub(crate) const SLICE: usize = 64;
/// What reading an account comes to; answers and failures are shared by those who asked together.
type AccountRead = Result<Found, Arc<StoreError>>;

/// Most commands of one tenant that wait.
const WAITING: usize = 1024;

impl HttpState {
    /// How often processes on the same control database have to tell each other what they let in.
    pub const HEARTBEAT: Duration = Duration::from_secs(3);

    /// Starts the thread pools. Fails if the system gives no threads. `watch` and `tails` are those that the platform's
    /// `Nudge` tells.
    pub fn new(
        platform: Arc<Platform>,
        settings: HttpSettings,
        doors: Doors,
        watch: Arc<Watch>,
        tails: Arc<Tails>,
        readiness: Arc<dyn Readiness>,
    ) -> io::Result<Self> {
        let storage = Pool::new("storage", settings.storage_threads, settings.storage_queue)?;
        let hashing = Pool::new("hashing", settings.hashing_threads, settings.hashing_queue)?;
        let prefix = settings.prefix();
        Ok(Self {
            gate: Gate::new(Arc::clone(&platform), storage.queue().clone()),
            provisioning: provisioning_lanes(&platform, &prefix, storage.queue()),
            trading: trading_lanes(&platform, storage.queue()),
            reading: reading_lanes(&platform, storage.queue()),
            replica: platform.ids.time_ordered().to_string(),
            platform,
            rates: Rates::new(&settings, Ticks::of_system()),
            tenant_rates: TenantRates::new(settings.caller_percent, Ticks::of_system()),
            settings,
            prefix,
            doors,
            watch,
            tails,
            readiness,
            document: OnceLock::new(),
            draining: AtomicBool::new(false),
            storage,
            hashing,
        })
    }

    /// From now on `/health/ready` says no, so that load balancers look elsewhere; requests are served as before, but none
    /// waits for a tenant any more.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        self.watch.close();
        self.tails.close();
    }

    /// Whether there is somebody behind this credential (an API key or an access token) who may call: what every request that
    /// carries one asks first.
    pub async fn recognises(&self, credential: &str) -> bool {
        self.gate.principal(Credential(credential), false).await.is_ok()
    }

    /// Counts a request of this caller, and says whether it is one too many: what every request of a caller who is recognised
    /// costs besides. Every few seconds it asks the database what was agreed on with the tenant.
    pub fn admits(&self, caller: &Principal) -> bool {
        if let Some(tenant) = self.tenant_rates.unknown(caller) {
            self.tenant_rates.agree(&self.platform, tenant);
        }
        self.tenant_rates.count(caller).is_none_or(|counted| counted.is_ok())
    }

    /// Tells the other processes on the same control database that this one is there and what it lets in, and learns the same of
    /// them, so that together they keep tenants' rates. Talks to the database; to be called before the server listens, and
    /// every [`HEARTBEAT`](Self::HEARTBEAT) from then on. Where it fails, everything stays as it was for a while; who the
    /// others have not heard of for so long that they share the rates among themselves lets in next to nothing.
    pub fn announce(&self) {
        let own = self.tenant_rates.let_in();
        let error = match limits::announce(&self.platform, &self.replica, own.clone()) {
            Ok(others) => return self.tenant_rates.share_with(&own, &others),
            Err(error) => error,
        };
        tracing::warn!(
            target: "tenantry::http",
            %error,
            "the other replicas could not be told that this one is there; rates are shared as before, for a while"
        );
        // Where nobody can tell anybody anything, nobody takes over what is this one's.
        if limits::others(&self.platform, &self.replica).is_ok_and(|others| others.is_empty()) {
            self.tenant_rates.keep_shares();
        }
    }

    /// Tells the other processes that this one stops, so that they take over its part at once.
    pub fn withdraw(&self) {
        if let Err(error) = limits::withdraw(&self.platform, &self.replica) {
            tracing::debug!(target: "tenantry::http", %error, "the other replicas will notice by themselves");
        }
    }

    /// The OpenAPI document as it is served. It is made when somebody asks for it first: mostly nobody does, and making it takes
    /// several times the memory that it has.
    pub(crate) fn document(&self) -> serde_json::Result<Bytes> {
        if let Some(made) = self.document.get() {
            return Ok(made.clone());
        }
        let made = serde_json::to_vec(&openapi::document(&self.settings, self.doors.access()))?;
        Ok(self.document.get_or_init(|| made.into()).clone())
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Threads for what talks to a database.
    pub(crate) const fn storage(&self) -> &PoolQueue {
        self.storage.queue()
    }

    /// Threads for what hashes a password.
    pub(crate) const fn hashing(&self) -> &PoolQueue {
        self.hashing.queue()
    }
}

fn provisioning_lanes(
    platform: &Arc<Platform>,
    prefix: &str,
    storage: &PoolQueue,
) -> Lanes<TenantScope, ProvisionAccount, Result<Receipt, ProvisionError>> {
    let platform = Arc::clone(platform);
    let receipts = Receipts { prefix: prefix.to_owned() };
    let limits = Limits { slice: SLICE, concurrency: 1, waiting: WAITING };
    Lanes::new(limits, storage.clone(), move |scope: &TenantScope, slice: &[ProvisionAccount]| {
        accounts::provision(&platform, scope, slice, &receipts)
    })
}

fn trading_lanes(
    platform: &Arc<Platform>,
    storage: &PoolQueue,
) -> Lanes<TenantScope, ApplyTrades, Result<trades::Receipt, TradeError>> {
    let platform = Arc::clone(platform);
    let limits = Limits { slice: SLICE, concurrency: 1, waiting: WAITING };
    Lanes::new(limits, storage.clone(), move |scope: &TenantScope, slice: &[ApplyTrades]| {
        trades::apply(&platform, scope, slice, crate::routes::trades::answer)
    })
}

fn reading_lanes(
    platform: &Arc<Platform>,
    storage: &PoolQueue,
) -> Lanes<TenantScope, AccountId, AccountRead> {
    let reader = Reader::new(Arc::clone(platform));
    let limits = Limits { slice: SLICE, concurrency: 2, waiting: WAITING };
    Lanes::new(limits, storage.clone(), move |scope: &TenantScope, slice: &[AccountId]| {
        match reader.read(scope, slice) {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            Err(error) => {
                let error = Arc::new(error);
                slice.iter().map(|_| Err(Arc::clone(&error))).collect()
            }
        }
    })
}
