//! Account configs: validate, upload, read.

mod cache;
mod read;
mod upload;
mod validate;

pub use cache::ConfigCache;
pub use read::{get, list};
pub use upload::{Upload, UploadError, Uploaded, upload};
pub use validate::{ConfigVerdict, account_config_schema, validate};
