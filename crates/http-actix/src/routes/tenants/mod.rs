//! Tenants: the second door to one, and what an operator sees of them and does with them.

mod change;
mod create;
mod lifecycle;
mod list;
mod operate;
mod read;
mod view;

#[cfg(test)]
pub(crate) use change::ChangeTenantBody;
pub(crate) use change::{__path_change, change};
pub(crate) use create::{__path_create, create};
#[cfg(test)]
pub(crate) use create::{CreateTenantBody, CreatedView};
pub(crate) use lifecycle::{
    __path_deprovision, __path_restore, __path_resume, __path_retry, __path_suspend, deprovision, restore,
    resume, retry, suspend,
};
#[cfg(test)]
pub(crate) use list::TenantPage;
pub(crate) use list::{__path_list, list};
pub(crate) use read::{__path_read, read};
pub(crate) use view::{SummaryView, TenantView};
