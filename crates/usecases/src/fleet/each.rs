use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does something with each item, so many at a time, and answers in the order of the items.
pub(super) fn each<I: Sync, T: Send>(items: &[I], parallel: usize, work: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::with_capacity(items.len()));
    thread::scope(|threads| {
        for _ in 0..parallel.clamp(1, items.len().max(1)) {
            threads.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(place) else { return };
                    let outcome = work(item);
                    outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((place, outcome));
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    outcomes.sort_unstable_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn outcomes_come_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..100).collect();
        for parallel in [0, 1, 7, 1000] {
            assert_eq!(each(&items, parallel, |item| item * 2), (0..200).step_by(2).collect::<Vec<_>>());
        }
        assert_eq!(each(&[0_usize; 0], 4, |item| *item), [0_usize; 0]);
    }

    #[test]
    fn as_many_are_under_way_at_once_as_was_said_and_no_more() {
        let (now, most, gate) = (AtomicUsize::new(0), AtomicUsize::new(0), Barrier::new(4));
        each(&[(); 40], 4, |()| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Would wait for ever if there were fewer.
            gate.wait();
            now.fetch_sub(1, Ordering::SeqCst);
        });
        assert_eq!(most.into_inner(), 4);
    }
}
