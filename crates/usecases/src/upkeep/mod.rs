//! Letting go of what is past its time in tenants' databases.
//!
//! Once a day a **round** goes over all of them, a few at a time, with a pause after each few; one process at a time makes the
//! next **turn** of it. What is removed is removed in slices, each a commit of its own that keeps nobody waiting for long, by the
//! database's owner: tenants' own logins may not. A process that dies at it has done what it has committed; whoever makes the
//! next turn begins with the same tenants.

mod events;
mod records;
mod turn;

use std::ops::AddAssign;

pub use turn::{PAUSE, turn};

/// Most that is removed in one commit.
pub const SLICE: usize = 1_000;

/// How much was let go of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// Entries of event logs.
    pub events: usize,
    /// Deliveries to webhook endpoints.
    pub deliveries: usize,
    /// First answers to requests.
    pub answers: usize,
    /// Sessions.
    pub sessions: usize,
    /// Counts of attempts to sign in.
    pub attempts: usize,
}

impl AddAssign for Removed {
    fn add_assign(&mut self, other: Self) {
        let Self { events, deliveries, answers, sessions, attempts } = other;
        self.events += events;
        self.deliveries += deliveries;
        self.answers += answers;
        self.sessions += sessions;
        self.attempts += attempts;
    }
}
