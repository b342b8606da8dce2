//! The control database's repositories.

mod api_keys;
mod runs;
mod steps;
mod tenant_row;
mod tenants;

use std::sync::Arc;

use tenantry_ports::{
    Access, ApiKeyRepository, ControlStore, ControlTx, RunRepository, StoreResult, TenantRepository, Verdict,
};

use crate::pool::Database;
use crate::transaction::Transaction;

/// The control database behind its port.
pub(crate) struct Control(pub(crate) Arc<Database>);

impl ControlStore for Control {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn ControlTx) -> Verdict,
    ) -> StoreResult<()> {
        self.0.transact(access, &mut |tx| body(tx))
    }
}

impl ControlTx for Transaction<'_> {
    fn tenants(&mut self) -> &mut dyn TenantRepository {
        self
    }

    fn runs(&mut self) -> &mut dyn RunRepository {
        self
    }

    fn api_keys(&mut self) -> &mut dyn ApiKeyRepository {
        self
    }
}
