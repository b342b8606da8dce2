use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tenantry_ports::Nudge;

/// Wakes one waiting worker thread per ring. A ring that nobody waits for is kept for the next to wait.
#[derive(Debug, Default)]
pub struct Bell {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    rings: usize,
    closed: bool,
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    /// It rang, or the time was up: look for work.
    Look,
    /// The bell is closed: go home.
    Closed,
}

impl Bell {
    /// Wakes one thread, now or when it next waits.
    pub fn ring(&self) {
        self.lock().rings += 1;
        self.changed.notify_one();
    }

    /// Forgets the rings so far: what they were about is going to be seen.
    pub(crate) fn hush(&self) {
        self.lock().rings = 0;
    }

    /// Sends everybody home.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits for a ring, at most for `patience`; without one for as long as it takes.
    pub(crate) fn wait(&self, patience: Option<Duration>) -> Woken {
        let quiet = |state: &mut State| state.rings == 0 && !state.closed;
        let state = self.lock();
        let mut state = match patience {
            None => self.changed.wait_while(state, quiet).unwrap_or_else(PoisonError::into_inner),
            Some(patience) => {
                self.changed
                    .wait_timeout_while(state, patience, quiet)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        };
        if state.closed {
            return Woken::Closed;
        }
        state.rings = state.rings.saturating_sub(1);
        Woken::Look
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Nudge for Bell {
    fn runs_are_due(&self) {
        self.ring();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn a_ring_before_the_wait_is_not_lost() {
        let bell = Bell::default();
        bell.ring();
        assert_eq!(bell.wait(None), Woken::Look);
    }

    #[test]
    fn without_a_ring_the_wait_ends_when_the_time_is_up() {
        assert_eq!(Bell::default().wait(Some(Duration::from_millis(1))), Woken::Look);
    }

    #[test]
    fn a_hushed_bell_waits_for_the_next_ring() {
        let bell = Bell::default();
        bell.ring();
        bell.hush();
        assert!(bell.lock().rings == 0);
        bell.ring();
        assert_eq!(bell.wait(None), Woken::Look);
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
            assert_eq!(thread.join().unwrap(), Woken::Closed);
        }
    }
}
