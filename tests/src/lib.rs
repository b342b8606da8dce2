#![doc = include_str!("../README.md")]

mod backend;
mod binary;
mod client;
mod installation;
mod process;
mod receiver;
mod statistics;

pub use backend::{Backend, for_each_backend};
pub use client::{Client, Request, Response};
pub use installation::Installation;
pub use process::{OPERATOR_KEY, PATIENCE, Tenantry};
pub use receiver::{Call, Receiver};
pub use statistics::mann_whitney;
