//! Telling people and programs outside what becomes of tenants.
//!
//! Whoever changes a tenant's state [`announce`]s it in the same transaction: the notices are committed with the change or
//! not at all. They are delivered afterwards, each at least once, by [`deliver_once`].

mod announce;
mod channels;
mod deliver;
mod keep;
mod letter;
mod schedule;

pub use announce::{Happening, announce};
pub use channels::{Channels, MailChannel, WebhookChannel};
pub use deliver::deliver_once;
pub use keep::{KEPT, list, prune, resend};
