//! Signals, and the way out.

use std::time::Duration;

use tenantry_worker::{Deliverer, HeadSigner, Notifier, Worker};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::http::Http;
use crate::failure::Failure;

/// SIGTERM and SIGINT.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on the signals come here.
    pub(super) fn listen() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::new(error, "allow this process to handle signals"));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// The next of them.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// The next one ends the process at once. What it was doing is found and finished by whoever comes after it, as
    /// after a crash.
    pub(super) fn exit_on_next(mut self) {
        actix_web::rt::spawn(async move {
            self.next().await;
            std::process::exit(1);
        });
    }
}

/// What works in the background.
pub(super) struct Workers {
    pub(super) provisioning: Worker,
    pub(super) notifying: Notifier,
    pub(super) delivering: Deliverer,
}

impl Workers {
    /// Lets them finish what they are at. What the last run has to tell is told by whoever comes after.
    fn stop(self) {
        self.delivering.close();
        self.provisioning.stop();
        self.notifying.stop();
        self.delivering.stop();
    }
}

/// Lets everything finish what it is at, but no longer than `patience`.
pub(super) async fn stop(
    http: Option<Http>,
    workers: Option<Workers>,
    heads: HeadSigner,
    patience: Duration,
) {
    let workers = spawn_blocking(move || workers.map(Workers::stop));
    let everything = async {
        if let Some(http) = http {
            http.stop().await;
        }
        // A worker thread that panicked has been logged.
        let _ = workers.await;
        // Now that nothing is written any more.
        let _ = spawn_blocking(move || heads.stop()).await;
    };
    if timeout(patience, everything).await.is_err() {
        tracing::warn!(
            "Not everything was finished in time; what was left is taken up again when its lease has expired"
        );
    }
}
