use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tenantry_ports::StoreResult;
use tenantry_usecases::Platform;
use tenantry_usecases::provisioning::{Tended, tend_once};
use tenantry_usecases::{sign_in, tenants};

use crate::bell::Bell;

/// How soon the pool is looked after again that had to be. Its refilling is not in the way of whoever empties it for a moment.
const TENDING: Duration = Duration::from_secs(1);
/// How soon when it was as it should be, since mostly it is.
const RESTING: Duration = Duration::from_secs(5);
/// How often tenants are looked for that nobody confirmed in time.
const EXPIRING: Duration = Duration::from_secs(15);

/// How often it is forgotten where attempts to sign in came from.
const FORGETTING: Duration = Duration::from_secs(60);

/// A thread that does what nobody waits for: keeps the warm pool full, and lets go of what was never confirmed and of what is
/// remembered no more.
#[derive(Debug)]
pub(crate) struct Keeper {
    bell: Arc<Bell>,
    thread: JoinHandle<()>,
}

impl Keeper {
    pub(crate) fn start(platform: &Arc<Platform>) -> std::io::Result<Self> {
        let bell = Arc::new(Bell::default());
        let (platform, closed) = (Arc::clone(platform), Arc::clone(&bell));
        let thread =
            thread::Builder::new().name("keeper".to_owned()).spawn(move || keep(&platform, &closed))?;
        Ok(Self { bell, thread })
    }

    /// Lets it finish what it is at, and waits for that.
    pub(crate) fn stop(self) {
        self.bell.close();
        // What it panicked with was logged when it did.
        let _ = self.thread.join();
    }
}

fn keep(platform: &Platform, bell: &Bell) {
    let (mut expired, mut forgotten): (Option<Instant>, Option<Instant>) = (None, None);
    loop {
        if expired.is_none_or(|at| at.elapsed() >= EXPIRING) {
            expired = Some(Instant::now());
            attempt("tenants nobody confirmed cannot be let go of", || expire(platform));
        }
        if forgotten.is_none_or(|at| at.elapsed() >= FORGETTING) {
            forgotten = Some(Instant::now());
            attempt("old attempts to sign in cannot be forgotten", || {
                sign_in::forget_old_attempts(platform).map(drop)
            });
        }
        let mut next = RESTING;
        attempt("the warm pool cannot be looked after", || {
            while !bell.is_closed() && tend_once(platform)? == Tended::Done {
                next = TENDING;
            }
            Ok(())
        });
        if bell.wait(Some(next)).is_none() {
            return;
        }
    }
}

fn expire(platform: &Platform) -> StoreResult<()> {
    while tenants::expire(platform)? > 0 {}
    Ok(())
}

fn attempt(what: &str, work: impl FnOnce() -> StoreResult<()>) {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!("For now, {what}: {error}"),
        Err(_) => tracing::error!("For now, {what}: it panicked"),
    }
}
