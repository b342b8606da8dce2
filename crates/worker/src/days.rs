use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tenantry_usecases::Platform;
use tenantry_usecases::days::roll_once;

use crate::bell::Bell;

/// How often it is seen whether a tenant's accounts are due. Nobody waits for that: whatever happens to an account in the
/// meantime begins its day itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// A thread that begins the days of accounts to which nothing happens.
#[derive(Debug)]
pub(crate) struct Days {
    bell: Arc<Bell>,
    thread: JoinHandle<()>,
}

impl Days {
    pub(crate) fn start(platform: &Arc<Platform>, name: &str) -> std::io::Result<Self> {
        let bell = Arc::new(Bell::default());
        let (platform, closed, name) = (Arc::clone(platform), Arc::clone(&bell), format!("{name}-days"));
        let thread =
            thread::Builder::new().name("days".to_owned()).spawn(move || work(&platform, &closed, &name))?;
        Ok(Self { bell, thread })
    }

    /// Lets it finish the tenant it is at, and waits for that.
    pub(crate) fn stop(self) {
        self.bell.close();
        // What it panicked with was logged when it did.
        let _ = self.thread.join();
    }
}

fn work(platform: &Platform, bell: &Bell, name: &str) {
    while !bell.is_closed() {
        if !roll(platform, name) && bell.wait(Some(PATIENCE)).is_none() {
            return;
        }
    }
}

/// Whether there was a tenant to look at.
fn roll(platform: &Platform, name: &str) -> bool {
    match catch_unwind(AssertUnwindSafe(|| roll_once(platform, name))) {
        Ok(Ok(Some(rolled))) => {
            tracing::debug!(?rolled, "Days have begun");
            true
        }
        Ok(Ok(None)) => false,
        Ok(Err(error)) => {
            tracing::error!("It cannot be seen whose days begin: {error}");
            false
        }
        Err(_) => {
            tracing::error!("Beginning days panicked; it is tried again when the lease has expired");
            false
        }
    }
}
