//! Who waits for a tenant is woken as soon as something in this process changes it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenantry_domain::id::TenantId;
use tenantry_ports::Nudge;
use tokio::sync::watch;

/// Those who wait for tenants, in this process. It is a [`Nudge`]: the composition root sees to it that it is told.
///
/// What another process does is not heard of here, so whoever waits has to look from time to time, too.
#[derive(Debug)]
pub struct Watch {
    state: Mutex<State>,
    /// Most who wait at a time.
    places: usize,
    /// Most who wait for one tenant.
    share: usize,
}

#[derive(Debug)]
struct State {
    open: bool,
    waiting: usize,
    tenants: HashMap<TenantId, Waiters>,
}

#[derive(Debug)]
struct Waiters {
    number: usize,
    changes: watch::Sender<()>,
}

impl Watch {
    /// Nobody waits yet; at most `places` may at a time, and a `share` of those for one tenant.
    pub fn new(places: usize, share: usize) -> Self {
        let state = State { open: true, waiting: 0, tenants: HashMap::new() };
        Self { state: Mutex::new(state), places, share }
    }

    /// Lets somebody wait for this tenant, if there is a place.
    pub(crate) fn subscribe(self: &Arc<Self>, tenant: TenantId) -> Option<Watching> {
        let mut state = self.lock();
        let for_this = state.tenants.get(&tenant).map_or(0, |waiters| waiters.number);
        if !state.open || state.waiting >= self.places || for_this >= self.share {
            return None;
        }
        state.waiting += 1;
        let nobody = || Waiters { number: 0, changes: watch::Sender::new(()) };
        let waiters = state.tenants.entry(tenant).or_insert_with(nobody);
        waiters.number += 1;
        Some(Watching { watch: Arc::clone(self), tenant, changes: waiters.changes.subscribe() })
    }

    /// Sends everybody away, and lets nobody wait any more.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.open = false;
        state.tenants.clear();
    }

    /// How many wait.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Watch {
    /// A thousand may wait, sixteen of them for the same tenant.
    fn default() -> Self {
        Self::new(1024, 16)
    }
}

impl Nudge for Watch {
    fn runs_are_due(&self) {}

    fn tenant_changed(&self, tenant: TenantId) {
        if let Some(waiters) = self.lock().tenants.get(&tenant) {
            waiters.changes.send_replace(());
        }
    }
}

/// A place to wait; given back when dropped.
#[derive(Debug)]
pub(crate) struct Watching {
    watch: Arc<Watch>,
    tenant: TenantId,
    changes: watch::Receiver<()>,
}

/// Nobody may wait any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed;

impl Watching {
    /// Waits for the next change. One that came since the last wait is not missed.
    pub(crate) async fn changed(&mut self) -> Result<(), Closed> {
        self.changes.changed().await.map_err(|_| Closed)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut state = self.watch.lock();
        state.waiting -= 1;
        if let Some(waiters) = state.tenants.get_mut(&self.tenant) {
            waiters.number -= 1;
            if waiters.number == 0 {
                state.tenants.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tenantry_testkit::sample;

    use super::*;

    #[tokio::test]
    async fn those_who_wait_for_the_tenant_are_woken_and_no_others() {
        let watch = Arc::new(Watch::default());
        let (tenant, other) = (sample::id(), sample::id());
        let mut waiting = [tenant, tenant, other].map(|tenant| watch.subscribe(tenant).unwrap());
        watch.tenant_changed(tenant);
        let woken = waiting.each_mut().map(|place| place.changed().now_or_never());
        assert_eq!(woken, [Some(Ok(())), Some(Ok(())), None]);
        assert_eq!(waiting[0].changed().now_or_never(), None, "a change wakes once");
    }

    #[tokio::test]
    async fn a_change_from_another_thread_ends_the_wait() {
        let watch = Arc::new(Watch::default());
        let tenant = sample::id();
        let mut place = watch.subscribe(tenant).unwrap();
        let changing = std::thread::spawn({
            let watch = Arc::clone(&watch);
            move || watch.tenant_changed(tenant)
        });
        assert_eq!(place.changed().await, Ok(()));
        changing.join().unwrap();
    }

    #[tokio::test]
    async fn places_are_bounded_and_given_back() {
        let watch = Arc::new(Watch::new(3, 2));
        let (tenant, other, third) = (sample::id(), sample::id(), sample::id());
        let taken = [tenant, tenant].map(|tenant| watch.subscribe(tenant).unwrap());
        assert!(watch.subscribe(tenant).is_none(), "its share is used up");
        let elsewhere = watch.subscribe(other).unwrap();
        assert!(watch.subscribe(third).is_none(), "there is no place left");
        drop(elsewhere);
        assert!(watch.subscribe(third).is_some());
        drop(taken);
        assert_eq!(watch.waiting(), 0);
        assert!(watch.lock().tenants.is_empty());
    }

    #[tokio::test]
    async fn closing_sends_everybody_away_for_good() {
        let watch = Arc::new(Watch::default());
        let tenant = sample::id();
        let mut place = watch.subscribe(tenant).unwrap();
        watch.close();
        assert_eq!(place.changed().await, Err(Closed));
        assert!(watch.subscribe(tenant).is_none());
        drop(place);
        assert_eq!(watch.waiting(), 0);
    }
}
