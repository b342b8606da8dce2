//! The real binary, from outside, on both databases.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accounts;
mod crashes;
mod doors;
mod duplicates;
mod forgeries;
#[cfg(debug_assertions)]
mod kill_matrix;
mod limits;
mod machines;
#[cfg(debug_assertions)]
mod notices;
mod organisation;
mod people;
mod source_003;
#[cfg(debug_assertions)]
mod rewrap;
mod steps;
mod wire;
