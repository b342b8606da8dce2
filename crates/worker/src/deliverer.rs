use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::TenantId;
use tenantry_ports::{Nudge, Outlook, StoreResult, TenantScope};
use tenantry_usecases::Platform;
use tenantry_usecases::webhooks::{self, Slice};
use tokio::runtime::{Builder, Handle, Runtime};

/// How long it takes at most until marked tenants are looked at: what other processes commit is found then. Often it is less, by
/// chance, so that it is not always the same process that comes first.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many marked tenants are looked at in one go; others may be taken by other processes meanwhile.
const TENANTS: usize = 32;
/// How many times so many in a row.
const TURNS: usize = 64;
/// How long a tenant that is not in service is left alone.
const AWAY: TimeDelta = TimeDelta::seconds(60);
/// How much longer than a call may take is waited for when it is stopped.
const STOPPING: Duration = Duration::from_secs(5);
/// How many threads there are for storage.
const STORAGE: usize = 4;
/// How many names of endpoints are looked up at once, by threads that wait for name servers.
const NAMES: usize = 64;

/// Says which tenants' databases were written to. Rings for a [`Deliverer`].
#[derive(Debug, Default)]
pub struct DeliveryBell {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    moved: BTreeSet<TenantId>,
    /// Somebody delivers in this process.
    open: bool,
    closed: bool,
    /// Tenants that are being looked at, and whether they are to be once more.
    looking: BTreeMap<TenantId, bool>,
    /// When tenants were found to have no endpoints; what happens to them just after that is left to the marks.
    without: HashMap<TenantId, Instant>,
    /// How many slices are under way.
    slices: usize,
}

impl Nudge for DeliveryBell {
    fn runs_are_due(&self) {}

    fn log_moved(&self, tenant: TenantId) {
        let mut state = self.lock();
        if !state.open || state.without.get(&tenant).is_some_and(|at| at.elapsed() < PATIENCE) {
            return;
        }
        let is_news = state.moved.insert(tenant);
        drop(state);
        if is_news {
            self.changed.notify_all();
        }
    }

    fn endpoint_added(&self, tenant: TenantId) {
        self.lock().without.remove(&tenant);
    }
}

impl DeliveryBell {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tenants that were written to, after at most so long; none once it is closed.
    fn wait(&self, patience: Duration) -> Option<BTreeSet<TenantId>> {
        let quiet = |state: &mut State| state.moved.is_empty() && !state.closed;
        let waited = self.changed.wait_timeout_while(self.lock(), patience, quiet);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if state.closed { None } else { Some(std::mem::take(&mut state.moved)) }
    }

