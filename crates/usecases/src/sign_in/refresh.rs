use chrono::{DateTime, Utc};
use tenantry_domain::id::SessionId;
use tenantry_domain::people::{Device, EndReason, Presented, Session, User};
use tenantry_domain::tenant::{Status, Tenant};
use tenantry_ports::{LogHead, Secret, StoreError, TenantScope, TenantTx};

use super::login::access_token;
use super::tokens::RefreshToken;
use crate::Platform;
use crate::journal;

/// The next tokens of a session.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "as in `SignedIn`")]
pub struct Refreshed {
    pub access_token: Secret,
    pub access_expires_at: DateTime<Utc>,
    pub refresh_token: Secret,
    pub refresh_expires_at: DateTime<Utc>,
    pub user: User,
}

/// Why there are no next tokens.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The token is none, was exchanged before, or its session is over: which, is not told.
    #[error("the refresh token does not work (any more)")]
    Invalid,
    /// The token was exchanged before, so this session was ended. The caller is to be told no more than of one that is invalid.
    #[error("the refresh token was used before; session {0} was ended")]
    Reused(SessionId),
    /// The token is genuine, but the tenant is suspended.
    #[error("the tenant is suspended")]
    Suspended,
    /// The token is genuine, but the tenant was told to go.
    #[error("the tenant is being deprovisioned")]
    Leaving,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of a token.
enum Outcome {
    Next(Box<Refreshed>),
    Refused,
    /// It was used before; its session was ended.
    Reused(Session),
}

/// Exchanges a refresh token for the next one and a new access token. Of many who come with one token, one exchanges it, and
/// for a moment ([`Policy::refresh_grace`](crate::Policy)) the others get the very same successor; later the token is taken for
/// stolen, and the session ends.
pub fn refresh(
    platform: &Platform,
    tenant: Option<&Tenant>,
    token: &str,
    device: Device,
    trace: &str,
) -> Result<Refreshed, RefreshError> {
    let now = platform.clock.now();
    let tenant = tenant.ok_or(RefreshError::Invalid)?;
    let token = RefreshToken::read(platform.macs.as_ref(), tenant.id, token).ok_or(RefreshError::Invalid)?;
    let scope = TenantScope::serving(tenant).map_err(|_| match tenant.lifecycle.status() {
        Status::Suspended => RefreshError::Suspended,
        Status::Deprovisioning => RefreshError::Leaving,
        _ => RefreshError::Invalid,
    })?;
    let outcome = platform.stores.open(&scope)?.write::<_, StoreError>(|tx| {
        let head = tx.log().lock()?;
        let Some(session) = tx.sessions().get(token.session)? else { return Ok(Outcome::Refused) };
        match session.presented(token.generation, now, platform.policy.refresh_grace) {
            Presented::Over => Ok(Outcome::Refused),
            Presented::Reused => {
                let session = end_reused(platform, &scope, tx, head, session, trace, now)?;
                Ok(Outcome::Reused(session))
            }
            Presented::Current | Presented::Again => {
                go_on(platform, &scope, tx, session, token.generation, device, now)
            }
        }
    })?;
    match outcome {
        Outcome::Next(refreshed) => Ok(*refreshed),
        Outcome::Refused => Err(RefreshError::Invalid),
        Outcome::Reused(session) => {
            tracing::warn!(
                "A refresh token of session {} of user {} was used a second time; the session was ended",
                session.id,
                session.user
            );
            Err(RefreshError::Reused(session.id))
        }
    }
}

fn go_on(
    platform: &Platform,
    scope: &TenantScope,
    tx: &mut dyn TenantTx,
    mut session: Session,
    presented: u32,
    device: Device,
    now: DateTime<Utc>,
) -> Result<Outcome, StoreError> {
    let Some(user) = tx.users().get(session.user)?.filter(|user| user.active) else {
        return Ok(Outcome::Refused);
    };
    let next = RefreshToken { tenant: scope.tenant(), session: session.id, generation: presented + 1 };
    let next = next.write(platform.macs.as_ref());
    let hash = platform.digest.sha256(next.expose().as_bytes());
    if presented == session.generation {
        session.rotate(hash, device, now, platform.policy.refresh_token_ttl);
        tx.sessions().update(&session)?;
    } else if session.token_hash != hash {
        // The keys were replaced in between: what was given out cannot be made again.
        return Ok(Outcome::Refused);
    }
    let (access_token, access_expires_at) = access_token(platform, scope, &user, &session, now);
    let refresh_expires_at = session.expires_at;
    let refresh_token = next;
    Ok(Outcome::Next(Box::new(Refreshed {
        access_token,
        access_expires_at,
        refresh_token,
        refresh_expires_at,
        user,
    })))
}

fn end_reused(
    platform: &Platform,
    scope: &TenantScope,
    tx: &mut dyn TenantTx,
    head: LogHead,
    mut session: Session,
    trace: &str,
    now: DateTime<Utc>,
) -> Result<Session, StoreError> {
    session.end(EndReason::TokenReused, now);
    tx.sessions().update(&session)?;
    let event = journal::people::session_reuse_detected(&session, trace.to_owned());
    journal::append(platform, scope, tx, head, vec![event], now)?;
    Ok(session)
}

/// Signs out whoever has this refresh token, current or not; answers with the session that was ended, if one was. Where there
/// is nothing to end, that is as good.
pub fn logout(
    platform: &Platform,
    tenant: Option<&Tenant>,
    token: &str,
    trace: &str,
) -> Result<Option<Session>, StoreError> {
    let now = platform.clock.now();
    let Some(tenant) = tenant else { return Ok(None) };
    let Some(token) = RefreshToken::read(platform.macs.as_ref(), tenant.id, token) else { return Ok(None) };
    let Ok(scope) = TenantScope::maintenance(tenant) else { return Ok(None) };
    platform.stores.open(&scope)?.write(|tx| {
        let head = tx.log().lock()?;
        let found = tx.sessions().get(token.session)?.filter(|session| session.is_live(now));
        let Some(mut session) = found else { return Ok(None) };
        session.end(EndReason::SignedOut, now);
        tx.sessions().update(&session)?;
        let by = session.user.to_string();
        let event = journal::people::session_revoked(&session, &by, trace.to_owned());
        journal::append(platform, &scope, tx, head, vec![event], now)?;
        Ok(Some(session))
    })
}
