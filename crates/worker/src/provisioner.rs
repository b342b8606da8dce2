use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tenantry_usecases::Platform;
use tenantry_usecases::provisioning::{Worked, carry_on, work_once};

use crate::bell::{Bell, Woken};
use crate::days::Days;
use crate::keeper::Keeper;
use crate::upkeep::Upkeep;

/// How long nobody looks for runs that no bell announced.
const PATIENCE: Duration = Duration::from_secs(1);

/// Threads that work on provisioning runs, one that keeps the warm pool, one that begins the days of accounts, and one that lets go
/// of what is past its time, until they are stopped.
#[derive(Debug)]
pub struct Worker {
    bell: Arc<Bell>,
    threads: Vec<JoinHandle<()>>,
    keeper: Keeper,
    days: Days,
    upkeep: Upkeep,
}

impl Worker {
    /// Starts `concurrency` provisioning threads (at least one). `bell` is the one the platform's `Nudge` rings; `name` tells this
    /// process's leases from others'.
    pub fn start(
        platform: &Arc<Platform>,
        bell: &Arc<Bell>,
        name: &str,
        concurrency: usize,
    ) -> std::io::Result<Self> {
        let (keeper, days) = (Keeper::start(platform)?, Days::start(platform, name)?);
        let upkeep = Upkeep::start(platform, name)?;
        bell.hire_as(format!("{name}-hired"));
        let mut worker = Self { bell: Arc::clone(bell), threads: Vec::new(), keeper, days, upkeep };
        for number in 0..concurrency.max(1) {
            let (platform, bell) = (Arc::clone(platform), Arc::clone(bell));
            let name = format!("{name}-{number}");
            // One thread keeps the time for all; the others sleep until it or a bell wakes them.
            let patience = (number == 0).then_some(PATIENCE);
            let thread = thread::Builder::new()
                .name(format!("provision-{number}"))
                .spawn(move || work(&platform, &bell, &name, patience))?;
            worker.threads.push(thread);
        }
        Ok(worker)
    }

    /// Lets every thread finish what it is at, and waits for that.
    pub fn stop(self) {
        self.bell.close();
        for thread in self.threads {
            // What a thread panicked with was logged when it did.
            let _ = thread.join();
        }
        self.keeper.stop();
        self.days.stop();
        self.upkeep.stop();
    }
}

fn work(platform: &Platform, bell: &Bell, name: &str, patience: Option<Duration>) {
    // Whatever an earlier process left is looked at first.
    let mut work = (!bell.is_closed()).then_some(Woken::Look);
    while let Some(woken) = work {
        let act = || match woken {
            Woken::Look => work_once(platform, name).map(|worked| worked != Worked::Idle),
            // Whoever assigned it knows of no other.
            Woken::Begin(assignment) => carry_on(platform, *assignment).map(|_| false),
        };
        let busy = match catch_unwind(AssertUnwindSafe(act)) {
            Ok(Ok(busy)) => busy,
            Ok(Err(error)) => {
                tracing::error!("The provisioning worker cannot reach its queue: {error}");
                false
            }
            Err(_) => {
                tracing::error!(
                    "The provisioning worker panicked; the run goes on when its lease has expired"
                );
                false
            }
        };
        if busy {
            // Where there was one run there may be more, for this thread and another.
            bell.ring();
            bell.ring();
        }
        work = bell.wait(patience);
    }
}
