use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use tenantry_ports::StoreError;

/// Lets one writer of a SQLite database through at a time. SQLite would have the others poll, and sometimes starve;
/// here they sleep until it is their turn, and no longer than they can afford.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    taken: Mutex<bool>,
    freed: Condvar,
}

/// The turn of one writer; the next one's begins when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a>(&'a Gate);

impl Gate {
    /// Waits for its turn, at most this long.
    pub(crate) fn enter(&self, patience: Duration) -> Result<Turn<'_>, StoreError> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.freed.wait_timeout_while(taken, patience, |taken| *taken);
        let (mut taken, outcome) = waited.unwrap_or_else(PoisonError::into_inner);
        if outcome.timed_out() {
            return Err(StoreError::Unavailable("other writers took too long".to_owned()));
        }
        *taken = true;
        Ok(Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_waits_no_longer_than_it_can_afford() {
        let gate = Gate::default();
        let turn = gate.enter(Duration::ZERO).unwrap();
        assert!(matches!(gate.enter(Duration::from_millis(1)), Err(StoreError::Unavailable(_))));
        drop(turn);
        assert!(gate.enter(Duration::ZERO).is_ok());
    }

    #[test]
    fn writers_pass_one_at_a_time() {
        let (gate, inside) = (Gate::default(), Mutex::new(()));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let _turn = gate.enter(Duration::from_secs(60)).unwrap();
                        assert!(inside.try_lock().is_ok(), "somebody else is inside");
                    }
                });
            }
        });
    }
}
