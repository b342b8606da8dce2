use serde_json::json;
use tenantry_domain::account::engine::{AccountEvent, Emission, Refusal, Rulebook, Violation};
use tenantry_domain::config::{ConfigId, ConfigVersion, Currency};
use tenantry_domain::id::AccountId;
use tenantry_ports::{StoreError, StoredConfig, TenantScope, TenantTx};

use super::AccountView;
use super::hand::{Hand, InHand};
use crate::{Platform, days};

/// The config version that an account is to follow.
#[derive(Debug, Clone, Default)]
pub struct Destination {
    /// The config; none: the one it follows.
    pub config: Option<ConfigId>,
    /// The version; none: the current one.
    pub version: Option<ConfigVersion>,
}

/// What a migration does to an account, or would do.
#[derive(Debug, Clone)]
pub struct Migration {
    /// The account under its rules of before.
    pub before: AccountView,
    /// The account under its new rules.
    pub after: AccountView,
    /// The new rules that it breaks, with what followed.
    pub violations: Vec<Violation>,
}

/// Why an account keeps its config version.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// There is no such account.
    #[error("there is no such account")]
    NoSuchAccount,
    /// It is not in the version that the caller means.
    #[error("the account has changed since")]
    Stale {
        /// The version it is in.
        version: i64,
    },
    /// The tenant has no such config, or not that version of it.
    #[error("there is no such account config")]
    UnknownConfig(ConfigId, Option<ConfigVersion>),
    /// The config is another one than the account's, and not among the tenant's allowed ones.
    #[error("the account config '{0}' is not allowed")]
    ConfigNotAllowed(ConfigId),
    /// The account's money is not the config's.
    #[error("the account is kept in another currency than the config's")]
    OtherCurrency {
        /// The account's.
        account: Currency,
        /// The config's.
        config: Currency,
    },
    /// It cannot be done to this account.
    #[error(transparent)]
    Refused(Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Says what would become of an account that followed another config version, if `is_meant` says so of the version it is in, and
/// does nothing.
pub fn plan_migration(
    platform: &Platform,
    scope: &TenantScope,
    id: AccountId,
    to: &Destination,
    is_meant: impl Fn(i64) -> bool,
) -> Result<Migration, MigrateError> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.read(|tx| {
        let hand = Hand { actor: String::new(), trace: String::new() };
        let account = InHand::take(platform, tx, id, hand, now)?;
        let mut account = meant(account, is_meant)?;
        let before = account.view();
        let violations = migrate_to(platform, tx, &mut account, to)?;
        Ok(Migration { before, after: account.view(), violations })
    })
}

/// Has an account follow another config version, if `is_meant` says so of the version it is in, whatever that does to it. Where
/// it follows that one already, nothing changes.
pub fn migrate(
    platform: &Platform,
    scope: &TenantScope,
    id: AccountId,
    to: &Destination,
    hand: Hand,
    is_meant: impl Fn(i64) -> bool,
) -> Result<Migration, MigrateError> {
    let now = platform.clock.now();
    days::write(platform, scope, |tx, looks| {
        let head = tx.log().lock()?;
        let account = InHand::take(platform, tx, id, hand.clone(), now)?;
        let mut account = meant(account, &is_meant)?;
        let before = account.view();
        let violations = migrate_to(platform, tx, &mut account, to)?;
        let after = account.keep(platform, scope, tx, head, looks)?;
        Ok(Migration { before, after, violations })
    })
}

fn meant(account: Option<InHand>, is_meant: impl Fn(i64) -> bool) -> Result<InHand, MigrateError> {
    let account = account.ok_or(MigrateError::NoSuchAccount)?;
    let version = account.account.version;
    if is_meant(version) { Ok(account) } else { Err(MigrateError::Stale { version }) }
}

/// Answers with the new rules that the account breaks.
fn migrate_to(
    platform: &Platform,
    tx: &mut dyn TenantTx,
    in_hand: &mut InHand,
    to: &Destination,
) -> Result<Vec<Violation>, MigrateError> {
    let id = to.config.clone().unwrap_or_else(|| in_hand.account.config_id.clone());
    let settings = tx.settings().get()?.unwrap_or_default();
    let config = tx.configs().get(&id, to.version)?;
    let config = config.ok_or_else(|| MigrateError::UnknownConfig(id.clone(), to.version))?;
    let StoredConfig { version, resolved, hash, .. } = config;
    if (&id, version) == (&in_hand.account.config_id, in_hand.account.config_version) {
        return Ok(Vec::new());
    }
    if id != in_hand.account.config_id && !settings.allowed_configs.allows(&id) {
        return Err(MigrateError::ConfigNotAllowed(id));
    }
    let config = platform.configs.get(&hash, || Ok(resolved))?;
    let (kept, wanted) = (in_hand.config.currency, config.currency);
    if kept != wanted {
        return Err(MigrateError::OtherCurrency { account: kept, config: wanted });
    }
    let event =
        AccountEvent::ConfigMigrated { config_id: id.clone(), config_version: version, at: in_hand.at() };
    let follows = |in_hand: &InHand| {
        let account = &in_hand.account;
        json!({ "configId": account.config_id, "configVersion": account.config_version })
    };
    let before = follows(in_hand);
    (in_hand.account.config_id, in_hand.account.config_version) = (id, version);
    in_hand.account.config_hash = hash;
    let rules = Rulebook::of(&config);
    in_hand.config = config;
    in_hand.note(&["config"], before, follows(in_hand), Some(&event));
    let emitted = in_hand.apply_under(&rules, &event).map_err(MigrateError::Refused)?;
    let violation = |emission| match emission {
        Emission::RuleViolated(violation) => Some(violation),
        _ => None,
    };
    Ok(emitted.into_iter().filter_map(violation).collect())
}
