mod batch;

use std::sync::Arc;

use serde_json::{Map, Value};
use tenantry_domain::account::{Account, WebsiteUserId};
use tenantry_domain::config::{AccountConfig, ConfigId, ConfigVersion};
use tenantry_domain::id::AccountId;
use tenantry_domain::tenant::QuotaExceeded;
use tenantry_ports::{IdempotencyKey, StoreError, StoreResult, TenantScope};

use self::batch::Batch;
use super::Hand;
use crate::Platform;
use crate::idempotency::Answer;
use crate::journal;

/// An account that somebody wants.
#[derive(Debug, Clone)]
pub struct ProvisionAccount {
    /// For which of the website's users.
    pub user_id: WebsiteUserId,
    /// From which config.
    pub config_id: ConfigId,
    /// From which version of it; from the current one if none is said.
    pub config_version: Option<ConfigVersion>,
    /// Whatever the website wants to remember with it.
    pub meta: Option<Map<String, Value>>,
    /// Makes a repeated request get the first answer.
    pub idempotency: Option<IdempotencyKey>,
    /// Who wants it.
    pub hand: Hand,
}

/// The answer to somebody who wanted an account: bytes, so that a repeated request gets the very same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The account; not known if there is none, nor when the answer is a replayed one.
    pub account: Option<AccountId>,
    /// The answer.
    pub answer: Answer,
    /// Whether the answer was given before.
    pub replayed: bool,
}

/// Writes answers to those who want accounts.
pub trait Answers {
    /// The body of the answer to who gets this account.
    fn provisioned(&self, account: &Account, config: &AccountConfig) -> Vec<u8>;

    /// The answer to who gets none, if it is for good: a repeated request gets it again.
    fn refused(&self, scope: &TenantScope, refusal: &ProvisionError, trace: &str) -> Option<Answer> {
        let _ = (scope, refusal, trace);
        None
    }
}

impl<F: Fn(&Account, &AccountConfig) -> Vec<u8>> Answers for F {
    fn provisioned(&self, account: &Account, config: &AccountConfig) -> Vec<u8> {
        self(account, config)
    }
}

/// Why somebody did not get an account.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProvisionError {
    /// The tenant has no such config.
    #[error("there is no account config '{0}'")]
    UnknownConfig(ConfigId),
    /// The config has no such version.
    #[error("there is no version {1} of the account config '{0}'")]
    UnknownVersion(ConfigId, ConfigVersion),
    /// The config is not among the tenant's allowed ones.
    #[error("the account config '{0}' is not allowed")]
    ConfigNotAllowed(ConfigId),
    /// The tenant has as many accounts as it may have.
    #[error(transparent)]
    QuotaExceeded(QuotaExceeded),
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for a different request")]
    KeyReused,
    /// The store failed, for the whole slice.
    #[error(transparent)]
    Store(Arc<StoreError>),
}

/// Provisions a slice of accounts in one transaction: accounts, events and first answers are kept together or not at
/// all. A command that is refused does not disturb the others.
pub fn provision(
    platform: &Platform,
    scope: &TenantScope,
    slice: &[ProvisionAccount],
    answers: impl Answers,
) -> Vec<Result<Receipt, ProvisionError>> {
    let now = platform.clock.now();
    let outcome = platform.stores.open(scope).and_then(|store| {
        store.write(|tx| {
            // First in line, then looking around: from here on nobody else changes what is read.
            let (head, counts) = tx.log().lock_and_count()?;
            let mut batch = Batch::open(platform, scope, tx, slice, counts.accounts, now)?;
            let results =
                slice.iter().map(|command| batch.decide(command, &answers)).collect::<StoreResult<_>>()?;
            let Batch { tx, accounts, answers, events, .. } = batch;
            if !accounts.is_empty() {
                tx.accounts().insert(&accounts)?;
                journal::append(platform, scope, tx, head, events, now)?;
            }
            if !answers.is_empty() {
                tx.idempotency().insert(&answers, now - platform.policy.idempotency_retention)?;
            }
            Ok(results)
        })
    });
    outcome.unwrap_or_else(|error: StoreError| {
        let error = Arc::new(error);
        slice.iter().map(|_| Err(ProvisionError::Store(Arc::clone(&error)))).collect()
    })
}
