#![doc = include_str!("../README.md")]

mod bell;
mod days;
mod keeper;
mod notifier;
mod provisioner;
mod recorder;

pub use bell::Bell;
pub use notifier::{NoticeBells, Notifier};
pub use provisioner::Worker;
pub use recorder::Recorder;
