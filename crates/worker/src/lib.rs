#![doc = include_str!("../README.md")]

mod bell;
mod days;
mod deliverer;
mod heads;
mod keeper;
mod notifier;
mod provisioner;
mod recorder;
mod upkeep;

pub use bell::Bell;
pub use deliverer::{Deliverer, DeliveryBell};
pub use heads::{HeadSigner, MovedLogs};
pub use notifier::{NoticeBells, Notifier};
pub use provisioner::Worker;
pub use recorder::Recorder;
