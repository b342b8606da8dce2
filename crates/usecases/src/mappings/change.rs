use tenantry_domain::account::{Account, AccountMapping, WebsiteUserId};
use tenantry_domain::id::AccountId;
use tenantry_ports::{IdempotencyKey, StoreError, StoreResult, StoredResponse, TenantScope, TenantTx};

use super::current;
use crate::Platform;
use crate::journal;

/// An account that is to be a user's, too.
#[derive(Debug, Clone)]
pub struct MapAccount {
    /// Which account.
    pub account: AccountId,
    /// Whose it is to be.
    pub user: WebsiteUserId,
    /// Who wants it.
    pub actor: String,
    /// Makes a repeated request get the first answer.
    pub idempotency: Option<IdempotencyKey>,
    /// The request it came with, for the event.
    pub trace: String,
}

/// The answer to somebody who wanted an account mapped: bytes, so that a repeated request gets the very same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// HTTP status: 201, or 200 if it was that user's before.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the answer was given before.
    pub replayed: bool,
}

/// Why an account was not mapped.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// There is no such account.
    #[error("there is no such account")]
    NoSuchAccount,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for a different request")]
    KeyReused,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Maps an account to a user, unless it is theirs. `view` writes the answer that is kept for repeated requests.
pub fn map(
    platform: &Platform,
    scope: &TenantScope,
    wish: MapAccount,
    view: fn(&AccountMapping) -> Vec<u8>,
) -> Result<Mapped, MapError> {
    let now = platform.clock.now();
    let since = now - platform.policy.idempotency_retention;
    platform.stores.open(scope)?.write(|tx| {
        let head = tx.log().lock()?;
        if let Some(key) = &wish.idempotency
            && let Some(answer) = tx.idempotency().find(&[&key.scope], since)?.pop()
        {
            return match answer.key.fingerprint == key.fingerprint {
                true => Ok(Mapped { status: answer.status, body: answer.body, replayed: true }),
                false => Err(MapError::KeyReused),
            };
        }
        let account = account(tx, wish.account)?.ok_or(MapError::NoSuchAccount)?;
        let (status, mapping) = match current(tx, &account, &wish.user)? {
            Some((mapping, _)) => (200, mapping),
            None => {
                let id = platform.ids.next();
                let mapping = AccountMapping::begin(id, account.id, wish.user, now, wish.actor);
                tx.mappings().insert(std::slice::from_ref(&mapping))?;
                let event = journal::accounts::mapped(&mapping, wish.trace);
                journal::append(platform, scope, tx, head, vec![event], now)?;
                (201, mapping)
            }
        };
        let body = view(&mapping);
        if let Some(key) = wish.idempotency {
            let answer = StoredResponse { key, status, body: body.clone(), created_at: now };
            tx.idempotency().insert(&[answer], since)?;
        }
        Ok(Mapped { status, body, replayed: false })
    })
}

/// An account that is to be a user's no longer.
#[derive(Debug, Clone)]
pub struct UnmapAccount {
    /// Which account.
    pub account: AccountId,
    /// Whose it is.
    pub user: WebsiteUserId,
    /// Who wants it.
    pub actor: String,
    /// The request it came with, for the event.
    pub trace: String,
}

/// Why an account stays whose it is.
#[derive(Debug, thiserror::Error)]
pub enum UnmapError {
    /// There is no such account.
    #[error("there is no such account")]
    NoSuchAccount,
    /// It is not that user's.
    #[error("the account is not mapped to the user")]
    NotMapped,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes an account from a user: also from the one it was provisioned for.
pub fn unmap(platform: &Platform, scope: &TenantScope, wish: UnmapAccount) -> Result<(), UnmapError> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.write(|tx| {
        let head = tx.log().lock()?;
        let account = account(tx, wish.account)?.ok_or(UnmapError::NoSuchAccount)?;
        let (mapping, kept) = current(tx, &account, &wish.user)?.ok_or(UnmapError::NotMapped)?;
        let ended = mapping.end(now, wish.actor);
        match kept {
            true => tx.mappings().end(&ended)?,
            false => tx.mappings().insert(std::slice::from_ref(&ended))?,
        }
        let event = journal::accounts::unmapped(&ended, wish.trace);
        Ok(journal::append(platform, scope, tx, head, vec![event], now)?)
    })
}

fn account(tx: &mut dyn TenantTx, id: AccountId) -> StoreResult<Option<Account>> {
    Ok(tx.accounts().get(&[id])?.pop())
}
