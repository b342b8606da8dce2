use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tenantry_ports::{Assignment, Hired, Nudge};

/// Wakes one waiting worker thread per ring. A ring that nobody waits for is kept for the next to wait.
///
/// A waiting thread can also be hired: as long as it is, rings leave so many threads waiting.
#[derive(Debug, Default)]
pub struct Bell(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    name: OnceLock<String>,
}

#[derive(Debug, Default)]
struct State {
    rings: usize,
    closed: bool,
    /// Threads that wait.
    waiting: usize,
    /// So many of them are kept free, or have an assignment to fetch.
    hired: usize,
    assignments: VecDeque<Assignment>,
}

impl State {
    /// Whether a thread that waits goes on waiting.
    fn is_quiet(&self) -> bool {
        self.assignments.is_empty() && !self.closed && (self.rings == 0 || !self.can_spare())
    }

    /// Whether one of those who wait may do something else.
    const fn can_spare(&self) -> bool {
        self.waiting > self.hired
    }
}

/// What a thread was woken for.
#[derive(Debug, PartialEq)]
pub(crate) enum Woken {
    /// It rang, or the time was up: look for work.
    Look,
    /// There is something to work on already.
    Begin(Box<Assignment>),
}

impl Bell {
    /// Wakes one thread, now or when it next waits.
    pub fn ring(&self) {
        self.0.lock().rings += 1;
        self.0.changed.notify_one();
    }

    /// Forgets the rings so far: what they were about is going to be seen.
    pub(crate) fn hush(&self) {
        self.0.lock().rings = 0;
    }

    /// By which name runs are claimed for threads that are hired; the first one it is told.
    pub(crate) fn hire_as(&self, name: String) {
        let _ = self.0.name.set(name);
    }

    /// Sends everybody home.
    pub(crate) fn close(&self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.lock().closed
    }

    /// Waits for a ring or an assignment, at most for `patience`; without one for as long as it takes. None once the bell is
    /// closed: go home.
    pub(crate) fn wait(&self, patience: Option<Duration>) -> Option<Woken> {
        let mut state = self.0.lock();
        state.waiting += 1;
        loop {
            let quiet = |state: &mut State| state.is_quiet();
            state = match patience {
                None => self.0.changed.wait_while(state, quiet).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let woken = self.0.changed.wait_timeout_while(state, patience, quiet);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
            // When the time is up, whoever hired may still be about to say what for.
            if !state.is_quiet() || state.can_spare() {
                break;
            }
        }
        state.waiting -= 1;
        if let Some(assignment) = state.assignments.pop_front() {
            state.hired -= 1;
            return Some(Woken::Begin(Box::new(assignment)));
        }
        if state.closed {
            return None;
        }
        state.rings = state.rings.saturating_sub(1);
        Some(Woken::Look)
    }
}

impl Nudge for Bell {
    fn runs_are_due(&self) {
        self.ring();
    }

    fn hire(&self) -> Option<Box<dyn Hired>> {
        let mut state = self.0.lock();
        if !state.can_spare() || state.rings > 0 || state.closed {
            return None;
        }
        state.hired += 1;
        Some(Box::new(HiredThread(Arc::clone(&self.0))))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what threads wait for, and has them look at it again.
    fn change(&self, how: impl FnOnce(&mut State)) {
        how(&mut self.lock());
        self.changed.notify_one();
    }
}

struct HiredThread(Arc<Shared>);

impl Hired for HiredThread {
    fn name(&self) -> &str {
        self.0.name.get().map_or("worker", String::as_str)
    }

