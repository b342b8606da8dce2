use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use futures_util::FutureExt;
use futures_util::future::join_all;

use super::*;
use crate::pools::{Job, Pool};

const LIMITS: Limits = Limits { slice: 64, concurrency: 1, waiting: 10_000 };

/// An executor whose jobs run when the test says so.
#[derive(Clone, Default)]
struct ByHand {
    jobs: Arc<Mutex<VecDeque<Job>>>,
    refuses: Arc<AtomicBool>,
}

impl ByHand {
    fn run_one(&self) -> bool {
        let job = self.jobs.lock().unwrap().pop_front();
        job.map(|job| job()).is_some()
    }

    fn queued(&self) -> usize {
        self.jobs.lock().unwrap().len()
    }
}

impl From<&u8> for Party {
    fn from(_: &u8) -> Self {
        Self::Common
    }
}

impl From<&u64> for Party {
    fn from(_: &u64) -> Self {
        Self::Common
    }
}

impl Executor for ByHand {
    fn offer(&self, party: Party, job: Job) -> Result<(), JobError> {
        if self.refuses.load(Ordering::SeqCst) {
            return Err(JobError::Refused);
        }
        self.resume(party, job)
    }

    fn resume(&self, _: Party, job: Job) -> Result<(), JobError> {
        self.jobs.lock().unwrap().push_back(job);
        Ok(())
    }
}

type Slices = Arc<Mutex<Vec<Vec<u64>>>>;

/// Lanes that note the slices they did; a command's result is its double.
fn doubling(limits: Limits, executor: impl Executor + 'static) -> (Lanes<u8, u64, u64>, Slices) {
    let slices = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&slices);
    let lanes = Lanes::new(limits, executor, move |_: &u8, slice: &[u64]| {
        noted.lock().unwrap().push(slice.to_vec());
        slice.iter().map(|n| n * 2).collect()
    });
    (lanes, slices)
}

#[test]
fn commands_that_wait_together_are_one_slice_in_their_order() {
    let hand = ByHand::default();
    let (lanes, slices) = doubling(LIMITS, hand.clone());
    let results: Vec<_> = (0..100).map(|n| lanes.submit(&1, n)).collect();
    assert_eq!(hand.queued(), 1, "one job was sent for all of them");
    while hand.run_one() {}
    assert_eq!(*slices.lock().unwrap(), [(0..64).collect::<Vec<_>>(), (64..100).collect()]);
    for (n, result) in results.into_iter().enumerate() {
        assert_eq!(result.now_or_never(), Some(Ok(n as u64 * 2)));
    }
    assert!(lanes.shared.lock().is_empty(), "an idle lane is forgotten");
}

#[test]
fn lanes_take_turns() {
    let hand = ByHand::default();
    let limits = Limits { slice: 2, ..LIMITS };
    let order = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&order);
    let lanes = Lanes::new(limits, hand.clone(), move |key: &u8, slice: &[u64]| {
        noted.lock().unwrap().push(*key);
        slice.to_vec()
    });
    let _busy: Vec<_> = (0..6).map(|n| lanes.submit(&1, n)).collect();
    let _quiet = lanes.submit(&2, 0);
    while hand.run_one() {}
    assert_eq!(*order.lock().unwrap(), [1, 2, 1, 1]);
}

#[test]
fn a_refused_job_tells_everybody_who_waits_and_the_lane_works_again_later() {
    let hand = ByHand::default();
    let (lanes, _) = doubling(LIMITS, hand.clone());
    hand.refuses.store(true, Ordering::SeqCst);
    assert_eq!(lanes.submit(&1, 1).now_or_never(), Some(Err(JobError::Refused)));
    hand.refuses.store(false, Ordering::SeqCst);
    let result = lanes.submit(&1, 2);
    assert!(hand.run_one());
    assert_eq!(result.now_or_never(), Some(Ok(4)));
}

#[test]
fn a_lane_that_is_too_long_refuses_only_what_is_too_much() {
    let hand = ByHand::default();
    let (lanes, _) = doubling(Limits { waiting: 3, ..LIMITS }, hand.clone());
    let mut results: Vec<_> = (0..5).map(|n| lanes.submit(&1, n)).collect();
    for result in results.split_off(3) {
        assert_eq!(result.now_or_never(), Some(Err(JobError::Refused)));
    }
    assert!(hand.run_one());
    for (n, result) in results.into_iter().enumerate() {
        assert_eq!(result.now_or_never(), Some(Ok(n as u64 * 2)));
    }
}

