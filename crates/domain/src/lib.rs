#![doc = include_str!("../README.md")]

pub mod account;
pub mod basis;
pub mod config;
pub mod event;
pub mod finding;
pub mod id;
pub mod json;
pub mod money;
pub mod organisation;
pub mod people;
pub mod tenant;
pub mod text;
pub mod timestamp;
mod verbatim;
pub mod webhook;

pub use finding::{Finding, Pointer};
pub use money::Amount;
pub use verbatim::Verbatim;
