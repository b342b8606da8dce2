//! Every tenant's database, and those of the warm pool: which of them are behind in schema, and bringing them up to date.
//!
//! Which schema a database has is noted in the control database. Finding out that there is nothing to do therefore costs
//! one query, however many tenants there are. What is done is noted database by database: a run that was interrupted, or
//! in which some failed, is repeated and does only what is left.

mod each;
mod members;
mod migrate;

pub use members::{FleetError, Member, behind, every, look, one};
pub use migrate::{Done, Order, Outcome, Summary, migrate};
