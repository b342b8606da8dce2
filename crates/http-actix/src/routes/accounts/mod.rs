//! Trading accounts: provision, read, list. The product's hot path.

mod bulk;
mod change;
mod endpoints;
mod events;
mod memory;
mod migrate;
mod notes;
mod provision;
mod read;
mod reader;
mod view;

pub(crate) use bulk::{__path_provision_many, provision_many};
pub(crate) use change::account_in_path;
pub(crate) use endpoints::endpoints;
#[cfg(test)]
pub(crate) use endpoints::generated;
pub(crate) use provision::{__path_provision, Receipts, provision};
#[cfg(test)]
pub(crate) use provision::{ProvisionBody, ProvisionedView};
#[cfg(test)]
pub(crate) use read::AccountPage;
pub(crate) use read::{__path_list, __path_read, list, read};
pub(crate) use reader::{Found, Reader};
pub(crate) use view::AccountView;

use crate::problem::{Code, Problem};

pub(crate) fn no_such_account() -> Problem {
    Problem::new(Code::AccountNotFound, "The tenant has no account of this id")
}
