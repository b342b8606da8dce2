//! Both doors to a tenant, and looking one up.

mod confirm;
mod create;
mod find;
mod init;

pub use confirm::{ConfirmError, Confirmed, confirm};
pub use create::{CreateError, CreateTenant, Created, NewAdmin, create};
pub use find::{Progress, TenantRef, find, progress};
pub use init::{Announced, InitError, InitTenant, init};
