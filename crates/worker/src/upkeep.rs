use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tenantry_usecases::Platform;
use tenantry_usecases::upkeep::{PAUSE, turn};

use crate::bell::Bell;

/// How often it is seen whether it is time for a round. Nobody waits for that.
const PATIENCE: Duration = Duration::from_secs(60);

/// A thread that lets go of what is past its time in tenants' databases.
#[derive(Debug)]
pub(crate) struct Upkeep {
    bell: Arc<Bell>,
    thread: JoinHandle<()>,
}

impl Upkeep {
    pub(crate) fn start(platform: &Arc<Platform>, name: &str) -> std::io::Result<Self> {
        let bell = Arc::new(Bell::default());
        let (platform, closed, name) = (Arc::clone(platform), Arc::clone(&bell), format!("{name}-upkeep"));
        let thread = thread::Builder::new()
            .name("upkeep".to_owned())
            .spawn(move || work(&platform, &closed, &name))?;
        Ok(Self { bell, thread })
    }

    /// Lets it finish the turn it is at, and waits for that.
    pub(crate) fn stop(self) {
        self.bell.close();
        // What it panicked with was logged when it did.
        let _ = self.thread.join();
    }
}

fn work(platform: &Platform, bell: &Bell, name: &str) {
    while !bell.is_closed() {
        let wait = match catch_unwind(AssertUnwindSafe(|| turn(platform, name))) {
            Ok(Ok(Some(_))) => PAUSE.to_std().unwrap_or(PATIENCE),
            Ok(Ok(None)) => PATIENCE,
            Ok(Err(error)) => {
                tracing::error!("It cannot be seen what is past its time: {error}");
                PATIENCE
            }
            Err(_) => {
                tracing::error!(
                    "Letting go of what is past its time panicked; it is tried again when the lease has expired"
                );
                PATIENCE
            }
        };
        if bell.wait(Some(wait)).is_none() {
            return;
        }
    }
}
