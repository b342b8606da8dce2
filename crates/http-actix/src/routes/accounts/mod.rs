//! Trading accounts: provision, read, list. The product's hot path.

mod memory;
mod provision;
mod read;
mod reader;
mod view;

pub(crate) use provision::{__path_provision, Receipts, provision};
#[cfg(test)]
pub(crate) use provision::{ProvisionBody, ProvisionedView};
#[cfg(test)]
pub(crate) use read::AccountPage;
pub(crate) use read::{__path_list, __path_read, list, read};
pub(crate) use reader::{Found, Reader};
