//! Webhook endpoints: when what did not arrive is sent again, and when nothing more is.

mod schedule;
mod state;

pub use schedule::{ATTEMPTS, HOLDS_UP, LONGEST_REST, PATIENCE, rest, wait};
pub use state::{DeliveryStatus, DisabledReason};
