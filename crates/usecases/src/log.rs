use std::sync::Arc;

use tenantry_domain::id::TenantId;
use tenantry_ports::{
    ControlStore, ControlTx, LogFloor, LogRepository, LogSpan, StoreError, StoreResult, TenantScope,
    TenantStore, TenantTx,
};

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
    /// One unit of work that reads entries of the log.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        body: impl FnOnce(&mut dyn LogRepository) -> Result<T, E>,
    ) -> Result<T, E> {
        self.look(|log| body(log.entries()))
    }

    /// One unit of work that reads the log.
    pub(crate) fn look<T, E: From<StoreError>>(
        &self,
        body: impl FnOnce(&mut Reading<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            Self::Platform(store) => store.read(|tx| body(&mut Reading::Platform(tx))),
            Self::Tenant(store) => store.read(|tx| body(&mut Reading::Tenant(tx))),
        }
    }

    /// Where the log begins; none if nothing of it was ever let go of.
    pub(crate) fn floor(&self) -> StoreResult<Option<LogFloor>> {
        match self {
            // Nothing ever is of this one.
            Self::Platform(_) => Ok(None),
            Self::Tenant(store) => store.read(|tx| tx.floor().get()),
        }
    }
}

/// A log in a unit of work that reads it.
pub(crate) enum Reading<'a> {
    Platform(&'a mut dyn ControlTx),
    Tenant(&'a mut dyn TenantTx),
}

impl Reading<'_> {
    pub(crate) fn entries(&mut self) -> &mut dyn LogRepository {
        match self {
            Self::Platform(tx) => tx.log(),
            Self::Tenant(tx) => tx.log(),
        }
    }

    /// Where the log begins and ends.
    pub(crate) fn span(&mut self) -> StoreResult<LogSpan> {
        match self {
            Self::Platform(tx) => Ok(LogSpan { floor: 0, head: tx.log().head()? }),
            Self::Tenant(tx) => tx.floor().span(),
        }
    }
}
