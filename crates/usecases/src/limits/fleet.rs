use std::collections::BTreeMap;

use chrono::TimeDelta;
use tenantry_domain::id::TenantId;
use tenantry_ports::{Replica, StoreResult};

use crate::Platform;

/// How long a replica may be silent before it counts as gone.
pub const SILENCE: TimeDelta = TimeDelta::seconds(10);

/// Says that this replica is there and how many requests a minute it lets in of which tenants, and answers with what the
/// others say.
pub fn announce(platform: &Platform, id: &str, rates: BTreeMap<TenantId, u32>) -> StoreResult<Vec<Replica>> {
    let now = platform.clock.now();
    let replica = Replica { id: id.to_owned(), seen_at: now, rates };
    platform.control.write(|tx| tx.replicas().announce(&replica, now - SILENCE))
}

/// The replicas besides this one that were not silent for too long.
pub fn others(platform: &Platform, id: &str) -> StoreResult<Vec<Replica>> {
    let since = platform.clock.now() - SILENCE;
    platform.control.read(|tx| tx.replicas().others(id, since))
}

/// Says that this replica stops.
pub fn withdraw(platform: &Platform, id: &str) -> StoreResult<()> {
    platform.control.write(|tx| tx.replicas().withdraw(id))
}
