#![doc = include_str!("../README.md")]

mod bulk;
mod ceiling;
mod connect;
mod connector;
mod control;
mod convert;
mod databases;
mod db;
mod error;
mod gate;
mod migrations;
mod owner;
mod pool;
mod registry;
mod schema;
mod settings;
mod stores;
mod tenant;
#[cfg(test)]
mod testing;
mod transaction;
mod url;

pub use settings::StoreSettings;
pub use stores::{OpenError, Stores};
pub use url::{DatabaseUrl, InvalidUrl, PostgresUrl};
