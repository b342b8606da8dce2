use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tenantry_domain::account::{Account, AccountToProvision, WebsiteUserId};
use tenantry_domain::config::{AccountConfig, ConfigId};
use tenantry_domain::id::AccountId;
use tenantry_domain::tenant::{Allowance, QuotaExceeded, QuotaKind, Settings};
use tenantry_ports::{
    ConfigHead, IdempotencyKey, StoreError, StoreResult, StoredResponse, TenantScope, TenantTx,
};

use crate::Platform;
use crate::journal::{self, Traced};
use crate::limits;

/// An account that somebody wants.
#[derive(Debug, Clone)]
pub struct ProvisionAccount {
    /// For which of the website's users.
    pub user_id: WebsiteUserId,
    /// From which config; its current version counts.
    pub config_id: ConfigId,
    /// Whatever the website wants to remember with it.
    pub meta: Option<Map<String, Value>>,
    /// Makes a repeated request get the first answer.
    pub idempotency: Option<IdempotencyKey>,
    /// The request it came with, for the event.
    pub trace: String,
}

/// The answer to somebody who wanted an account: bytes, so that a repeated request gets the very same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The account; not known any more when the answer is a replayed one.
    pub account: Option<AccountId>,
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Receipt {
    /// Whether the answer was given before.
    pub const fn is_replayed(&self) -> bool {
        self.account.is_none()
    }
}

/// Why somebody did not get an account.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProvisionError {
    /// The tenant has no such config.
    #[error("there is no account config '{0}'")]
    UnknownConfig(ConfigId),
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
///
/// `receipt` writes the answer that is kept for repeated requests.
pub fn provision(
    platform: &Platform,
    scope: &TenantScope,
    slice: &[ProvisionAccount],
    receipt: fn(&Account, &AccountConfig) -> Vec<u8>,
) -> Vec<Result<Receipt, ProvisionError>> {
    let now = platform.clock.now();
    let outcome = platform.stores.open(scope).and_then(|store| {
        store.write(|tx| {
            // First in line, then looking around: from here on nobody else changes what is read.
            let (head, counts) = tx.log().lock_and_count()?;
            let mut batch = Batch::open(platform, scope, tx, slice, counts.accounts, now)?;
            let results =
                slice.iter().map(|command| batch.decide(command, receipt)).collect::<StoreResult<_>>()?;
            let Batch { tx, accounts, answers, events, .. } = batch;
            if !accounts.is_empty() {
                tx.accounts().insert(&accounts)?;
                journal::append(platform, scope, tx, head, events, now)?;
                let since = now - platform.policy.idempotency_retention;
                if !answers.is_empty() {
                    tx.idempotency().insert(&answers, since)?;
                }
            }
            Ok(results)
        })
    });
    outcome.unwrap_or_else(|error: StoreError| {
        let error = Arc::new(error);
        slice.iter().map(|_| Err(ProvisionError::Store(Arc::clone(&error)))).collect()
    })
}

/// What a slice needs to know, and what it is going to write.
struct Batch<'a> {
    platform: &'a Platform,
    scope: &'a TenantScope,
    tx: &'a mut dyn TenantTx,
    now: DateTime<Utc>,
    settings: Settings,
    heads: HashMap<ConfigId, ConfigHead>,
    /// Answers given before, those of this slice included.
    known: HashMap<String, StoredResponse>,
    /// How much the tenant may have.
    allowance: Allowance,
    /// How many accounts it has without those of this slice.
    existing: u64,
    accounts: Vec<Account>,
    answers: Vec<StoredResponse>,
    events: Vec<Traced>,
}

