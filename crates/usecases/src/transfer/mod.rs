//! Taking a tenant from one installation to another: an archive of everything that is the tenant's, and a new tenant made
//! from it.
//!
//! The archive is JSON Lines and says itself what is in it: a head, then settings, people, basis and processes, account configs, accounts and
//! the event log, one record per line, then a trailer with counts and SHA-256. It is the same whichever database the
//! tenant lives in. It holds the hashes of passwords, so it is a secret; sessions, API keys and answers to repeated
//! requests are not in it.

mod archive;
mod configuration;
mod export;
mod import;
mod lines;
mod load;
mod record;
mod verify;
mod webhooks;

pub use archive::{Head, Kind, LogPlace, Sum, TenantFacts, Trailer};
pub use export::{ExportError, Exported, export};
pub(crate) use import::waits;
pub use import::{ImportError, ImportTenant, abandon, begin, complete};
pub(crate) use verify::check_link;
pub use verify::{Flaw, Verified, VerifyError, verify};
