use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::QuotaExceeded;
use tenantry_domain::text::{check_length, check_printable};
use tenantry_domain::{Finding, Pointer};
use tenantry_ports::{
    ApiKey, ControlTx, IdempotencyKey, KeyAudience, Scope, Secret, StoreError, StoreResult,
};

use super::change::{ChangeKeyError, persistently};
use crate::idempotency::{Answer, Once, once_on_platform};
use crate::journal::platform::api_key_created;
use crate::{Platform, Record, limits, recorded};

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
    /// Another request had the same idempotency key.
    #[error("the idempotency key was used for another request")]
    IdempotencyKeyReused,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a request for a key came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// A new key, whose text is known only to the caller from now on.
    New(ApiKey, Secret),
    /// The request was answered before, with this key. Its text was not kept.
    Before(ApiKey),
}

/// How a request for a key is answered, should it come again: the answer with a key's text in it is kept sealed, and not
/// beyond the time that first answers are kept.
pub struct KeyAnswers<'a> {
    /// The request.
    pub request: IdempotencyKey,
    /// The body of the answer to who is given a key.
    pub made: &'a dyn Fn(&Made) -> Vec<u8>,
    /// The answer to a refusal that is for good.
    pub refused: &'a dyn Fn(&ChangeKeyError) -> Option<Answer>,
}

impl KeyAnswers<'_> {
    /// Makes a key by `act`, unless the request was answered before. What it answers with is not sealed any more.
    pub(super) fn once(
        &self,
        platform: &Platform,
        now: DateTime<Utc>,
        mut act: impl FnMut(&mut dyn ControlTx, &mut Record) -> Result<Made, ChangeKeyError>,
    ) -> Result<Once<Made>, ChangeKeyError> {
        let scope = &self.request.scope;
        let act = |tx: &mut dyn ControlTx, record: &mut Record| {
            // Made by a version of this program that keeps no answers.
            let made = match made_before(platform, tx, &self.request)? {
                Some(before) => before,
                None => act(tx, record)?,
            };
            let body = platform.sealing.seal_answer(scope, &(self.made)(&made));
            Ok((made, Answer { status: 201, body }))
        };
        match once_on_platform(platform, &self.request, None, now, act, self.refused)? {
            Once::Before(Answer { status: 201, body }) => match platform.sealing.open_answer(scope, &body) {
                Ok(body) => Ok(Once::Before(Answer { status: 201, body })),
                // The master key was replaced, and the former one is not known any more. The key is there all the same.
                Err(error) => {
                    let before = platform.control.read(|tx| made_before(platform, tx, &self.request))?;
                    Ok(Once::Done(before.ok_or_else(|| StoreError::corrupt("stored response", error))?))
                }
            },
            other => Ok(other),
        }
    }
}

/// Makes a key. Its text is known only to the caller from then on.
pub fn create(platform: &Platform, wish: NewKey) -> Result<(ApiKey, Secret), NewKeyError> {
    let (key, text) = mint(platform, wish, None)?;
    let keyring = limits::keyring(platform, key.tenant)?;
    recorded::<_, NewKeyError>(platform, None, |tx, record| {
        keyring.admit::<NewKeyError>(tx, key.created_at)?;
        record.add(api_key_created(platform, &key, key.created_at));
        Ok(tx.api_keys().insert(&key)?)
    })?;
    announce(&key);
    Ok((key, text))
}

/// The same for a request that may come again.
pub fn create_once(
    platform: &Platform,
    wish: NewKey,
    answers: &KeyAnswers<'_>,
) -> Result<Once<Made>, ChangeKeyError> {
    let (key, text) = mint(platform, wish, Some(answers.request.clone()))?;
    let keyring = limits::keyring(platform, key.tenant)?;
    let once = persistently(|| {
        answers.once(platform, key.created_at, |tx, record| {
            keyring.admit::<NewKeyError>(tx, key.created_at)?;
            insert(tx, &key)?;
            record.add(api_key_created(platform, &key, key.created_at));
            Ok(Made::New(key.clone(), text.clone()))
        })
    })?;
    if let Once::Done(Made::New(key, _)) = &once {
        announce(key);
    }
    Ok(once)
}

/// What the request was answered with, as long as first answers are kept.
pub(super) fn made_before(
    platform: &Platform,
    tx: &mut dyn ControlTx,
    request: &IdempotencyKey,
) -> Result<Option<Made>, NewKeyError> {
    let oldest = platform.clock.now() - platform.policy.idempotency_retention;
    match tx.api_keys().made_for(&request.scope)?.filter(|key| oldest < key.created_at) {
        None => Ok(None),
        Some(key) if key.request.as_ref() == Some(request) => Ok(Some(Made::Before(key))),
        Some(_) => Err(NewKeyError::IdempotencyKeyReused),
    }
}

/// Adds the key. A request of long ago makes room for that of the new key, if it is in its way.
pub(super) fn insert(tx: &mut dyn ControlTx, key: &ApiKey) -> StoreResult<()> {
    if let Some(request) = &key.request
        && let Some(old) = tx.api_keys().made_for(&request.scope)?
    {
        tx.api_keys().update(&ApiKey { request: None, version: old.version + 1, ..old })?;
    }
    tx.api_keys().insert(key)
}

/// A key as it will be stored, and its text.
pub(super) fn mint(
    platform: &Platform,
    wish: NewKey,
    request: Option<IdempotencyKey>,
) -> Result<(ApiKey, Secret), NewKeyError> {
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
        last_used_at: None,
        request,
        version: 1,
    };
    Ok((key, minted.text))
}

pub(super) fn announce(key: &ApiKey) {
    tracing::info!(key = %key.id, name = key.name, "API key created");
}

fn check(wish: &NewKey, now: DateTime<Utc>) -> Vec<Finding> {
    let root = Pointer::root();
    let mut findings = Vec::new();
    let name = check_length("The name", &wish.name, 1, 100);
    if let Err(error) = name.and_then(|()| check_printable("The name", &wish.name, "invalid_name")) {
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

/// Keeps a key that was made elsewhere. `Conflict(ApiKeyLookup)` if there is one by its lookup.
pub fn keep(platform: &Platform, key: &ApiKey) -> StoreResult<()> {
    recorded(platform, None, |tx, record| {
        record.add(api_key_created(platform, key, key.created_at));
        tx.api_keys().insert(key)
    })
}

/// On the very first start there is no operator's key: makes one and returns its text. Later: `None`.
pub fn ensure_operator(platform: &Platform) -> Result<Option<Secret>, NewKeyError> {
    if !super::page(platform, None, None, 1)?.is_empty() {
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
