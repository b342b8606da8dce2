//! Whether event logs are what was written: their chains, and the statements of how far they had come.
//!
//! The chain of a log finds what was changed in the middle of it. Whoever can write to the database can cut its end off
//! or write it anew from some entry on, chain and all; but not make the code of a statement that was signed before.

mod heads;
mod statement;
mod walk;

pub use heads::{KEPT, sign, sign_moved};
pub use statement::{Statement, statements_in};
pub use walk::{Audit, Flaw, What, verify};
