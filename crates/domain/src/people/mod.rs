//! People who sign in to a tenant, and what they may do there.

mod email;
mod names;
mod password;
mod role;
mod user;

pub use email::Email;
pub use names::{PersonName, Username};
pub use password::{InvalidPasswordPolicy, PasswordContext, PasswordPolicy};
pub use role::{Ability, InvalidRole, Role, RoleConfig, RoleTemplate, role_config};
pub use user::{User, UserToCreate};
