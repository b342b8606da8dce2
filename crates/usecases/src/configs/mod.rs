//! Account configs: validate, upload, read, compare.

mod cache;
mod read;
mod upload;
mod validate;

pub use cache::ConfigCache;
pub use read::{Comparison, compare, get, list, versions};
pub use upload::{Upload, UploadError, Uploaded, upload, upload_once};
pub use validate::{ConfigVerdict, account_config_schema, validate};
