use std::sync::Arc;

use tenantry_domain::id::TenantId;
use tenantry_ports::{LogFloor, LogRepository, StoreError, StoreResult, TenantScope, TenantStore};

use crate::Platform;

/// An event log to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Log {
    /// A tenant's.
    Tenant(TenantScope),
}

impl Log {
    /// Whose it is.
    pub const fn owner(&self) -> TenantId {
        match self {
            Self::Tenant(scope) => scope.tenant(),
        }
    }

    pub(crate) fn open(&self, platform: &Platform) -> StoreResult<OpenLog> {
        match self {
            Self::Tenant(scope) => Ok(OpenLog::Tenant(platform.stores.open(scope)?)),
        }
    }
}

/// A log whose database is open.
pub(crate) enum OpenLog {
    Tenant(Arc<dyn TenantStore>),
}

impl OpenLog {
    /// One unit of work that reads the log.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        body: impl FnOnce(&mut dyn LogRepository) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            Self::Tenant(store) => store.read(|tx| body(tx.log())),
        }
    }

    /// Where the log begins; none if nothing of it was ever let go of.
    pub(crate) fn floor(&self) -> StoreResult<Option<LogFloor>> {
        match self {
            Self::Tenant(store) => store.read(|tx| tx.floor().get()),
        }
    }
}
