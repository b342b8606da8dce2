//! Events: what happened in a tenant, in one envelope for webhooks, feed and audit log alike.

mod chain;
mod envelope;
mod event_type;
mod pattern;

pub use chain::{chain_input, chain_input_of};
pub use envelope::{Event, EventMeta, NewEvent, RULE_ENGINE_VERSION, SCHEMA_VERSION};
pub use event_type::EventType;
pub use pattern::EventTypePattern;
