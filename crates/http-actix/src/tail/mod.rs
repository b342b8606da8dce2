//! The ends of the event logs that somebody listens to: however many listen to one, one looks.

mod recent;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::rt::time::timeout;
use actix_web::web::Data;
use tenantry_domain::id::TenantId;
use tenantry_ports::Nudge;
use tenantry_usecases::Log;
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
    /// Most who listen to one log.
    share: usize,
}

#[derive(Debug)]
struct State {
    open: bool,
    listening: usize,
    /// By whose log it is; none for the platform's.
    logs: HashMap<Option<TenantId>, Followed>,
}

#[derive(Debug)]
struct Followed {
    listening: usize,
    tail: Arc<Tail>,
}

/// The end of one log.
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
    /// So many listen to this log already.
    Share(usize),
    /// There is no place left in this process, or it stops.
    Full,
}

impl Tails {
    /// Nobody listens yet; at most `places` may at a time, and a `share` of those to one log.
    pub fn new(places: usize, share: usize) -> Self {
        let state = State { open: true, listening: 0, logs: HashMap::new() };
        Self { state: Mutex::new(state), places, share }
    }

    /// Lets somebody listen to this log, if there is a place. `through` is a place in it that it has been read up to.
    pub(crate) fn listen(state: &Data<HttpState>, log: &Log, through: i64) -> Result<Listening, NoPlace> {
        let tails = Arc::clone(&state.tails);
        let mut all = tails.lock();
        let already = all.logs.get(&log.owner()).map_or(0, |followed| followed.listening);
        if !all.open || all.listening >= tails.places {
            return Err(NoPlace::Full);
        }
        if already >= tails.share {
            return Err(NoPlace::Share(tails.share));
        }
        all.listening += 1;
        let followed = all.logs.entry(log.owner()).or_insert_with(|| {
            let tail = Arc::new(Tail {
                wake: Notify::new(),
                recent: Mutex::new(Recent::after(through)),
                news: Mutex::new(Some(watch::Sender::new(()))),
            });
            actix_web::rt::spawn(Arc::clone(&tail).follow(Data::clone(state), log.clone()));
            Followed { listening: 0, tail }
        });
        followed.listening += 1;
        let tail = Arc::clone(&followed.tail);
        drop(all);
        let news = tail.news().as_ref().map(watch::Sender::subscribe).ok_or(NoPlace::Full)?;
        Ok(Listening { tails, owner: log.owner(), tail, news })
    }

    /// Sends everybody away, and lets nobody listen any more.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.open = false;
        state.logs.values().for_each(|followed| followed.tail.end());
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

impl State {
    fn wake(&self, owner: Option<TenantId>) {
        if let Some(followed) = self.logs.get(&owner) {
            followed.tail.wake.notify_one();
        }
    }
}

impl Default for Tails {
    /// A thousand may listen, 32 of them to the same log.
    fn default() -> Self {
        Self::new(1024, 32)
    }
}

impl Nudge for Tails {
    fn runs_are_due(&self) {}

    fn log_moved(&self, tenant: TenantId) {
        self.lock().wake(Some(tenant));
    }

    fn platform_log_moved(&self) {
        self.lock().wake(None);
    }
}

impl Tail {
    /// Takes in what is new until nobody listens any more.
    async fn follow(self: Arc<Self>, state: Data<HttpState>, log: Log) {
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
            let (platform, log, after) = (Arc::clone(&state.platform), log.clone(), self.recent().through());
            let party = Party::from(&log);
            let look = move || events::page(&platform, &log, &Wanted::default(), Start::After(after), SLICE);
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
    owner: Option<TenantId>,
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
        if let Some(followed) = state.logs.get_mut(&self.owner) {
            followed.listening -= 1;
            if followed.listening == 0 {
                followed.tail.end();
                state.logs.remove(&self.owner);
            }
        }
    }
}