impl<'a> Batch<'a> {
    fn open(
        platform: &'a Platform,
        scope: &'a TenantScope,
        tx: &'a mut dyn TenantTx,
        slice: &[ProvisionAccount],
        existing: u64,
        now: DateTime<Utc>,
    ) -> StoreResult<Self> {
        let settings = tx.settings().get()?.unwrap_or_default();
        let scopes: Vec<&str> =
            slice.iter().filter_map(|command| Some(command.idempotency.as_ref()?.scope.as_str())).collect();
        let mut known = HashMap::new();
        if !scopes.is_empty() {
            let since = now - platform.policy.idempotency_retention;
            let answers = tx.idempotency().find(&scopes, since)?;
            known.extend(answers.into_iter().map(|answer| (answer.key.scope.clone(), answer)));
        }
        let mut ids: Vec<ConfigId> = slice.iter().map(|command| command.config_id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let heads = tx.configs().heads(&ids)?.into_iter().map(|head| (head.id.clone(), head)).collect();
        let allowance = limits::allowance(platform, scope, &settings.quotas);
        let (accounts, answers, events) = (Vec::with_capacity(slice.len()), Vec::new(), Vec::new());
        Ok(Self {
            platform,
            scope,
            tx,
            now,
            settings,
            heads,
            known,
            allowance,
            existing,
            accounts,
            answers,
            events,
        })
    }

    /// Decides on one command. The outer error is the store's and fails the slice, the inner one is the command's own.
    fn decide(
        &mut self,
        command: &ProvisionAccount,
        receipt: fn(&Account, &AccountConfig) -> Vec<u8>,
    ) -> StoreResult<Result<Receipt, ProvisionError>> {
        if let Some(answered) = self.answered_before(command) {
            return Ok(answered);
        }
        let head = match self.check(command) {
            Ok(head) => head,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let tx = &mut *self.tx;
        let config = self.platform.configs.get(&head.hash, || {
            let stored = tx.configs().get(&head.id, Some(head.version))?;
            let missing = || StoreError::corrupt("account config", "its current version is missing");
            stored.map(|config| config.resolved).ok_or_else(missing)
        })?;
        let wanted = AccountToProvision {
            id: self.platform.ids.next(),
            tenant_id: self.scope.tenant(),
            user_id: command.user_id.clone(),
            config: &config,
            config_version: head.version,
            config_hash: head.hash,
            meta: command.meta.clone(),
        };
        let account = Account::provision(wanted, self.now);
        let (status, body) = (201, receipt(&account, &config));
        if let Some(key) = &command.idempotency {
            let answer =
                StoredResponse { key: key.clone(), status, body: body.clone(), created_at: self.now };
            self.known.insert(key.scope.clone(), answer.clone());
            self.answers.push(answer);
        }
        self.events.push(journal::account_provisioned(&account, command.trace.clone()));
        let passed = limits::passed_by_one(QuotaKind::Accounts, &self.allowance, self.used(), &command.trace);
        self.events.extend(passed);
        let id = account.id;
        self.accounts.push(account);
        Ok(Ok(Receipt { account: Some(id), status, body }))
    }

    fn answered_before(&self, command: &ProvisionAccount) -> Option<Result<Receipt, ProvisionError>> {
        let key = command.idempotency.as_ref()?;
        let answer = self.known.get(&key.scope)?;
        if answer.key.fingerprint != key.fingerprint {
            return Some(Err(ProvisionError::KeyReused));
        }
        Some(Ok(Receipt { account: None, status: answer.status, body: answer.body.clone() }))
    }

    /// The config's current version, if the tenant may have an(other) account of it.
    fn check(&self, command: &ProvisionAccount) -> Result<ConfigHead, ProvisionError> {
        let id = &command.config_id;
        let head = self.heads.get(id).ok_or_else(|| ProvisionError::UnknownConfig(id.clone()))?;
        if !self.settings.allowed_configs.allows(id) {
            return Err(ProvisionError::ConfigNotAllowed(id.clone()));
        }
        self.allowance.admit(QuotaKind::Accounts, self.used()).map_err(ProvisionError::QuotaExceeded)?;
        Ok(head.clone())
    }

    /// How many accounts the tenant has by now.
    fn used(&self) -> u64 {
        self.existing + self.accounts.len() as u64
    }
}
