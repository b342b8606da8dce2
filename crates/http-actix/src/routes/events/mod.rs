//! What happened in a tenant, or to the platform: by the page, one by one, and as it happens.

mod asked;
mod head;
mod list;
mod platform;
mod read;
mod stream;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use tenantry_domain::event::Event;
use tenantry_ports::Scope::EventsRead;

use crate::endpoint::Endpoint;
use crate::endpoint::Place::Prefix;
use crate::endpoint::Who::{Operator, Scope};
use crate::openapi::documented;
use crate::problem::Code;

/// An event, in the envelope that webhooks have, too.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct EventView(Event);

impl JsonSchema for EventView {
    fn schema_name() -> Cow<'static, str> {
        Event::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Event::json_schema(generator)
    }
}

/// Some events, the oldest first.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventPage {
    /// The events. There may be fewer than were asked for, or none, and more to come all the same.
    items: Vec<EventView>,
    /// Where to go on, always: pass it as `cursor`, at once while `hasMore` is true, and after a while when it is not.
    next_cursor: String,
    /// Whether there is more already.
    has_more: bool,
}

documented!(EventView, EventPage);

/// Every endpoint about events.
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new::<list::__path_list, _, _>(
            list::list,
            Prefix,
            Scope(EventsRead),
            &[Code::InvalidParameter, Code::InvalidCursor, Code::EventNotFound, Code::EventsExpired],
        ),
        Endpoint::new::<stream::__path_stream, _, _>(
            stream::stream,
            Prefix,
            Scope(EventsRead),
            &[Code::InvalidParameter, Code::EventNotFound, Code::EventsExpired, Code::TooManyStreams],
        ),
        Endpoint::new::<head::__path_head, _, _>(head::head, Prefix, Scope(EventsRead), &[]),
        Endpoint::new::<read::__path_read, _, _>(
            read::read,
            Prefix,
            Scope(EventsRead),
            &[Code::EventNotFound, Code::EventsExpired],
        ),
        Endpoint::new::<platform::__path_list_platform, _, _>(
            platform::list_platform,
            Prefix,
            Operator,
            &[Code::InvalidParameter, Code::InvalidCursor, Code::EventNotFound],
        ),
        Endpoint::new::<platform::__path_stream_platform, _, _>(
            platform::stream_platform,
            Prefix,
            Operator,
            &[Code::InvalidParameter, Code::EventNotFound, Code::TooManyStreams],
        ),
        Endpoint::new::<platform::__path_head_platform, _, _>(platform::head_platform, Prefix, Operator, &[]),
        Endpoint::new::<platform::__path_read_platform, _, _>(
            platform::read_platform,
            Prefix,
            Operator,
            &[Code::EventNotFound],
        ),
    ]
}

/// The schemas that the wire types generate.
#[cfg(test)]
pub(super) fn generated(all: &mut serde_json::Map<String, serde_json::Value>) {
    crate::openapi::generated::<EventPage>(all);
    crate::openapi::generated::<head::HeadView>(all);
}
