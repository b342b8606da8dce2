use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tenantry_ports::{Channel, Nudge};
use tenantry_usecases::Platform;
use tenantry_usecases::notices::{deliver_once, prune};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::bell::Bell;

/// How long nobody looks for notices that no bell announced.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often notices that were settled long ago are forgotten.
const PRUNING: Duration = Duration::from_secs(60 * 60);

/// Wakes a [`Notifier`]: one bell per channel.
#[derive(Debug, Default)]
pub struct NoticeBells {
    mail: Bell,
    webhook: Bell,
}

impl NoticeBells {
    const fn of(&self, channel: Channel) -> &Bell {
        match channel {
            Channel::Mail => &self.mail,
            Channel::Webhook => &self.webhook,
        }
    }
}

impl Nudge for NoticeBells {
    fn runs_are_due(&self) {}

    fn notices_are_due(&self) {
        Channel::ALL.into_iter().for_each(|channel| self.of(channel).ring());
    }
}

/// A thread per channel that is on, which delivers notices until it is stopped. Storage blocks that thread and nobody
/// else; what goes over the network is driven by a runtime of their own. The channels do not wait for each other.
#[derive(Debug)]
pub struct Notifier {
    bells: Arc<NoticeBells>,
    threads: Vec<JoinHandle<()>>,
    runtime: Option<Runtime>,
}

impl Notifier {
    /// Starts what there is to start. `bells` are those that the platform's `Nudge` rings; `name` tells this process's
    /// leases from others'.
    pub fn start(platform: &Arc<Platform>, bells: &Arc<NoticeBells>, name: &str) -> std::io::Result<Self> {
        Self::start_with(platform, bells, name, PATIENCE)
    }

    fn start_with(
        platform: &Arc<Platform>,
        bells: &Arc<NoticeBells>,
        name: &str,
        patience: Duration,
    ) -> std::io::Result<Self> {
        let mut notifier = Self { bells: Arc::clone(bells), threads: Vec::new(), runtime: None };
        let on: Vec<_> = Channel::ALL.into_iter().filter(|channel| platform.channels.has(*channel)).collect();
        if on.is_empty() {
            return Ok(notifier);
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(4)
            .thread_name("notify-io")
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        notifier.runtime = Some(runtime);
        for (number, channel) in on.into_iter().enumerate() {
            let teller = Teller {
                platform: Arc::clone(platform),
                bells: Arc::clone(bells),
                channel,
                name: format!("{name}-{channel}"),
                runtime: handle.clone(),
                prunes: number == 0,
            };
            let thread = thread::Builder::new().name(format!("notify-{channel}"));
            notifier.threads.push(thread.spawn(move || teller.work(patience))?);
        }
        Ok(notifier)
    }

    /// Lets every thread finish the slice it is at, and waits for that.
    pub fn stop(mut self) {
        self.close();
        for thread in self.threads.drain(..) {
            // What a thread panicked with was logged when it did.
            let _ = thread.join();
        }
    }

    fn close(&self) {
        Channel::ALL.into_iter().for_each(|channel| self.bells.of(channel).close());
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        self.close();
        if let Some(runtime) = self.runtime.take() {
            // A runtime that is simply dropped waits, which is not allowed everywhere.
            runtime.shutdown_background();
        }
    }
}

/// What one thread needs.
struct Teller {
    platform: Arc<Platform>,
    bells: Arc<NoticeBells>,
    channel: Channel,
    name: String,
    runtime: Handle,
    prunes: bool,
}

impl Teller {
    fn work(&self, patience: Duration) {
        let bell = self.bells.of(self.channel);
        let mut pruned: Option<Instant> = None;
        // What an earlier process left is looked at first.
        while !bell.is_closed() {
            // Whatever rings from here on may be about something that this look does not see.
            bell.hush();
            if self.deliver() {
                continue;
            }
            if self.prunes && pruned.is_none_or(|at| at.elapsed() >= PRUNING) {
                pruned = Some(Instant::now());
                self.prune();
            }
            if bell.wait(Some(patience)).is_none() {
                return;
            }
        }
    }

    /// Whether there was anything to deliver.
    fn deliver(&self) -> bool {
        let delivery = || self.runtime.block_on(deliver_once(&self.platform, self.channel, &self.name));
        match catch_unwind(AssertUnwindSafe(delivery)) {
            Ok(Ok(delivered)) => delivered > 0,
            Ok(Err(error)) => {
                tracing::error!("Notices cannot be delivered ({}): {error}", self.channel);
                false
            }
            Err(_) => {
                tracing::error!(
                    "Delivering notices panicked ({}); they are tried again when their lease has expired",
                    self.channel
                );
                false
            }
        }
    }

    fn prune(&self) {
        match catch_unwind(AssertUnwindSafe(|| prune(&self.platform))) {
            Ok(Ok(0)) => {}
            Ok(Ok(pruned)) => tracing::debug!(pruned, "Forgot old notices"),
            Ok(Err(error)) => tracing::warn!("Old notices cannot be forgotten: {error}"),
            Err(_) => tracing::error!("Forgetting old notices panicked"),
        }
    }
}

#[cfg(test)]
mod tests;
