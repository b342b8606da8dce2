//! The rule engine, held against a second one and against what must hold of any.

mod digits;
mod fuzz;
mod naive;
mod properties;
mod random;
mod twins;
mod vectors;
