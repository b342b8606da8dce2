use chrono::{DateTime, Utc};
use serde_json::Value;
use tenantry_domain::config::{AcceptedConfig, ConfigId, ConfigVersion, VersioningStrategy, next_free_id};
use tenantry_domain::tenant::{QuotaExceeded, QuotaKind};
use tenantry_domain::{Finding, json};
use tenantry_ports::{
    Counts, IdempotencyKey, LogHead, StoreError, StoreResult, StoredConfig, TenantScope, TenantTx,
};

use super::validate::inspect;
use crate::Platform;
use crate::idempotency::{Answer, Once, once};
use crate::journal;
use crate::limits;

/// A config document that is to become a version.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The document.
    pub document: Value,
    /// Who uploads it.
    pub actor: String,
    /// The request it came with, for the event.
    pub trace: String,
}

/// A version, new or found to be there already.
#[derive(Debug, Clone)]
pub struct Uploaded {
    /// The version.
    pub config: StoredConfig,
    /// What is doubtful about it.
    pub warnings: Vec<Finding>,
    /// False if there was a version that is this very document.
    pub created: bool,
    /// Whether accounts are made from it when no version is named.
    pub is_current: bool,
}

/// Why there is no new version.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// Something is wrong with the document.
    #[error("the account config is invalid")]
    Invalid {
        /// What.
        errors: Vec<Finding>,
        /// What is doubtful besides.
        warnings: Vec<Finding>,
    },
    /// There is another document under this id, and the tenant's strategy is that ids are never used again.
    #[error("there is an account config '{id}' already")]
    IdTaken {
        /// The id.
        id: ConfigId,
        /// The next free one.
        suggestion: ConfigId,
    },
    /// The tenant has as many configs as it may have.
    #[error(transparent)]
    QuotaExceeded(#[from] QuotaExceeded),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores a config document as the next version of its id, or as the first, as the tenant's versioning strategy has
/// it; one that is a version of its id already makes none. Accounts that were made from older versions are not touched.
pub fn upload(platform: &Platform, scope: &TenantScope, upload: Upload) -> Result<Uploaded, UploadError> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.write(|tx| {
        let head = tx.log().lock_and_count()?;
        store(platform, scope, tx, upload, head, now)
    })
}

/// The same for a `request` that may come again, and then gets what `answer` wrote the first time.
pub fn upload_once(
    platform: &Platform,
    scope: &TenantScope,
    upload: Upload,
    request: Option<&IdempotencyKey>,
    answer: impl FnOnce(&Result<Uploaded, UploadError>) -> Option<Answer>,
) -> Result<Once<Uploaded>, UploadError> {
    let now = platform.clock.now();
    let act = |tx: &mut dyn TenantTx, head, counts| store(platform, scope, tx, upload, (head, counts), now);
    once(platform, scope, request, now, act, answer)
}

fn store(
    platform: &Platform,
    scope: &TenantScope,
    tx: &mut dyn TenantTx,
    upload: Upload,
    (head, counts): (LogHead, Counts),
    now: DateTime<Utc>,
) -> Result<Uploaded, UploadError> {
    let inspection = inspect(platform.schemas.as_ref(), scope, tx, &upload.document)?;
    let (errors, warnings) = (inspection.errors, inspection.warnings);
    let Some(AcceptedConfig { id, resolved, .. }) = inspection.accepted else {
        return Err(UploadError::Invalid { errors, warnings });
    };
    let hash = platform.digest.hex(json::canonical(&resolved).as_bytes());
    let current = tx.configs().heads(std::slice::from_ref(&id))?.pop();
    if let Some(current) = &current
        && let Some(config) = tx.configs().with_hash(&id, &hash)?
    {
        let is_current = config.version == current.version;
        return Ok(Uploaded { config, warnings, created: false, is_current });
    }
    let settings = tx.settings().get()?.unwrap_or_default();
    let mut passed = None;
    let version = match current {
        None => {
            let allowance = limits::allowance(platform, scope, &settings.quotas);
            allowance.admit(QuotaKind::Configs, counts.configs)?;
            passed = limits::passed_by_one(QuotaKind::Configs, &allowance, counts.configs, &upload.trace);
            ConfigVersion::FIRST
        }
        Some(current) => match settings.versioning_strategy {
            VersioningStrategy::Internal => current.version.next(),
            VersioningStrategy::Explicit => {
                let suggestion = suggest(tx, &id)?;
                return Err(UploadError::IdTaken { id, suggestion });
            }
        },
    };
    let config = StoredConfig {
        id,
        version,
        document: upload.document,
        resolved,
        hash,
        created_by: upload.actor,
        created_at: now,
    };
    tx.configs().insert(&config)?;
    let uploaded = journal::config_uploaded(&config, upload.trace);
    let events = [uploaded].into_iter().chain(passed).collect();
    journal::append(platform, scope, tx, head, events, now)?;
    Ok(Uploaded { config, warnings, created: true, is_current: true })
}

/// The next id that nothing is stored under.
fn suggest(tx: &mut dyn TenantTx, id: &ConfigId) -> StoreResult<ConfigId> {
    next_free_id(id, |candidate| Ok(!tx.configs().heads(std::slice::from_ref(candidate))?.is_empty()))
}
