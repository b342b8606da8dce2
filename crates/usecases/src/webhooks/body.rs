use std::sync::Arc;

use serde::Serialize;
use tenantry_domain::event::{Event, EventType};
use tenantry_ports::{StoreError, StoreResult};

/// What is sent of an event: `type`, `timestamp` and `data`, as Standard Webhooks has it, among the members that the event has
/// in the feed and in the stream, too.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a EventType,
    #[serde(flatten)]
    event: &'a Event,
}

/// The same bytes at every attempt.
pub(super) fn of(event: &Event) -> StoreResult<Arc<[u8]>> {
    let body = Body { r#type: &event.event_type, event };
    let bytes = serde_json::to_vec(&body).map_err(|error| StoreError::Failed(Box::new(error)))?;
    Ok(bytes.into())
}
