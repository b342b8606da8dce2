use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use chrono::{DateTime, Utc};
use tenantry_ports::StoreResult;

use crate::Platform;

/// Does something that may take long, and has a lease held until later and later meanwhile. A lease that is lost all the
/// same (the process slept, the control database was away) is found out when the outcome is recorded.
pub(super) fn holding<T>(
    platform: &Platform,
    what: &str,
    renew: impl Fn(DateTime<Utc>) -> StoreResult<()> + Send,
    act: impl FnOnce() -> T,
) -> T {
    let lease = platform.policy.lease;
    let beat = (lease / 3).to_std().unwrap_or_default();
    let (done, wait) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            while wait.recv_timeout(beat) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = renew(platform.clock.now() + lease) {
                    tracing::warn!("The lease on {what} was not renewed: {error}");
                }
            }
        });
        // Also a panic hangs up, and so ends the thread.
        let _done = done;
        act()
    })
}
