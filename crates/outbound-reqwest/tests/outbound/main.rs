//! What leaves this machine, and what is made of what comes back: against real servers on loopback ports.

#![expect(clippy::unwrap_used, reason = "helpers of tests, too, fail by panicking")]

mod endpoints;
mod environment;
mod guard;
mod names;
mod provider;
mod siteverify;
mod webhooks;