#[test]
fn who_goes_away_does_not_take_the_command_back() {
    let hand = ByHand::default();
    let (lanes, slices) = doubling(LIMITS, hand.clone());
    drop(lanes.submit(&1, 5));
    assert!(hand.run_one());
    assert_eq!(*slices.lock().unwrap(), [[5]]);
}

#[test]
fn a_panic_loses_its_slice_and_not_the_lane() {
    let hand = ByHand::default();
    let limits = Limits { slice: 1, ..LIMITS };
    let lanes = Lanes::new(limits, hand.clone(), |_: &u8, slice: &[u64]| {
        assert_ne!(slice, [1], "on purpose");
        slice.to_vec()
    });
    let results: Vec<_> = (0..3).map(|n| lanes.submit(&1, n)).collect();
    while hand.run_one() {}
    let results: Vec<_> = results.into_iter().map(FutureExt::now_or_never).collect();
    assert_eq!(results, [Some(Ok(0)), Some(Err(JobError::Lost)), Some(Ok(2))]);
}

#[tokio::test]
async fn no_more_slices_of_a_lane_run_at_once_than_allowed_and_none_fewer() {
    let pool = Pool::new("test", 4, 100).unwrap();
    let (started, starts) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (running, peak) = (Arc::clone(&now), Arc::clone(&most));
    let limits = Limits { slice: 1, concurrency: 2, waiting: 100 };
    let lanes = Lanes::new(limits, pool.queue().clone(), move |_: &u8, slice: &[u64]| {
        peak.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        started.send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
        running.fetch_sub(1, Ordering::SeqCst);
        slice.to_vec()
    });
    let results: Vec<_> = (0..10).map(|n| lanes.submit(&1, n)).collect();
    let starts = tokio::task::spawn_blocking(move || {
        starts.recv().unwrap();
        starts.recv().unwrap();
        starts
    });
    let _starts = starts.await.unwrap();
    for _ in 0..10 {
        release.send(()).unwrap();
    }
    assert_eq!(join_all(results).await, (0..10).map(Ok).collect::<Vec<_>>());
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[test]
fn a_second_slice_starts_only_when_the_first_one_cannot_take_all() {
    let hand = ByHand::default();
    let (lanes, _) = doubling(Limits { slice: 4, concurrency: 2, waiting: 100 }, hand.clone());
    let _results: Vec<_> = (0..6).map(|n| lanes.submit(&1, n)).collect();
    assert_eq!(hand.queued(), 1, "a job that has not begun will take what waits");
    assert!(hand.run_one());
    assert_eq!(hand.queued(), 1);
}

#[test]
fn a_slice_begins_beside_another_one_only_if_it_is_a_whole_one() {
    let limits = Limits { slice: 4, concurrency: 2, waiting: 100 };
    for (waiting, running, coming, sent) in [
        (0, 0, false, false),
        (1, 0, false, true),
        (1, 0, true, false),
        (3, 1, false, false),
        (4, 1, false, true),
        (4, 1, true, false),
        (9, 2, false, false),
    ] {
        let waiting: VecDeque<_> = (0..waiting).map(|n| (n, oneshot::channel::<Result<(), _>>().0)).collect();
        let mut lane = Lane { waiting, running, coming };
        assert_eq!(lane.send_for_job(limits), sent, "{} wait, {running} run", lane.waiting.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_fire_every_command_is_answered_once_with_its_own_result() {
    const TASKS: u64 = 64;
    const COMMANDS: u64 = 1000;
    for concurrency in [1, 2] {
        let pool = Pool::new("test", 3, 1000).unwrap();
        let done = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&done);
        let limits = Limits { concurrency, ..LIMITS };
        let lanes = Arc::new(Lanes::new(limits, pool.queue().clone(), move |key: &u64, slice: &[u64]| {
            counted.fetch_add(slice.len(), Ordering::SeqCst);
            slice.iter().map(|n| n * 10 + key).collect()
        }));
        let tasks = (0..TASKS).map(|task| {
            let lanes = Arc::clone(&lanes);
            tokio::spawn(async move {
                let key = task % 3;
                for n in 0..COMMANDS {
                    let n = task * COMMANDS + n;
                    assert_eq!(lanes.submit(&key, n).await, Ok(n * 10 + key));
                }
            })
        });
        for task in join_all(tasks).await {
            task.unwrap();
        }
        assert_eq!(done.load(Ordering::SeqCst) as u64, TASKS * COMMANDS);
        // The last result is sent before its job tidies up; joining the threads waits for that.
        drop(pool);
        assert!(lanes.shared.lock().is_empty());
    }
}
