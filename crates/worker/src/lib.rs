#![doc = include_str!("../README.md")]

mod bell;
mod days;
mod deliverer;
mod keeper;
mod notifier;
mod provisioner;
mod recorder;

pub use bell::Bell;
pub use deliverer::{Deliverer, DeliveryBell};
pub use notifier::{NoticeBells, Notifier};
pub use provisioner::Worker;
pub use recorder::Recorder;
