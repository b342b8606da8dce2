//! Threads for what blocks: storage on one pool, password hashing on another.
//!
//! actix-web's own blocking pool has hundreds of threads per worker, which with a handful of database connections
//! multiplies the cost of a read and ruins its latency. Here there are as many threads as there is use for, and a
//! bounded queue before them: what does not fit is refused at once, so nothing ever hangs. In it tenants take turns, and one
//! alone may fill half of it: however much one of them wants, the others wait no longer than for one job of its.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::fair::{FairQueue, Party};

/// Something to do on a pool's thread.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// Why a job has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobError {
    /// The queue is full, or the pool is closing: try again later.
    Refused,
    /// The job panicked.
    Lost,
}

/// Runs jobs on other threads; what [`Lanes`](crate::lanes::Lanes) stand on.
pub(crate) trait Executor: Send + Sync {
    /// Takes a new job, unless there are too many already.
    fn offer(&self, party: Party, job: Job) -> Result<(), JobError>;

    /// Takes the continuation of the job that is running on the calling thread and about to end, however many there are.
    /// Nobody is woken for it: that thread is free for it next.
    fn resume(&self, party: Party, job: Job) -> Result<(), JobError>;
}

/// A fixed number of threads with a bounded queue. Dropping it finishes what is queued and joins the threads.
pub(crate) struct Pool {
    queue: PoolQueue,
    threads: Vec<JoinHandle<()>>,
}

/// The way into a [`Pool`]; keeps no thread alive.
#[derive(Clone)]
pub(crate) struct PoolQueue(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    bound: usize,
}

struct State {
    jobs: FairQueue<Job>,
    open: bool,
}

impl Pool {
    /// Starts `threads` threads (at least one) called `name`, before which at most `bound` jobs wait.
    pub(crate) fn new(name: &str, threads: usize, bound: usize) -> io::Result<Self> {
        let state = Mutex::new(State { jobs: FairQueue::new(), open: true });
        let queue = PoolQueue(Arc::new(Shared { state, wake: Condvar::new(), bound }));
        let mut pool = Self { queue, threads: Vec::with_capacity(threads) };
        for number in 0..threads.max(1) {
            let shared = Arc::clone(&pool.queue.0);
            let thread = std::thread::Builder::new().name(format!("{name}-{number}"));
            pool.threads.push(thread.spawn(move || shared.work())?);
        }
        Ok(pool)
    }

    /// The way in.
    pub(crate) const fn queue(&self) -> &PoolQueue {
        &self.queue
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue.0.lock().open = false;
        self.queue.0.wake.notify_all();
        for thread in self.threads.drain(..) {
            // A thread does not panic, since jobs are caught; were it to, there would be nothing left to do about it.
            let _ = thread.join();
        }
    }
}

impl PoolQueue {
    /// Runs `job` on the pool, on nobody's account. Who stops waiting before it began, did not want it: it is skipped.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JobError> {
        self.run_for(Party::Common, job).await
    }

    /// The same on somebody's account.
    pub(crate) async fn run_for<T: Send + 'static>(
        &self,
        party: Party,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JobError> {
        let (sender, receiver) = oneshot::channel();
        let job = move || {
            if !sender.is_closed() {
                // Whoever waited may have gone in the meantime.
                let _ = sender.send(job());
            }
        };
        self.offer(party, Box::new(job))?;
        receiver.await.map_err(|_| JobError::Lost)
    }

    fn push(&self, party: Party, job: Job, bound: usize) -> Result<(), JobError> {
        let mut state = self.0.lock();
        let crowded = matches!(party, Party::Tenant(_)) && state.jobs.len_of(party) >= bound.div_ceil(2);
        if !state.open || state.jobs.len() >= bound || crowded {
            return Err(JobError::Refused);
        }
        state.jobs.push(party, job);
        Ok(())
    }
}

impl Executor for PoolQueue {
    fn offer(&self, party: Party, job: Job) -> Result<(), JobError> {
        self.push(party, job, self.0.bound)?;
        self.0.wake.notify_one();
        Ok(())
    }

