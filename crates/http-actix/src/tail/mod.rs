//! The ends of the event logs that somebody listens to: however many listen to a tenant, one looks.

mod recent;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::rt::time::timeout;
use actix_web::web::Data;
use tenantry_domain::id::TenantId;
use tenantry_ports::{Nudge, TenantScope};
use tenantry_usecases::events::{self, Start, Wanted};
use tokio::sync::{Notify, watch};

use crate::HttpState;
use crate::fair::Party;

pub(crate) use recent::{Recent, Told};

/// How often it is looked for what other processes wrote.
const PACE: Duration = Duration::from_secs(1);
/// How many events are taken in at a time.
const SLICE: usize = 200;

/// Follows the logs that somebody listens to, in this process. It is a [`Nudge`]: the composition root sees to it that it is
/// told when one of them moves.
///
/// What another process writes is not heard of here, so every log that is listened to is looked at once a second, too.
#[derive(Debug)]
pub struct Tails {
    state: Mutex<State>,
    /// Most who listen at a time.
    places: usize,
    /// Most who listen to one tenant.
    share: usize,
}

#[derive(Debug)]
struct State {
    open: bool,
    listening: usize,
    tenants: HashMap<TenantId, Followed>,
}

#[derive(Debug)]
struct Followed {
    listening: usize,
    tail: Arc<Tail>,
}

/// The end of one tenant's log.
#[derive(Debug)]
struct Tail {
    /// Said when the log may have moved, and when nobody listens any more.
    wake: Notify,
    recent: Mutex<Recent>,
    /// Told whenever there is something new; gone when nobody is to wait any more.
    news: Mutex<Option<watch::Sender<()>>>,
}

/// Why nobody more may listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// So many listen to this tenant already.
    Share(usize),
    /// There is no place left in this process, or it stops.
    Full,
}

impl Tails {
    /// Nobody listens yet; at most `places` may at a time, and a `share` of those to one tenant.
    pub fn new(places: usize, share: usize) -> Self {
        let state = State { open: true, listening: 0, tenants: HashMap::new() };
        Self { state: Mutex::new(state), places, share }
    }

    /// Lets somebody listen to this tenant, if there is a place. `through` is a place in its log that it has been read up to.
    pub(crate) fn listen(
        state: &Data<HttpState>,
        scope: &TenantScope,
        through: i64,
    ) -> Result<Listening, NoPlace> {
        let tails = Arc::clone(&state.tails);
        let mut all = tails.lock();
        let already = all.tenants.get(&scope.tenant()).map_or(0, |followed| followed.listening);
        if !all.open || all.listening >= tails.places {
            return Err(NoPlace::Full);
        }
        if already >= tails.share {
            return Err(NoPlace::Share(tails.share));
        }
        all.listening += 1;
        let followed = all.tenants.entry(scope.tenant()).or_insert_with(|| {
            let tail = Arc::new(Tail {
                wake: Notify::new(),
                recent: Mutex::new(Recent::after(through)),
                news: Mutex::new(Some(watch::Sender::new(()))),
            });
            actix_web::rt::spawn(Arc::clone(&tail).follow(Data::clone(state), scope.clone()));
            Followed { listening: 0, tail }
        });
        followed.listening += 1;
        let tail = Arc::clone(&followed.tail);
        drop(all);
        let news = tail.news().as_ref().map(watch::Sender::subscribe).ok_or(NoPlace::Full)?;
        Ok(Listening { tails, tenant: scope.tenant(), tail, news })
    }

    /// Sends everybody away, and lets nobody listen any more.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.open = false;
        state.tenants.values().for_each(|followed| followed.tail.end());
    }

    /// How many listen.
    #[cfg(test)]
    pub(crate) fn listening(&self) -> usize {
        self.lock().listening
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Tails {
    /// A thousand may listen, 32 of them to the same tenant.
    fn default() -> Self {
        Self::new(1024, 32)
    }
}

impl Nudge for Tails {
    fn runs_are_due(&self) {}

    fn log_moved(&self, tenant: TenantId) {
        if let Some(followed) = self.lock().tenants.get(&tenant) {
            followed.tail.wake.notify_one();
        }
    }
}

impl Tail {
    /// Takes in what is new until nobody listens any more.
    async fn follow(self: Arc<Self>, state: Data<HttpState>, scope: TenantScope) {
        // However this ends, nobody waits for it any more.
        let _ending = Ending(&self);
        let mut behind = true;
        loop {
            if !behind {
                // The timer finds what was not said.
                let _ = timeout(PACE, self.wake.notified()).await;
            }
            if self.news().is_none() {
                return;
            }
            let (platform, scope, after) =
                (Arc::clone(&state.platform), scope.clone(), self.recent().through());
            let party = Party::Tenant(scope.tenant());
            let look =
                move || events::page(&platform, &scope, &Wanted::default(), Start::After(after), SLICE);
            // What is wrong with the store is in its log; those who listen wait until it is not.
            let found = state.storage().run_for(party, look).await;
            behind = matches!(&found, Ok(Ok(page)) if page.more);
            if let Ok(Ok(page)) = found
                && !page.events.is_empty()
            {
                self.recent().add(page.events);
                if let Some(news) = self.news().as_ref() {
                    news.send_replace(());
                }
            }
        }
    }

    fn end(&self) {
        *self.news() = None;
        self.wake.notify_one();
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn news(&self) -> MutexGuard<'_, Option<watch::Sender<()>>> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Ending<'a>(&'a Tail);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// A place to listen; given back when dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    tails: Arc<Tails>,
    tenant: TenantId,
    tail: Arc<Tail>,
    news: watch::Receiver<()>,
}

/// Nobody may listen any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed;

impl Listening {
    /// Waits for something new. What came since the last wait is not missed.
    pub(crate) async fn news(&mut self) -> Result<(), Closed> {
        self.news.changed().await.map_err(|_| Closed)
    }

    /// At most `limit` events after this place; none if some of them are not remembered any more.
    pub(crate) fn after(&self, place: i64, limit: usize) -> Option<Vec<Arc<Told>>> {
        self.tail.recent().since(place, limit)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut state = self.tails.lock();
        state.listening -= 1;
        if let Some(followed) = state.tenants.get_mut(&self.tenant) {
            followed.listening -= 1;
            if followed.listening == 0 {
                followed.tail.end();
                state.tenants.remove(&self.tenant);
            }
        }
    }
}
