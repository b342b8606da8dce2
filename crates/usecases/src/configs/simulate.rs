use std::collections::HashMap;
use std::sync::Arc;

use tenantry_domain::account::engine::{AccountEvent, Replay, Replayed, Rulebook};
use tenantry_domain::account::{AccountState, RuleStatus, rule_statuses};
use tenantry_domain::config::{AccountConfig, ConfigId, ConfigVersion};
use tenantry_domain::{Finding, Pointer};
use tenantry_ports::{StoreError, StoreResult, TenantScope, TenantTx};

use crate::Platform;

/// The most events that are replayed at once.
pub const MOST_SIMULATED: usize = 10_000;

/// What became of an account that nobody has.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// The version that the account was made from.
    pub version: ConfigVersion,
    /// The rules that it follows at the end.
    pub config: Arc<AccountConfig>,
    /// How it stands at the end.
    pub state: AccountState,
    /// How it stands with each rule.
    pub rules: Vec<RuleStatus>,
    /// What came of each event, in order.
    pub results: Vec<Replayed>,
}

/// Why nothing was replayed.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The tenant has no such config, or not that version.
    #[error("there is no such account config")]
    UnknownConfig,
    /// There are too many events, or they lead to configs that do not exist; pointers begin at the list.
    #[error("the events cannot be replayed")]
    Invalid(Vec<Finding>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A config with its rules made ready.
type Ready = (Arc<AccountConfig>, Rulebook);

/// Replays events on a fresh account of this config and version (the current one, if none is said), and stores nothing. The
/// account is as old as the first event; what comes after it follows the engine's rules: an event that is refused changes
/// nothing, and a trade counts once.
pub fn simulate(
    platform: &Platform,
    scope: &TenantScope,
    id: &ConfigId,
    version: Option<ConfigVersion>,
    events: &[AccountEvent],
) -> Result<Simulated, SimulateError> {
    if events.len() > MOST_SIMULATED {
        let message = format!("At most {MOST_SIMULATED} events are replayed at once, not {}", events.len());
        let finding = Finding::new(Pointer::root().member("events"), "too_many_items", message);
        return Err(SimulateError::Invalid(vec![finding]));
    }
    let (version, first, later) = platform.stores.open(scope)?.read(|tx| {
        let Some((version, first)) = ready(platform, tx, id, version)? else {
            return Err(SimulateError::UnknownConfig);
        };
        Ok((version, first, destinations(platform, tx, events)?))
    })?;
    let start = events.first().map_or_else(|| platform.clock.now(), AccountEvent::at);
    let mut replay = Replay::new(AccountState::provisioned(&first.0, start));
    let mut current = &first;
    let mut results = Vec::with_capacity(events.len());
    for event in events {
        let rules = match event {
            AccountEvent::ConfigMigrated { config_id, config_version, .. } => {
                later.get(&(config_id.clone(), *config_version)).unwrap_or(current)
            }
            _ => current,
        };
        let result = replay.step(&rules.1, event);
        if matches!(&result, Replayed::Done(outcome) if outcome.refusal.is_none()) {
            current = rules;
        }
        results.push(result);
    }
    let state = replay.into_state();
    let rules = rule_statuses(&current.0, &state);
    Ok(Simulated { version, config: Arc::clone(&current.0), state, rules, results })
}

fn ready(
    platform: &Platform,
    tx: &mut dyn TenantTx,
    id: &ConfigId,
    version: Option<ConfigVersion>,
) -> StoreResult<Option<(ConfigVersion, Ready)>> {
    let Some(stored) = tx.configs().get(id, version)? else { return Ok(None) };
    let config = platform.configs.get(&stored.hash, || Ok(stored.resolved))?;
    let rules = Rulebook::of(&config);
    Ok(Some((stored.version, (config, rules))))
}

/// The configs that the account is to migrate to.
fn destinations(
    platform: &Platform,
    tx: &mut dyn TenantTx,
    events: &[AccountEvent],
) -> Result<HashMap<(ConfigId, ConfigVersion), Ready>, SimulateError> {
    let mut found = HashMap::new();
    let mut unknown = Vec::new();
    for (i, event) in events.iter().enumerate() {
        let AccountEvent::ConfigMigrated { config_id, config_version, .. } = event else { continue };
        let named = (config_id.clone(), *config_version);
        if found.contains_key(&named) {
            continue;
        }
        match ready(platform, tx, config_id, Some(*config_version))? {
            Some((_, ready)) => drop(found.insert(named, ready)),
            None => {
                let at = Pointer::root().member("events").index(i).member("configId");
                let message = format!("There is no version {config_version} of a config '{config_id}'");
                unknown.push(Finding::new(at, "unknown_config", message));
            }
        }
    }
    if unknown.is_empty() { Ok(found) } else { Err(SimulateError::Invalid(unknown)) }
}
