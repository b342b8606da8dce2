#![doc = include_str!("../README.md")]

pub mod access;
pub mod accounts;
pub mod api_keys;
pub mod configs;
mod journal;
mod platform;
pub mod provisioning;
pub mod sign_in;
pub mod tenants;

pub use platform::{Platform, Policy};
