#![doc = include_str!("../README.md")]

pub mod access;
pub mod accounts;
pub mod api_keys;
pub mod audit;
pub mod basis;
pub mod configs;
pub mod days;
pub mod doctor;
pub mod endpoints;
pub mod events;
pub mod fleet;
pub mod idempotency;
mod journal;
pub mod limits;
mod log;
pub mod machine_tokens;
pub mod mappings;
pub mod master_keys;
pub mod notices;
pub mod organisation;
mod platform;
pub mod provisioning;
mod record;
pub mod settings;
pub mod sign_in;
pub mod signatures;
pub mod signing_keys;
pub mod tenants;
pub mod trades;
pub mod transfer;
pub mod upkeep;
pub mod users;
pub mod webhooks;

pub use log::Log;
pub use platform::{Platform, Policy};
pub use record::{Record, recorded};
