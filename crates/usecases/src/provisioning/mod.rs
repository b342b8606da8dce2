//! The step runner: claims a provisioning run, does its steps or undoes them, and records every one.
//!
//! Between two steps there is one commit, which records the end of the one and the beginning of the next. What a
//! crash interrupts is therefore always in the journal as `InProgress`, and whoever claims the run next carries on
//! there: every step may be done, and undone, twice.

mod dispatch;
mod effects;
mod heartbeat;
mod pool;
mod runner;
mod seed;

pub(crate) use dispatch::Dispatch;
pub(crate) use pool::update;
pub use pool::{Tended, tend_once};
pub use runner::{Worked, carry_on, work_once};
