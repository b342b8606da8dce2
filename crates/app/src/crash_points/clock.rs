use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_ports::Clock;

/// A clock that is ahead of another: for this process everybody's leases have expired so much earlier.
pub(super) struct Ahead {
    clock: Arc<dyn Clock>,
    by: TimeDelta,
}

impl Ahead {
    /// As many seconds ahead as the text says.
    pub(super) fn parse(clock: &Arc<dyn Clock>, seconds: &str) -> Option<Self> {
        let by = TimeDelta::seconds(seconds.parse::<u32>().ok()?.into());
        Some(Self { clock: Arc::clone(clock), by })
    }
}

impl Clock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now() + self.by
    }
}
