use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many connections may be open at once, over several pools.
#[derive(Debug)]
pub(crate) struct Ceiling {
    limit: u32,
    open: AtomicU32,
}

/// The right to have one connection open, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(Arc<Ceiling>);

impl Ceiling {
    pub(crate) fn new(limit: u32) -> Arc<Self> {
        Arc::new(Self { limit, open: AtomicU32::new(0) })
    }

    /// One more, if there is room.
    pub(crate) fn permit(self: &Arc<Self>) -> Option<Permit> {
        let below = |open| (open < self.limit).then_some(open + 1);
        self.open
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, below)
            .ok()
            .map(|_| Permit(Arc::clone(self)))
    }

    pub(crate) const fn limit(&self) -> u32 {
        self.limit
    }

    #[cfg(test)]
    pub(crate) fn open(&self) -> u32 {
        self.open.load(Ordering::Acquire)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}