    fn begin(self: Box<Self>, assignment: Assignment) {
        self.0.change(|state| {
            // The drop that follows lets one go, and this is one that is not.
            state.hired += 1;
            state.assignments.push_back(assignment);
        });
    }
}

impl Drop for HiredThread {
    fn drop(&mut self) {
        self.0.change(|state| state.hired -= 1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use tenantry_domain::tenant::Run;
    use tenantry_ports::{Claim, Lease};
    use tenantry_testkit::sample;

    use super::*;

    #[test]
    fn a_ring_before_the_wait_is_not_lost() {
        let bell = Bell::default();
        bell.ring();
        assert_eq!(bell.wait(None), Some(Woken::Look));
    }

    #[test]
    fn without_a_ring_the_wait_ends_when_the_time_is_up() {
        assert_eq!(Bell::default().wait(Some(Duration::from_millis(1))), Some(Woken::Look));
    }

    #[test]
    fn a_hushed_bell_waits_for_the_next_ring() {
        let bell = Bell::default();
        bell.ring();
        bell.hush();
        assert!(bell.0.lock().rings == 0);
        bell.ring();
        assert_eq!(bell.wait(None), Some(Woken::Look));
    }

    #[test]
    fn closing_sends_everybody_home() {
        let bell = Arc::new(Bell::default());
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let bell = Arc::clone(&bell);
                thread::spawn(move || bell.wait(None))
            })
            .collect();
        bell.close();
        for thread in waiting {
            assert_eq!(thread.join().unwrap(), None);
        }
    }

    fn waits(bell: &Arc<Bell>, threads: usize) -> Vec<thread::JoinHandle<Option<Woken>>> {
        let wait = |_| {
            let bell = Arc::clone(bell);
            thread::spawn(move || bell.wait(None))
        };
        let waiting: Vec<_> = (0..threads).map(wait).collect();
        while bell.0.lock().waiting < threads {
            thread::yield_now();
        }
        waiting
    }

    fn assignment() -> Assignment {
        let tenant = sample::tenant("acme");
        let lease = Lease { tenant: tenant.id, number: 1, fence: 1 };
        let run = Run::deprovisioning(tenant.id, 1);
        Assignment { claim: Claim { lease, run, tenant, admin: None }, taken: None }
    }

    #[test]
    fn only_who_waits_can_be_hired_and_nobody_twice() {
        let bell = Arc::<Bell>::default();
        assert!(bell.hire().is_none());
        let waiting = waits(&bell, 1);
        let hired = bell.hire().unwrap();
        assert!(bell.hire().is_none());
        drop(hired);
        let (hired, assignment) = (bell.hire().unwrap(), assignment());
        hired.begin(assignment.clone());
        for thread in waiting {
            assert_eq!(thread.join().unwrap(), Some(Woken::Begin(Box::new(assignment.clone()))));
        }
        assert!(bell.hire().is_none());
    }

    #[test]
    fn rings_leave_those_alone_who_are_hired() {
        let bell = Arc::<Bell>::default();
        let waiting = waits(&bell, 2);
        let hired = bell.hire().unwrap();
        bell.ring();
        bell.ring();
        while bell.0.lock().waiting > 1 {
            thread::yield_now();
        }
        assert_eq!(bell.0.lock().rings, 1);
        hired.begin(assignment());
        let woken: Vec<_> = waiting.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect();
        assert_eq!(woken.iter().filter(|woken| matches!(woken, Woken::Begin(_))).count(), 1);
        assert_eq!(bell.wait(None), Some(Woken::Look), "the ring was kept");
    }

    #[test]
    fn who_is_let_go_hears_the_ring_that_was_kept() {
        let bell = Arc::<Bell>::default();
        let waiting = waits(&bell, 1);
        let hired = bell.hire().unwrap();
        bell.ring();
        drop(hired);
        for thread in waiting {
            assert_eq!(thread.join().unwrap(), Some(Woken::Look));
        }
    }

    #[test]
    fn what_was_assigned_is_fetched_from_a_closed_bell_too() {
        let bell = Arc::<Bell>::default();
        let waiting = waits(&bell, 1);
        let hired = bell.hire().unwrap();
        hired.begin(assignment());
        bell.close();
        for thread in waiting {
            assert!(matches!(thread.join().unwrap(), Some(Woken::Begin(_))));
        }
        assert!(bell.hire().is_none());
        assert_eq!(bell.wait(None), None);
    }
}
