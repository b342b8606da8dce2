use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tenantry_ports::StoreResult;
use tenantry_usecases::Platform;
use tenantry_usecases::provisioning::{Tended, tend_once};
use tenantry_usecases::{sign_in, tenants};

use crate::bell::Bell;

/// How often the pool is looked after. Whoever empties it is not in the way of its refilling for a moment.
const TENDING: Duration = Duration::from_secs(1);
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
        attempt("the warm pool cannot be looked after", || tend(platform, bell));
        if bell.wait(Some(TENDING)).is_none() {
            return;
        }
    }
}

fn tend(platform: &Platform, bell: &Bell) -> StoreResult<()> {
    while !bell.is_closed() && tend_once(platform)? == Tended::Done {}
    Ok(())
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
