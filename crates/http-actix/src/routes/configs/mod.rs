//! Account configs: validate, upload, read.

mod read;
mod upload;
mod validate;

pub(crate) use read::{__path_list, __path_read, list, read};
#[cfg(test)]
pub(crate) use read::{ConfigPage, ConfigView};
#[cfg(test)]
pub(crate) use upload::UploadedView;
pub(crate) use upload::{__path_upload, upload};
pub(crate) use validate::{__path_validate, validate};
#[cfg(test)]
pub(crate) use validate::{AccountConfigBody, VerdictView};
