use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tenantry_domain::id::TenantId;
use tenantry_ports::{Nudge, StoreResult, TenantScope};
use tenantry_usecases::Platform;
use tenantry_usecases::webhooks::{self, Slice};
use tokio::runtime::{Builder, Handle, Runtime};

/// How often marked tenants are looked at: what other processes commit is found then.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many marked tenants are looked at in one go.
const TENANTS: usize = 256;
/// How long a tenant that is not in service is left alone.
const AWAY: TimeDelta = TimeDelta::seconds(60);

/// Says which tenants' databases were written to. Rings for a [`Deliverer`].
#[derive(Debug, Default)]
pub struct DeliveryBell {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    moved: BTreeSet<TenantId>,
    closed: bool,
    /// Tenants that are being looked at, and whether they are to be once more.
    looking: BTreeMap<TenantId, bool>,
    /// How many slices are under way.
    slices: usize,
}

impl Nudge for DeliveryBell {
    fn runs_are_due(&self) {}

    fn log_moved(&self, tenant: TenantId) {
        self.lock().moved.insert(tenant);
        self.changed.notify_all();
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

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

/// Delivers tenants' events to their webhook endpoints until it is stopped: a thread that finds out for whom there is something
/// to do, a runtime for what goes over the network, and a few threads of it for storage. Every endpoint is on its own: one that
/// does not answer delays no other.
#[derive(Debug)]
pub struct Deliverer {
    bell: Arc<DeliveryBell>,
    thread: Option<JoinHandle<()>>,
    runtime: Option<Runtime>,
    patience: Duration,
}

impl Deliverer {
    /// Starts it. `bell` is the one that the platform's `Nudge` rings.
    pub fn start(platform: &Arc<Platform>, bell: &Arc<DeliveryBell>) -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(4)
            .thread_name("deliver-io")
            .enable_all()
            .build()?;
        let courier = Courier {
            platform: Arc::clone(platform),
            bell: Arc::clone(bell),
            runtime: runtime.handle().clone(),
        };
        let thread = thread::Builder::new().name("deliver".to_owned()).spawn(move || courier.work())?;
        let patience = platform.endpoints.timeout * 2;
        Ok(Self { bell: Arc::clone(bell), thread: Some(thread), runtime: Some(runtime), patience })
    }

    /// Lets the slices that are under way end, and waits for that. What takes longer than calls may is sent again by somebody
    /// else.
    pub fn stop(mut self) {
        self.bell.close();
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
        if let Some(runtime) = self.runtime.take() {
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
    runtime: Handle,
}

impl Courier {
    fn work(&self) {
        let mut looked: Option<Instant> = None;
        while let Some(moved) = self.bell.wait(PATIENCE) {
            for tenant in moved {
                self.begin(tenant, false);
            }
            if looked.is_some_and(|at| at.elapsed() < PATIENCE) {
                continue;
            }
            looked = Some(Instant::now());
            match webhooks::due_tenants(&self.platform, TENANTS) {
                Ok(marked) => marked.into_iter().for_each(|tenant| self.begin(tenant, true)),
                Err(error) => {
                    tracing::error!("Cannot find out for whom there is something to deliver: {error}");
                }
            }
        }
    }

    /// Has a tenant looked at, now or once more when whoever looks at it is done.
    fn begin(&self, tenant: TenantId, marked: bool) {
        let mut state = self.bell.lock();
        if let Some(again) = state.looking.get_mut(&tenant) {
            *again = true;
            return;
        }
        state.looking.insert(tenant, false);
        drop(state);
        let courier = self.clone();
        self.runtime.spawn_blocking(move || {
            let looking = Looking { courier: &courier, tenant };
            if let Err(error) = courier.look(tenant, marked) {
                tracing::error!(%tenant, "Cannot look for what is to be delivered: {error}");
            }
            drop(looking);
        });
    }

    fn look(&self, tenant: TenantId, marked: bool) -> StoreResult<()> {
        let platform = &self.platform;
        let now = platform.clock.now();
        let found = platform.control.read(|tx| tx.tenants().get(tenant))?;
        let Some(found) = found else { return webhooks::unmark(platform, tenant, now, None) };
        let Ok(scope) = TenantScope::serving(&found) else {
            let later = TenantScope::maintenance(&found).is_ok().then(|| now + AWAY);
            return webhooks::unmark(platform, tenant, now, later);
        };
        match webhooks::next_look(platform, &scope)? {
            Some(due) if due <= now => {
                for slice in webhooks::claim(platform, &scope)? {
                    self.bell.lock().slices += 1;
                    let under_way = UnderWay(Arc::clone(&self.bell));
                    self.runtime.spawn(self.clone().deliver(scope.clone(), slice, under_way));
                }
                Ok(())
            }
            next if marked => webhooks::unmark(platform, tenant, now, next),
            _ => Ok(()),
        }
    }

    /// Sends one slice after the other to an endpoint, as long as there are any.
    async fn deliver(self, scope: TenantScope, slice: Slice, _under_way: UnderWay) {
        let mut next = Some(slice);
        while let Some(slice) = next {
            let outcomes = webhooks::send(&self.platform, &slice).await;
            let (platform, scope) = (Arc::clone(&self.platform), scope.clone());
            let goes_on = !self.bell.lock().closed;
            let settle = move || webhooks::settle(&platform, &scope, &slice, &outcomes, goes_on);
            next = match self.runtime.spawn_blocking(settle).await {
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
