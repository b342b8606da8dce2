#![doc = include_str!("../README.md")]

mod attempts;
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
mod naming;
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

pub use databases::{ClusterReport, DirectoryReport, ServerReport};
pub use settings::{LoginPasswords, StoreSettings};
pub use stores::{OpenError, Premises, Stores};
pub use url::{DatabaseUrl, InvalidUrl, PostgresUrl};
