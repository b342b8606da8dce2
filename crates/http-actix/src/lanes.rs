//! Lanes gather what many callers want of one tenant into slices.
//!
//! A commit costs about the same for one command as for sixty-four. So while a slice of a tenant's commands is under
//! way, those that arrive wait together and make up the next one. Nobody waits on purpose: the first command of an
//! idle lane starts at once. A command is the lane's as soon as it is handed in; a caller who goes away does not
//! take it back.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::fair::Party;
use crate::pools::{Executor, JobError};

/// How much at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Most commands in one slice.
    pub(crate) slice: usize,
    /// Most slices of one lane that are under way at the same time. With 1, commands take effect in their order. Another
    /// one begins beside the first only when it would be a whole one: fewer commands are better off in the next slice.
    pub(crate) concurrency: usize,
    /// Most commands that wait in one lane; more are refused.
    pub(crate) waiting: usize,
}

/// One lane per key (a tenant), each with its commands `C` and their results `R`.
pub(crate) struct Lanes<K, C, R> {
    shared: Arc<Shared<K, C, R>>,
}

/// Does a slice of a lane's commands; answers with one result for each, in order.
type Work<K, C, R> = Box<dyn Fn(&K, &[C]) -> Vec<R> + Send + Sync>;

type Answer<R> = oneshot::Sender<Result<R, JobError>>;

struct Shared<K, C, R> {
    lanes: Mutex<HashMap<K, Lane<C, R>>>,
    limits: Limits,
    executor: Box<dyn Executor>,
    work: Work<K, C, R>,
}

struct Lane<C, R> {
    waiting: VecDeque<(C, Answer<R>)>,
    /// Slices under way.
    running: usize,
    /// A job is on its way to take the next slice.
    coming: bool,
}

impl<C, R> Lane<C, R> {
    const fn new() -> Self {
        Self { waiting: VecDeque::new(), running: 0, coming: false }
    }

    /// Whether somebody has to send a job for what waits; if so, it counts as sent.
    fn send_for_job(&mut self, limits: Limits) -> bool {
        let enough = if self.running == 0 { 1 } else { limits.slice };
        let needed = self.waiting.len() >= enough && !self.coming && self.running < limits.concurrency;
        self.coming |= needed;
        needed
    }

    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running == 0 && !self.coming
    }
}

impl<K, C, R> Lanes<K, C, R>
where
    K: Clone + Eq + Hash + Send + 'static,
    C: Send + 'static,
    R: Send + 'static,
    for<'a> Party: From<&'a K>,
{
    /// Lanes whose slices `work` does on the threads of `executor`.
    pub(crate) fn new(
        limits: Limits,
        executor: impl Executor + 'static,
        work: impl Fn(&K, &[C]) -> Vec<R> + Send + Sync + 'static,
    ) -> Self {
        let shared = Shared {
            lanes: Mutex::new(HashMap::new()),
            limits,
            executor: Box::new(executor),
            work: Box::new(work),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Hands a command in, at once, and answers with its result, later.
    pub(crate) fn submit(
        &self,
        key: &K,
        command: C,
    ) -> impl Future<Output = Result<R, JobError>> + Send + use<K, C, R> {
        let (answer, result) = oneshot::channel();
        Shared::enqueue(&self.shared, key, command, answer);
        async move { result.await.unwrap_or(Err(JobError::Lost)) }
    }
}

impl<K, C, R> Shared<K, C, R>
where
    K: Clone + Eq + Hash + Send + 'static,
    C: Send + 'static,
    R: Send + 'static,
    for<'a> Party: From<&'a K>,
{
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Lane<C, R>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(this: &Arc<Self>, key: &K, command: C, answer: Answer<R>) {
        let mut lanes = this.lock();
        if !lanes.contains_key(key) {
            lanes.insert(key.clone(), Lane::new());
        }
        let Some(lane) = lanes.get_mut(key) else { return };
        if lane.waiting.len() >= this.limits.waiting {
            drop(lanes);
            let _ = answer.send(Err(JobError::Refused));
            return;
        }
        lane.waiting.push_back((command, answer));
        let send = lane.send_for_job(this.limits);
        drop(lanes);
        if send {
            Self::send_job(this, key.clone(), false);
        }
    }

    fn send_job(this: &Arc<Self>, key: K, resumed: bool) {
        let shared = Arc::clone(this);
        let (lane, party) = (key.clone(), Party::from(&key));
        let job = Box::new(move || Self::serve(&shared, lane));
        let sent = if resumed { this.executor.resume(party, job) } else { this.executor.offer(party, job) };
        if sent.is_err() {
            this.give_up(&key);
        }
    }

    /// No job comes. If none is under way either, which would look again when it is done, then those who wait are
    /// told.
    fn give_up(&self, key: &K) {
        let mut lanes = self.lock();
        let Some(lane) = lanes.get_mut(key) else { return };
        lane.coming = false;
        if lane.running > 0 {
            return;
        }
        let refused = lanes.remove(key);
        drop(lanes);
        for (_, answer) in refused.into_iter().flat_map(|lane| lane.waiting) {
            let _ = answer.send(Err(JobError::Refused));
        }
    }

    /// A job: takes one slice, does it, and sends the next job if there is more, behind those of other tenants.
    fn serve(this: &Arc<Self>, key: K) {
        let Some((commands, answers)) = Self::take(this, &key) else {
            return;
        };
        // A panic loses this slice (its answers are dropped), not the lane.
        let results = catch_unwind(AssertUnwindSafe(|| (this.work)(&key, &commands)));
        match results {
            Ok(results) => {
                debug_assert_eq!(results.len(), answers.len(), "one result per command");
                for (answer, result) in answers.into_iter().zip(results) {
                    let _ = answer.send(Ok(result));
                }
            }
            Err(_) => tracing::error!("a slice of commands panicked"),
        }
        let mut lanes = this.lock();
        let Some(lane) = lanes.get_mut(&key) else { return };
        lane.running -= 1;
        let send = lane.send_for_job(this.limits);
        if lane.is_idle() {
            lanes.remove(&key);
        }
        drop(lanes);
        if send {
            Self::send_job(this, key, true);
        }
    }

    fn take(this: &Arc<Self>, key: &K) -> Option<(Vec<C>, Vec<Answer<R>>)> {
        let mut lanes = this.lock();
        let lane = lanes.get_mut(key)?;
        lane.coming = false;
        let count = lane.waiting.len().min(this.limits.slice);
        if count == 0 {
            if lane.is_idle() {
                lanes.remove(key);
            }
            return None;
        }
        let slice = lane.waiting.drain(..count).unzip();
        lane.running += 1;
        let send = lane.send_for_job(this.limits);
        drop(lanes);
        if send {
            Self::send_job(this, key.clone(), false);
        }
        Some(slice)
    }
}

#[cfg(test)]
mod tests;
