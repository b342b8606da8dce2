//! API keys: the operator's, and those a tenant's machines use.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use tenantry_domain::id::{ApiKeyId, TenantId};
use tenantry_domain::tenant::QuotaExceeded;
use tenantry_domain::text::check_length;
use tenantry_domain::{Finding, Pointer};
use tenantry_ports::{ApiKey, KeyAudience, Scope, Secret, StoreError, StoreResult};

use crate::{Platform, limits};

/// A key that is wanted.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Whose; none for an operator's key.
    pub owner: Option<TenantId>,
    /// What it is for, 1 to 100 characters.
    pub name: String,
    /// What it may do; a tenant's key needs at least one, an operator's has none.
    pub scopes: BTreeSet<Scope>,
    /// When it stops working.
    pub expires_at: Option<DateTime<Utc>>,
    /// Who wants it.
    pub created_by: String,
}

/// Why there is no new key.
#[derive(Debug, thiserror::Error)]
pub enum NewKeyError {
    /// Something about the wish is wrong; pointers are those of the API's request body.
    #[error("the key cannot be made like this")]
    Invalid(Vec<Finding>),
    /// The tenant has as many keys as it may have.
    #[error(transparent)]
    QuotaExceeded(#[from] QuotaExceeded),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a key. Its text is known only to the caller from then on.
pub fn create(platform: &Platform, wish: NewKey) -> Result<(ApiKey, Secret), NewKeyError> {
    let now = platform.clock.now();
    let findings = check(&wish, now);
    if !findings.is_empty() {
        return Err(NewKeyError::Invalid(findings));
    }
    let audience = if wish.owner.is_some() { KeyAudience::Tenant } else { KeyAudience::Operator };
    let minted = platform.keys.mint(audience);
    let key = ApiKey {
        id: platform.ids.next(),
        tenant: wish.owner,
        name: wish.name,
        lookup: minted.parts.lookup,
        hash: minted.parts.hash,
        last4: minted.last4,
        scopes: wish.scopes,
        created_by: wish.created_by,
        created_at: now,
        expires_at: wish.expires_at,
        revoked_at: None,
    };
    let keyring = limits::keyring(platform, key.tenant)?;
    platform.control.write::<_, NewKeyError>(|tx| {
        keyring.admit::<NewKeyError>(tx, now)?;
        Ok(tx.api_keys().insert(&key)?)
    })?;
    tracing::info!(key = %key.id, name = key.name, "API key created");
    Ok((key, minted.text))
}

fn check(wish: &NewKey, now: DateTime<Utc>) -> Vec<Finding> {
    let root = Pointer::root();
    let mut findings = Vec::new();
    if let Err(error) = check_length("The name", &wish.name, 1, 100) {
        findings.push(error.at(root.member("name")));
    }
    if wish.owner.is_some() && wish.scopes.is_empty() {
        let message = "A key needs at least one scope, or it could do nothing";
        findings.push(Finding::new(root.member("scopes"), "too_few_items", message));
    }
    if wish.expires_at.is_some_and(|end| end <= now) {
        findings.push(Finding::new(
            root.member("expiresAt"),
            "in_the_past",
            "The expiry must lie in the future",
        ));
    }
    findings
}

/// The keys of a tenant, or the operator's for none; newest first, revoked and expired ones included.
pub fn list(platform: &Platform, owner: Option<TenantId>) -> StoreResult<Vec<ApiKey>> {
    platform.control.read(|tx| tx.api_keys().of(owner))
}

/// Revokes a key of this owner; false if there is none of that id.
pub fn revoke(platform: &Platform, owner: Option<TenantId>, id: ApiKeyId) -> StoreResult<bool> {
    let now = platform.clock.now();
    let revoked = platform.control.write(|tx| tx.api_keys().revoke(owner, id, now))?;
    if revoked {
        tracing::info!(key = %id, "API key revoked");
    }
    Ok(revoked)
}

/// On the very first start there is no operator's key: makes one and returns its text. Later: `None`.
pub fn ensure_operator(platform: &Platform) -> Result<Option<Secret>, NewKeyError> {
    if !list(platform, None)?.is_empty() {
        return Ok(None);
    }
    let wish = NewKey {
        owner: None,
        name: "first operator key".to_owned(),
        scopes: BTreeSet::new(),
        expires_at: None,
        created_by: "first start".to_owned(),
    };
    create(platform, wish).map(|(_, text)| Some(text))
}
