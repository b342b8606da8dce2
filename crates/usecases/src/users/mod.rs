//! A tenant's people, as its admins see to them.

mod change;
mod read;
mod register;

pub use change::{ChangeUser, ChangeUserError, change};
pub use read::{find, list};
pub use register::{RegisterError, RegisterUser, Registered, register};
