//! PostgreSQL databases entered as their owner, by those who look after them.

use std::sync::Arc;

use tenantry_ports::{Access, StoreError, StoreResult, TenantScope, TenantStore, TenantTx, Verdict};

use crate::ceiling::Ceiling;
use crate::connect::Target;
use crate::connector::Connector;
use crate::pool::{Database, Shared};

/// A tenant's database over one connection of its owner's.
struct Owned(Database);

/// Connects, if it is the tenant's database. What is open there counts among nobody's connections: it is one at a time.
pub(super) fn open(
    target: Target,
    scope: &TenantScope,
    shared: &Shared,
) -> StoreResult<Arc<dyn TenantStore>> {
    let ceiling = Ceiling::new(1);
    let permits = Arc::clone(&ceiling);
    let connector = Connector::new(target, Some(scope.tenant()), Box::new(move |_| permits.permit()));
    let unavailable = |error: &dyn std::fmt::Display| StoreError::Unavailable(error.to_string());
    let permit = ceiling.permit().ok_or_else(|| unavailable(&"there is a connection already"))?;
    connector.probe(permit).map_err(|error| unavailable(&error))?;
    Ok(Arc::new(Owned(Database::new(connector, 1, shared))))
}

impl TenantStore for Owned {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn TenantTx) -> Verdict,
    ) -> StoreResult<()> {
        self.0.transact(access, &mut |tx| body(tx))
    }
}
