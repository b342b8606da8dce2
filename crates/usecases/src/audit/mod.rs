//! Whether event logs are what was written: their chains, and the statements of how far they had come.
//!
//! The chain of a log finds what was changed in the middle of it. Whoever can write to the database can cut its end off
//! or write it anew from some entry on, chain and all; but not make the code of a statement that was signed before. What was too old to be kept was removed by us: the log begins at a floor
//! that is signed in the same way.

mod floor;
mod heads;
mod statement;
mod walk;

pub(crate) use floor::{floor_after, is_our_floor, resign_floor};
pub use heads::{KEPT, sign, sign_moved};
pub use statement::{Statement, statements_in};
pub use walk::{Audit, Flaw, What, verify};
