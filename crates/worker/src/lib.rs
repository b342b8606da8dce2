#![doc = include_str!("../README.md")]

mod bell;
mod provisioner;

pub use bell::Bell;
pub use provisioner::Worker;
