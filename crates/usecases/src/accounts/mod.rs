//! Trading accounts: provision and read, in slices; and what people do to one.
//!
//! Many callers want the same thing of the same tenant at the same time. A slice does it for all of them in one
//! transaction and gives each its own result; a single request is a slice of one.

mod change;
mod events;
mod hand;
mod migrate;
mod provision;
mod read;

pub use change::{Change, ChangeAccountError, Trading, change, close};
pub use events::events;
pub use hand::Hand;
pub use migrate::{Destination, MigrateError, Migration, migrate, plan_migration};
pub use provision::{Answers, ProvisionAccount, ProvisionError, Receipt, provision};
pub(crate) use read::config_of;
pub use read::{AccountView, Asked, Reading, list, read};