    fn resume(&self, party: Party, job: Job) -> Result<(), JobError> {
        self.push(party, job, usize::MAX)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                tracing::error!("a job on a thread pool panicked");
            }
        }
    }

    /// The next job; none once the pool is closed and nothing is left.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop() {
                return Some(job);
            }
            if !state.open {
                return None;
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use futures_util::FutureExt;
    use tenantry_domain::id::TenantId;

    use super::*;

    #[tokio::test]
    async fn jobs_give_their_results_back() {
        let pool = Pool::new("test", 2, 10).unwrap();
        let results = futures_util::future::join_all((0..10).map(|i| pool.queue().run(move || i * i))).await;
        assert_eq!(results, (0..10).map(|i| Ok(i * i)).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_works_again_later() {
        let pool = Pool::new("test", 1, 1).unwrap();
        let (started, starts) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let busy = tokio::spawn({
            let queue = pool.queue().clone();
            async move {
                queue
                    .run(move || {
                        started.send(()).unwrap();
                        released.recv().unwrap();
                    })
                    .await
            }
        });
        tokio::task::spawn_blocking(move || starts.recv().unwrap()).await.unwrap();
        let mut waiting = std::pin::pin!(pool.queue().run(|| 1));
        assert_eq!(waiting.as_mut().now_or_never(), None);
        assert_eq!(pool.queue().run(|| 2).await, Err(JobError::Refused));
        release.send(()).unwrap();
        assert_eq!(waiting.await, Ok(1));
        busy.await.unwrap().unwrap();
        assert_eq!(pool.queue().run(|| 3).await, Ok(3));
    }

    #[tokio::test]
    async fn a_crowd_of_one_tenants_jobs_neither_delays_others_nor_keeps_them_out() {
        const BOUND: usize = 20;
        let pool = Pool::new("test", 1, BOUND).unwrap();
        let (started, starts) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let order = Arc::new(Mutex::new(Vec::new()));
        let job = |name: &'static str| -> Job {
            let order = Arc::clone(&order);
            Box::new(move || order.lock().unwrap().push(name))
        };
        let [noisy, quiet] = [1, 2].map(|number| Party::Tenant(TenantId::new(uuid::Uuid::from_u128(number))));
        let busy = move || {
            started.send(()).unwrap();
            released.recv().unwrap();
        };
        pool.queue().offer(Party::Common, Box::new(busy)).unwrap();
        starts.recv().unwrap();
        let taken = (0..1000).filter(|_| pool.queue().offer(noisy, job("noisy")).is_ok()).count();
        assert_eq!(taken, BOUND / 2, "the rest is there for others");
        for _ in 0..3 {
            pool.queue().offer(quiet, job("quiet")).unwrap();
        }
        pool.queue().offer(Party::Common, job("common")).unwrap();
        release.send(()).unwrap();
        drop(pool);
        let order = order.lock().unwrap();
        assert_eq!(order[..6], ["noisy", "quiet", "common", "noisy", "quiet", "noisy"]);
        assert_eq!(order.len(), taken + 4);
    }

    #[tokio::test]
    async fn a_panic_loses_one_job_and_no_thread() {
        let pool = Pool::new("test", 1, 10).unwrap();
        let lost: Result<(), _> = pool.queue().run(|| panic!("on purpose")).await;
        assert_eq!(lost, Err(JobError::Lost));
        assert_eq!(pool.queue().run(|| 7).await, Ok(7));
    }

    #[test]
    fn dropping_the_pool_finishes_what_is_queued_and_refuses_the_rest() {
        let done = Arc::new(AtomicUsize::new(0));
        let pool = Pool::new("test", 1, 100).unwrap();
        let queue = pool.queue().clone();
        for _ in 0..50 {
            let done = Arc::clone(&done);
            queue
                .offer(
                    Party::Common,
                    Box::new(move || {
                        done.fetch_add(1, Ordering::SeqCst);
                    }),
                )
                .unwrap();
        }
        drop(pool);
        assert_eq!(done.load(Ordering::SeqCst), 50);
        assert_eq!(queue.offer(Party::Common, Box::new(|| {})), Err(JobError::Refused));
        assert_eq!(queue.resume(Party::Common, Box::new(|| {})), Err(JobError::Refused));
    }
}
