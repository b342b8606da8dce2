//! The rule engine, held against a second one and against what must hold of any.

#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod digits;
mod fuzz;
mod naive;
mod properties;
mod random;
mod twins;
mod vectors;
