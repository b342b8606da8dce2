//! Trading accounts: provision and read, in slices.
//!
//! Many callers want the same thing of the same tenant at the same time. A slice does it for all of them in one
//! transaction and gives each its own result; a single request is a slice of one.

mod events;
mod provision;
mod read;

pub use events::events;
pub use provision::{ProvisionAccount, ProvisionError, Receipt, provision};
pub use read::{AccountView, Asked, Reading, list, read};
