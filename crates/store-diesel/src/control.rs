//! The control database's repositories.

mod api_keys;
mod carryover;
mod days;
mod delivery_marks;
mod heads;
mod nonces;
mod notice_row;
mod notices;
#[cfg(test)]
mod plans;
mod pool;
mod pool_row;
mod queue;
mod readable;
mod replicas;
#[cfg(test)]
mod round_trips;
mod run_row;
mod runs;
mod signing_keys;
mod steps;
mod tenant_row;
mod tenants;
#[cfg(test)]
mod upgrade;
mod upkeep;

use std::sync::Arc;

use tenantry_ports::{
    Access, ApiKeyRepository, AttemptRepository, CarryoverRepository, ControlStore, ControlTx, DayRepository,
    DeliveryMarkRepository, HeadRepository, IdempotencyRepository, LogRepository, NonceRepository,
    NoticeRepository, PoolRepository, ReplicaRepository, RunRepository, SigningKeyRepository, StoreResult,
    TenantRepository, UpkeepRepository, Verdict,
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

    fn pool(&mut self) -> &mut dyn PoolRepository {
        self
    }

    fn api_keys(&mut self) -> &mut dyn ApiKeyRepository {
        self
    }

    fn signing_keys(&mut self) -> &mut dyn SigningKeyRepository {
        self
    }

    fn carryover(&mut self) -> &mut dyn CarryoverRepository {
        self
    }

    fn delivery_marks(&mut self) -> &mut dyn DeliveryMarkRepository {
        self
    }

    fn nonces(&mut self) -> &mut dyn NonceRepository {
        self
    }

    fn heads(&mut self) -> &mut dyn HeadRepository {
        self
    }

    fn log(&mut self) -> &mut dyn LogRepository {
        self
    }

    fn replicas(&mut self) -> &mut dyn ReplicaRepository {
        self
    }

    fn days(&mut self) -> &mut dyn DayRepository {
        self
    }

    fn upkeep(&mut self) -> &mut dyn UpkeepRepository {
        self
    }

    fn notices(&mut self) -> &mut dyn NoticeRepository {
        self
    }

    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository {
        self
    }

    fn attempts(&mut self) -> &mut dyn AttemptRepository {
        self
    }
}
