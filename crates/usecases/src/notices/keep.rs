use chrono::TimeDelta;
use tenantry_domain::id::EventId;
use tenantry_ports::{Channel, NoticeFilter, NoticeRecord, StoreError, StoreResult};

use crate::journal::platform::notices_resent;
use crate::{Platform, recorded};

/// How long a notice is kept after it was delivered or given up.
pub const KEPT: TimeDelta = TimeDelta::days(30);

/// How many notices are forgotten in one transaction.
const SLICE: usize = 500;

/// Notices, newest first, after the one that is `after`.
pub fn list(
    platform: &Platform,
    filter: &NoticeFilter,
    after: Option<(EventId, Channel)>,
    limit: usize,
) -> StoreResult<Vec<NoticeRecord>> {
    platform.control.read(|tx| tx.notices().page(filter, after, limit))
}

/// Has what was given up sent again: the notices of this event, or all of them. How many that were.
pub fn resend(platform: &Platform, event: Option<EventId>) -> StoreResult<usize> {
    let now = platform.clock.now();
    let resent = recorded::<_, StoreError>(platform, None, |tx, record| {
        let resent = tx.notices().resend(event, now)?;
        if resent > 0 {
            record.add(notices_resent(platform, event, resent, now));
        }
        Ok(resent)
    })?;
    platform.nudge.notices_are_due();
    Ok(resent)
}

/// Forgets what was settled longer ago than [`KEPT`]; how many notices that were.
pub fn prune(platform: &Platform) -> StoreResult<usize> {
    let settled_before = platform.clock.now() - KEPT;
    let mut pruned = 0;
    loop {
        let slice = platform.control.write(|tx| tx.notices().prune(settled_before, SLICE))?;
        pruned += slice;
        if slice < SLICE {
            return Ok(pruned);
        }
    }
}
