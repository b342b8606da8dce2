use std::collections::HashMap;

use chrono::{DateTime, Utc};
use tenantry_domain::account::{Account, AccountToProvision};
use tenantry_domain::config::{ConfigId, ConfigVersion};
use tenantry_domain::tenant::{Allowance, QuotaKind, Settings};
use tenantry_ports::{
    ConfigHead, StoreError, StoreResult, StoredConfig, StoredResponse, TenantScope, TenantTx,
};

use super::{Answers, ProvisionAccount, ProvisionError, Receipt};
use crate::Platform;
use crate::idempotency::Answer;
use crate::journal::{self, Traced};
use crate::limits;

/// What a slice needs to know, and what it is going to write.
pub(super) struct Batch<'a> {
    platform: &'a Platform,
    scope: &'a TenantScope,
    pub(super) tx: &'a mut dyn TenantTx,
    now: DateTime<Utc>,
    settings: Settings,
    heads: HashMap<ConfigId, ConfigHead>,
    /// Versions that were asked for by number and are not the current ones.
    older: HashMap<(ConfigId, ConfigVersion), StoredConfig>,
    /// Answers given before, those of this slice included.
    known: HashMap<String, StoredResponse>,
    /// How much the tenant may have.
    allowance: Allowance,
    /// How many accounts it has without those of this slice.
    existing: u64,
    pub(super) accounts: Vec<Account>,
    pub(super) answers: Vec<StoredResponse>,
    pub(super) events: Vec<Traced>,
}

impl<'a> Batch<'a> {
    pub(super) fn open(
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
        let heads: HashMap<_, _> =
            tx.configs().heads(&ids)?.into_iter().map(|head| (head.id.clone(), head)).collect();
        let older = older_versions(tx, slice, &heads)?;
        let allowance = limits::allowance(platform, scope, &settings.quotas);
        let (accounts, answers, events) = (Vec::with_capacity(slice.len()), Vec::new(), Vec::new());
        Ok(Self {
            platform,
            scope,
            tx,
            now,
            settings,
            heads,
            older,
            known,
            allowance,
            existing,
            accounts,
            answers,
            events,
        })
    }

    /// Decides on one command. The outer error is the store's and fails the slice, the inner one is the command's own.
    pub(super) fn decide(
        &mut self,
        command: &ProvisionAccount,
        answers: &impl Answers,
    ) -> StoreResult<Result<Receipt, ProvisionError>> {
        if let Some(answered) = self.answered_before(command) {
            return Ok(answered);
        }
        let head = match self.check(command) {
            Ok(head) => head,
            Err(refusal) => return Ok(self.refuse(command, refusal, answers)),
        };
        let (tx, older) = (&mut *self.tx, &self.older);
        let config = self.platform.configs.get(&head.hash, || {
            if let Some(stored) = older.get(&(head.id.clone(), head.version)) {
                return Ok(stored.resolved.clone());
            }
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
        let answer = Answer { status: 201, body: answers.provisioned(&account, &config) };
        self.keep(command, &answer);
        self.events.push(journal::account_provisioned(&account, &command.hand));
        let passed =
            limits::passed_by_one(QuotaKind::Accounts, &self.allowance, self.used(), &command.hand.trace);
        self.events.extend(passed);
        let id = account.id;
        self.accounts.push(account);
        Ok(Ok(Receipt { account: Some(id), answer, replayed: false }))
    }

    fn answered_before(&self, command: &ProvisionAccount) -> Option<Result<Receipt, ProvisionError>> {
        let key = command.idempotency.as_ref()?;
        let before = self.known.get(&key.scope)?;
        if before.key.fingerprint != key.fingerprint {
            return Some(Err(ProvisionError::KeyReused));
        }
        Some(Ok(Receipt { account: None, answer: before.clone().into(), replayed: true }))
    }

    /// A refusal; one that is for good is kept, if the request may come again.
    fn refuse(
        &mut self,
        command: &ProvisionAccount,
        refusal: ProvisionError,
        answers: &impl Answers,
    ) -> Result<Receipt, ProvisionError> {
        let answer = command
            .idempotency
            .as_ref()
            .and_then(|_| answers.refused(self.scope, &refusal, &command.hand.trace));
        let answer = answer.ok_or(refusal)?;
        self.keep(command, &answer);
        Ok(Receipt { account: None, answer, replayed: false })
    }

    fn keep(&mut self, command: &ProvisionAccount, answer: &Answer) {
        if let Some(key) = &command.idempotency {
            let kept = answer.kept(key.clone(), self.now);
            self.known.insert(key.scope.clone(), kept.clone());
            self.answers.push(kept);
        }
    }

    /// The version that is meant, if the tenant may have an(other) account of it.
    fn check(&self, command: &ProvisionAccount) -> Result<ConfigHead, ProvisionError> {
        let id = &command.config_id;
        let current = self.heads.get(id).ok_or_else(|| ProvisionError::UnknownConfig(id.clone()))?;
        let head = match command.config_version {
            Some(version) if version != current.version => {
                let stored = self.older.get(&(id.clone(), version));
                let stored = stored.ok_or_else(|| ProvisionError::UnknownVersion(id.clone(), version))?;
                ConfigHead { id: id.clone(), version, hash: stored.hash.clone() }
            }
            _ => current.clone(),
        };
        if !self.settings.allowed_configs.allows(id) {
            return Err(ProvisionError::ConfigNotAllowed(id.clone()));
        }
        self.allowance.admit(QuotaKind::Accounts, self.used()).map_err(ProvisionError::QuotaExceeded)?;
        Ok(head)
    }

    /// How many accounts the tenant has by now.
    fn used(&self) -> u64 {
        self.existing + self.accounts.len() as u64
    }
}

/// The versions that a slice asks for by number, but for the current ones.
fn older_versions(
    tx: &mut dyn TenantTx,
    slice: &[ProvisionAccount],
    heads: &HashMap<ConfigId, ConfigHead>,
) -> StoreResult<HashMap<(ConfigId, ConfigVersion), StoredConfig>> {
    let mut older = HashMap::new();
    for command in slice {
        let Some(version) = command.config_version else { continue };
        let named = (command.config_id.clone(), version);
        let current = heads.get(&named.0).is_none_or(|head| head.version == version);
        if !current
            && !older.contains_key(&named)
            && let Some(stored) = tx.configs().get(&named.0, Some(version))?
        {
            older.insert(named, stored);
        }
    }
    Ok(older)
}
