//! A tenant database's repositories.

mod accounts;
mod basis;
mod config_versions;
mod configs;
mod floor;
mod holdings;
mod idempotency;
mod log;
mod mappings;
mod organisation;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod round_trips;
mod sessions;
mod settings;
mod trades;
mod users;
mod webhooks;

use tenantry_ports::{
    AccountRepository, AttemptRepository, BasisRepository, ConfigRepository, FloorRepository,
    HoldingRepository, IdempotencyRepository, MappingRepository, OrganisationRepository, SessionRepository,
    SettingsRepository, TenantLogRepository, TenantTx, TradeRepository, UserRepository, WebhookRepository,
};

use crate::transaction::Transaction;

impl TenantTx for Transaction<'_> {
    fn settings(&mut self) -> &mut dyn SettingsRepository {
        self
    }

    fn users(&mut self) -> &mut dyn UserRepository {
        self
    }

    fn sessions(&mut self) -> &mut dyn SessionRepository {
        self
    }

    fn attempts(&mut self) -> &mut dyn AttemptRepository {
        self
    }

    fn basis(&mut self) -> &mut dyn BasisRepository {
        self
    }

    fn configs(&mut self) -> &mut dyn ConfigRepository {
        self
    }

    fn accounts(&mut self) -> &mut dyn AccountRepository {
        self
    }

    fn organisation(&mut self) -> &mut dyn OrganisationRepository {
        self
    }

    fn mappings(&mut self) -> &mut dyn MappingRepository {
        self
    }

    fn trades(&mut self) -> &mut dyn TradeRepository {
        self
    }

    fn holdings(&mut self) -> &mut dyn HoldingRepository {
        self
    }

    fn webhooks(&mut self) -> &mut dyn WebhookRepository {
        self
    }

    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository {
        self
    }

    fn log(&mut self) -> &mut dyn TenantLogRepository {
        self
    }

    fn floor(&mut self) -> &mut dyn FloorRepository {
        self
    }
}