    /// Nothing is delivered to anybody for this tenant.
    fn has_none(&self, tenant: TenantId) {
        let mut state = self.lock();
        if state.without.len().is_power_of_two() {
            state.without.retain(|_, at| at.elapsed() < PATIENCE);
        }
        state.without.insert(tenant, Instant::now());
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

/// Delivers tenants' events to their webhook endpoints until it is stopped: a thread that finds out for whom there is something
/// to do, a runtime for what goes over the network, and a few threads of another one for storage, which nothing that waits for
/// the network can keep. Every endpoint is on its own: one that does not answer delays no other.
#[derive(Debug)]
pub struct Deliverer {
    bell: Arc<DeliveryBell>,
    thread: Option<JoinHandle<()>>,
    runtimes: Vec<Runtime>,
    patience: Duration,
}

impl Deliverer {
    /// Starts it. `bell` is the one that the platform's `Nudge` rings.
    pub fn start(platform: &Arc<Platform>, bell: &Arc<DeliveryBell>) -> std::io::Result<Self> {
        let network = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(NAMES)
            .thread_name("send")
            .enable_all()
            .build()?;
        // Nothing but blocking threads of it ever runs.
        let storage =
            Builder::new_current_thread().max_blocking_threads(STORAGE).thread_name("deliver").build()?;
        let courier = Courier {
            platform: Arc::clone(platform),
            bell: Arc::clone(bell),
            network: network.handle().clone(),
            storage: storage.handle().clone(),
        };
        let thread = thread::Builder::new().name("marks".to_owned()).spawn(move || courier.work())?;
        bell.lock().open = true;
        // For the calls that are under way, and for recording what came of them.
        let patience = platform.endpoints.timeout + STOPPING;
        Ok(Self { bell: Arc::clone(bell), thread: Some(thread), runtimes: vec![network, storage], patience })
    }

    /// Has no further call begun.
    pub fn close(&self) {
        self.bell.close();
    }

    /// Lets the calls that are under way end, and waits for that. What takes longer than calls may is sent again by somebody
    /// else.
    pub fn stop(mut self) {
        self.close();
        if let Some(thread) = self.thread.take() {
            // What a thread panicked with was logged when it did.
            let _ = thread.join();
        }
        let busy = |state: &mut State| state.slices > 0 || !state.looking.is_empty();
        let waited = self.bell.changed.wait_timeout_while(self.bell.lock(), self.patience, busy);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Deliverer {
    fn drop(&mut self) {
        self.bell.close();
        for runtime in self.runtimes.drain(..) {
            // A runtime that is simply dropped waits, which is not allowed everywhere.
            runtime.shutdown_background();
        }
    }
}

/// What everything that is under way needs.
#[derive(Clone)]
struct Courier {
    platform: Arc<Platform>,
    bell: Arc<DeliveryBell>,
    network: Handle,
    storage: Handle,
}

impl Courier {
    fn work(&self) {
        let mut next_look = Instant::now();
        while let Some(moved) = self.bell.wait(next_look.saturating_duration_since(Instant::now())) {
            for tenant in moved {
                self.begin(tenant, None);
            }
            if Instant::now() >= next_look {
                self.look_at_marked();
                next_look = Instant::now() + PATIENCE.mul_f64(0.5 + 0.5 * self.platform.entropy.unit());
            }
        }
    }

    fn look_at_marked(&self) {
        // In turns, so that many tenants that other processes write to wait for each other, but not for ever.
        for _ in 0..TURNS {
            let marked = match webhooks::due_tenants(&self.platform, TENANTS) {
                Ok(marked) => marked,
                Err(error) => {
                    tracing::error!("Cannot find out for whom there is something to deliver: {error}");
                    return;
                }
            };
            let are_all = marked.len() < TENANTS;
            marked.into_iter().for_each(|(tenant, until)| self.begin(tenant, Some(until)));
            if are_all {
                return;
            }
        }
    }

    /// Has a tenant looked at, now or once more when whoever looks at it is done. It may have been found by a mark.
    fn begin(&self, tenant: TenantId, marked: Option<DateTime<Utc>>) {
        let mut state = self.bell.lock();
        if let Some(again) = state.looking.get_mut(&tenant) {
            *again = true;
            return;
        }
        state.looking.insert(tenant, false);
        drop(state);
        let courier = self.clone();
        self.storage.spawn_blocking(move || {
            let looking = Looking { courier: &courier, tenant };
            if let Err(error) = courier.look(tenant, marked) {
                tracing::error!(%tenant, "Cannot look for what is to be delivered: {error}");
            }
            drop(looking);
        });
    }

    fn look(&self, tenant: TenantId, marked: Option<DateTime<Utc>>) -> StoreResult<()> {
        let platform = &self.platform;
        let now = platform.clock.now();
        let run_out = marked.is_some_and(|until| until <= now);
        let found = platform.control.read(|tx| tx.tenants().get(tenant))?;
        let Some(scope) = found.as_ref().and_then(|found| TenantScope::serving(found).ok()) else {
            let comes_back = found.is_some_and(|found| TenantScope::maintenance(&found).is_ok());
            let later = comes_back.then(|| now + AWAY);
            return if run_out { webhooks::unmark(platform, tenant, now, later) } else { Ok(()) };
        };
        let Outlook { has_endpoints, due } = webhooks::outlook(platform, &scope, now)?;
        if !has_endpoints {
            self.bell.has_none(tenant);
        }
        match due {
            Some(due) if due <= now => {
                for slice in webhooks::claim(platform, &scope)? {
                    self.bell.lock().slices += 1;
                    let under_way = UnderWay(Arc::clone(&self.bell));
                    self.network.spawn(self.clone().deliver(scope.clone(), slice, under_way));
                }
                Ok(())
            }
            next if run_out => webhooks::unmark(platform, tenant, now, next),
            _ => Ok(()),
        }
    }

    /// Sends one slice after the other to an endpoint, as long as there are any.
    async fn deliver(self, scope: TenantScope, slice: Slice, _under_way: UnderWay) {
        let mut next = Some(slice);
        while let Some(slice) = next {
            let outcomes = webhooks::send(&self.platform, &slice, &|| !self.bell.lock().closed).await;
            let (platform, scope) = (Arc::clone(&self.platform), scope.clone());
            let goes_on = !self.bell.lock().closed;
            let settle = move || webhooks::settle(&platform, &scope, &slice, &outcomes, goes_on);
            next = match self.storage.spawn_blocking(settle).await {
                Ok(Ok(next)) => next,
                Ok(Err(error)) => {
                    tracing::error!("What was delivered cannot be recorded, and is sent again: {error}");
                    None
                }
                Err(_) => {
                    tracing::error!("Recording what was delivered panicked; it is sent again");
                    None
                }
            };
        }
    }
}

/// While there is one, a tenant is being looked at.
struct Looking<'a> {
    courier: &'a Courier,
    tenant: TenantId,
}

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        let mut state = self.courier.bell.lock();
        if state.looking.remove(&self.tenant) == Some(true) {
            state.moved.insert(self.tenant);
        }
        drop(state);
        self.courier.bell.changed.notify_all();
    }
}

/// While there is one, a slice is under way.
struct UnderWay(Arc<DeliveryBell>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.lock().slices -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests;
