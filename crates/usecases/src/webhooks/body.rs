use std::sync::Arc;

use serde::Serialize;
use tenantry_domain::event::{Event, EventType};
use tenantry_ports::{LogEntry, StoreError, StoreResult};

/// What is sent of an event: `type`, `timestamp` and `data`, as Standard Webhooks has it, among the members of the event.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a EventType,
    /// Of two events of an account the later one has the greater number, so that a receiver can drop what is stale.
    sequence: i64,
    #[serde(flatten)]
    event: &'a Event,
}

/// The same bytes at every attempt.
pub(super) fn of(entry: &LogEntry) -> StoreResult<Arc<[u8]>> {
    let body = Body { r#type: &entry.event.event_type, sequence: entry.sequence, event: &entry.event };
    let bytes = serde_json::to_vec(&body).map_err(|error| StoreError::Failed(Box::new(error)))?;
    Ok(bytes.into())
}
