//! The stores on real databases: SQLite files, and a PostgreSQL server of the tests' own.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod adoption;
mod clusters;
mod connections;
mod contract;
mod crashes;
mod files;
mod logins;
mod places;
mod schemas;
mod server;
