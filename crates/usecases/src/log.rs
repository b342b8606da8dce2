use std::sync::Arc;

use tenantry_domain::id::TenantId;
use tenantry_ports::{ControlStore, LogRepository, StoreError, StoreResult, TenantScope, TenantStore};

use crate::Platform;

/// An event log to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Log {
    /// The platform's own: what happens to tenants, keys and the installation.
    Platform,
    /// A tenant's.
    Tenant(TenantScope),
}

impl Log {
    /// Whose it is; none for the platform's.
    pub const fn owner(&self) -> Option<TenantId> {
        match self {
            Self::Platform => None,
            Self::Tenant(scope) => Some(scope.tenant()),
        }
    }

    pub(crate) fn open(&self, platform: &Platform) -> StoreResult<OpenLog> {
        match self {
            Self::Platform => Ok(OpenLog::Platform(Arc::clone(&platform.control))),
            Self::Tenant(scope) => Ok(OpenLog::Tenant(platform.stores.open(scope)?)),
        }
    }
}

/// A log whose database is open.
pub(crate) enum OpenLog {
    Platform(Arc<dyn ControlStore>),
    Tenant(Arc<dyn TenantStore>),
}

impl OpenLog {
    /// One unit of work that reads the log.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        body: impl FnOnce(&mut dyn LogRepository) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            Self::Platform(store) => store.read(|tx| body(tx.log())),
            Self::Tenant(store) => store.read(|tx| body(tx.log())),
        }
    }
}
