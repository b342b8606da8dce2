//! Both doors to a tenant, looking it up, and what an operator does with it.

mod confirm;
mod create;
mod find;
mod init;
mod lifecycle;
mod placement;
mod update;

pub use confirm::{ConfirmError, Confirmed, confirm};
pub use create::{CreateError, CreateTenant, Created, NewAdmin, create, create_once};
pub use find::{Progress, TenantRef, find, list, progress};
pub use init::{Announced, InitError, InitTenant, announced_before, init, init_once};
pub(crate) use init::{announce, new_tenant};
pub use lifecycle::{ChangeError, Target, deprovision, expire, restore, resume, retry, suspend};
pub use placement::{Placement, UnknownCluster};
pub use update::{TenantChange, UpdateError, update};
