//! What a tenant configures for the programs of its people: its basis and its processes, and what they were before.

mod changes;
mod history;
mod processes;
mod restore;
mod upsert;

use tenantry_domain::Finding;
use tenantry_domain::basis::{BasisConfig, Label, Process, ProcessConfig};
use tenantry_domain::id::ProcessConfigId;
use tenantry_ports::{Constraint, StoreError, StoreResult, TenantScope};

use crate::Platform;

pub use history::{Entry, of_basis, of_process};
pub use processes::{remove, replace};
pub use restore::{restore_basis, restore_process};
pub use upsert::{BasisWish, Upsert, Upserted, upsert};

/// Who changes something, and with which request.
#[derive(Debug, Clone)]
pub struct Author {
    /// Who, as an id or `operator`.
    pub actor: String,
    /// The request it came with, for the event.
    pub trace: String,
}

/// Why a configuration stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It contradicts itself.
    #[error("the configuration is not acceptable")]
    Invalid(Vec<Finding>),
    /// It is not the version that the caller means.
    #[error("it has changed since")]
    Stale {
        /// The version it has by now; 0 where there is none.
        version: i64,
    },
    /// There is no such process (any more).
    #[error("there is no such process")]
    NoSuchProcess,
    /// There was no such version, or it is that of a removal.
    #[error("there is no version {0}")]
    NoSuchVersion(i64),
    /// Another process has this type and name.
    #[error("another process has this type and name")]
    NameTaken {
        /// The type.
        process_type: Label,
        /// The name.
        name: Label,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ConfigError {
    /// What it means that this process could not be written.
    fn of_process(process: &Process, error: StoreError) -> Self {
        match error {
            StoreError::Conflict(Constraint::ProcessName) => {
                Self::NameTaken { process_type: process.process_type.clone(), name: process.name.clone() }
            }
            error => Self::Store(error),
        }
    }
}

/// The tenant's basis, if it was configured.
pub fn basis(platform: &Platform, scope: &TenantScope) -> StoreResult<Option<BasisConfig>> {
    platform.stores.open(scope)?.read(|tx| tx.basis().basis())
}

/// The process with this id.
pub fn process(
    platform: &Platform,
    scope: &TenantScope,
    id: ProcessConfigId,
) -> StoreResult<Option<ProcessConfig>> {
    platform.stores.open(scope)?.read(|tx| tx.basis().process(id))
}

/// At most `limit` processes (of this type), newest first, after the process `after`.
pub fn processes(
    platform: &Platform,
    scope: &TenantScope,
    process_type: Option<&Label>,
    after: Option<ProcessConfigId>,
    limit: usize,
) -> StoreResult<Vec<ProcessConfig>> {
    platform.stores.open(scope)?.read(|tx| tx.basis().processes(process_type, after, limit))
}
