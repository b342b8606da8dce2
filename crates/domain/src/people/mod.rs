//! People who sign in to a tenant, and what they may do there.

mod abilities;
mod change;
mod email;
mod guessable;
mod names;
mod pace;
mod password;
mod role;
mod session;
mod user;

pub use abilities::{Abilities, check_abilities};
pub use change::UserChange;
pub use email::Email;
pub use names::{PersonName, Username};
pub use pace::{Pace, Tally};
pub use password::{InvalidPasswordPolicy, PasswordContext, PasswordPolicy};
pub use role::{Ability, InvalidRole, Role, RoleConfig, RoleTemplate, role_config};
pub use session::{Device, EndReason, Ended, Presented, Session};
pub use user::{User, UserToCreate};
