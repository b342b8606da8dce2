//! Trading accounts: provision, read, list. The product's hot path.

mod provision;
mod read;
mod view;

pub(crate) use provision::{__path_provision, provision, receipt};
pub(crate) use read::{__path_list, __path_read, list, read};
