//! The real binary, from outside, on both databases.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod account_life;
mod accounts;
mod crashes;
#[cfg(debug_assertions)]
mod days;
mod doors;
mod duplicates;
mod events;
mod forgeries;
#[cfg(debug_assertions)]
mod kill_matrix;
mod limits;
mod machines;
#[cfg(debug_assertions)]
mod notices;
mod organisation;
mod people;
#[cfg(debug_assertions)]
mod rewrap;
mod source_003;
mod steps;
mod trades;
#[cfg(debug_assertions)]
mod upkeep;
mod webhooks;
mod wire;
