//! The real binary, from outside, on both databases.

mod accounts;
mod crashes;
mod doors;
mod steps;
mod wire;
