//! Account configs: validate, upload, read, compare, simulate.

mod cache;
mod read;
mod simulate;
mod upload;
mod validate;

pub use cache::ConfigCache;
pub use read::{Comparison, compare, get, list, versions};
pub use simulate::{MOST_SIMULATED, SimulateError, Simulated, simulate};
pub use upload::{Upload, UploadError, Uploaded, upload, upload_once};
pub use validate::{ConfigVerdict, account_config_schema, validate};
