use tenantry_domain::account::engine::TradeId;
use tenantry_domain::account::{Account, AccountMapping, AppliedTrade, TradePlace};
use tenantry_domain::config::{ConfigId, ConfigVersion, Symbol};
use tenantry_domain::id::{AccountId, MappingId, SessionId, UserId};
use tenantry_domain::organisation::{OrgId, OrgUnit};
use tenantry_domain::people::Session;
use tenantry_domain::tenant::Settings;
use tenantry_ports::{
    AccountRepository, AttemptRepository, BasisRepository, ConfigHead, ConfigRepository, ConfigVersionRecord,
    Constraint, Counts, Credentials, FloorRepository, HoldingRepository, IdempotencyRepository,
    MappingRepository, OrganisationRepository, SessionRepository, SettingsRepository, StoreError,
    StoreResult, StoredConfig, TenantLogRepository, TenantTx, TradeRepository, UserRepository,
    WebhookRepository,
};

use super::attempts::Attempts;
use super::basis::Configured;
use super::idempotency::Responses;
use super::log::Log;
use super::snapshot::{Table, Transaction};
use super::webhooks::Webhooks;

/// What one tenant database holds.
#[derive(Debug, Clone, Default)]
pub(super) struct TenantState {
    settings: Option<Settings>,
    pub(super) users: Table<UserId, Credentials>,
    pub(super) sessions: Table<SessionId, Session>,
    pub(super) attempts: Attempts,
    pub(super) configured: Configured,
    configs: Table<(ConfigId, ConfigVersion), StoredConfig>,
    pub(super) accounts: Table<AccountId, Account>,
    pub(super) responses: Responses,
    pub(super) organisation: Table<OrgId, OrgUnit>,
    pub(super) mappings: Table<(AccountId, MappingId), AccountMapping>,
    pub(super) trades: Table<(AccountId, TradePlace), AppliedTrade>,
    pub(super) trade_ids: Table<(AccountId, TradeId), TradePlace>,
    pub(super) holdings: Table<(Symbol, AccountId), ()>,
    pub(super) webhooks: Webhooks,
    pub(super) log: Log,
}

impl TenantTx for Transaction<TenantState> {
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

impl SettingsRepository for Transaction<TenantState> {
    fn get(&mut self) -> StoreResult<Option<Settings>> {
        self.look(|state| Ok(state.settings.clone()))
    }

    fn put(&mut self, settings: &Settings) -> StoreResult<()> {
        self.change(|state| {
            state.settings = Some(settings.clone());
            Ok(())
        })
    }
}

impl TenantState {
    pub(super) fn counts(&self) -> Counts {
        let firsts = self.configs.keys().filter(|(_, version)| *version == ConfigVersion::FIRST);
        Counts {
            accounts: self.accounts.len() as u64,
            users: self.users.len() as u64,
            configs: firsts.count() as u64,
        }
    }

    fn head(&self, id: &ConfigId) -> Option<&StoredConfig> {
        self.versions(id).next()
    }

    /// The highest first.
    fn versions(&self, id: &ConfigId) -> impl Iterator<Item = &StoredConfig> {
        let (first, last) = (ConfigVersion::FIRST, ConfigVersion::LAST);
        self.configs.range((id.clone(), first)..=(id.clone(), last)).rev().map(|(_, config)| config)
    }
}

fn head_of(config: &StoredConfig) -> ConfigHead {
    ConfigHead { id: config.id.clone(), version: config.version, hash: config.hash.clone() }
}

fn record_of(config: &StoredConfig) -> ConfigVersionRecord {
    ConfigVersionRecord {
        version: config.version,
        hash: config.hash.clone(),
        created_by: config.created_by.clone(),
        created_at: config.created_at,
    }
}

impl ConfigRepository for Transaction<TenantState> {
    fn insert(&mut self, config: &StoredConfig) -> StoreResult<()> {
        self.change(|state| {
            let key = (config.id.clone(), config.version);
            if state.configs.contains_key(&key) {
                return Err(StoreError::Conflict(Constraint::ConfigVersion));
            }
            state.configs.insert(key, config.clone());
            Ok(())
        })
    }

    fn heads(&mut self, ids: &[ConfigId]) -> StoreResult<Vec<ConfigHead>> {
        self.look(|state| {
            let ids: std::collections::BTreeSet<_> = ids.iter().collect();
            Ok(ids.into_iter().filter_map(|id| state.head(id)).map(head_of).collect())
        })
    }

    fn get(&mut self, id: &ConfigId, version: Option<ConfigVersion>) -> StoreResult<Option<StoredConfig>> {
        self.look(|state| {
            let config = match version {
                Some(version) => state.configs.get(&(id.clone(), version)),
                None => state.head(id),
            };
            Ok(config.cloned())
        })
    }

    fn page(&mut self, after: Option<&ConfigId>, limit: usize) -> StoreResult<Vec<ConfigHead>> {
        self.look(|state| {
            let mut ids: Vec<_> =
                state.configs.keys().map(|(id, _)| id).filter(|id| Some(*id) > after).collect();
            ids.dedup();
            Ok(ids.into_iter().take(limit).filter_map(|id| state.head(id)).map(head_of).collect())
        })
    }

    fn with_hash(&mut self, id: &ConfigId, hash: &str) -> StoreResult<Option<StoredConfig>> {
        self.look(|state| Ok(state.versions(id).find(|config| config.hash == hash).cloned()))
    }

    fn versions(
        &mut self,
        id: &ConfigId,
        before: Option<ConfigVersion>,
        limit: usize,
    ) -> StoreResult<Vec<ConfigVersionRecord>> {
        self.look(|state| {
            let below = |config: &&StoredConfig| before.is_none_or(|before| config.version < before);
            Ok(state.versions(id).filter(below).take(limit).map(record_of).collect())
        })
    }

    fn clear(&mut self) -> StoreResult<()> {
        self.change(|state| {
            state.configs = Table::default();
            Ok(())
        })
    }
}
