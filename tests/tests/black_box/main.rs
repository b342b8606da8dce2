//! The real binary, from outside, on both databases.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod account_life;
mod accounts;
mod crashes;
mod doors;
mod forgeries;
#[cfg(debug_assertions)]
mod kill_matrix;
mod limits;
mod machines;
#[cfg(debug_assertions)]
mod notices;
mod people;
mod steps;
mod wire;
