use tenantry_domain::id::{SessionId, UserId};
use tenantry_domain::people::{EndReason, Ended, Session};
use tenantry_ports::{StoreResult, TenantScope};

use crate::Platform;
use crate::journal;

/// A session that somebody wants ended.
#[derive(Debug, Clone)]
pub struct Revocation {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub session: SessionId,
    /// Who wants it.
    pub actor: String,
    /// The request it came with, for the event.
    pub trace: String,
}

/// At most `limit` sessions in which this user is signed in, newest first, after the session `after`.
pub fn live_sessions(
    platform: &Platform,
    scope: &TenantScope,
    user: UserId,
    after: Option<SessionId>,
    limit: usize,
) -> StoreResult<Vec<Session>> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.read(|tx| tx.sessions().live(user, now, after, limit))
}

/// Ends a session. False if the user has none of that id; one that is over stays as it is.
pub fn revoke_session(platform: &Platform, scope: &TenantScope, wish: &Revocation) -> StoreResult<bool> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.write(|tx| {
        let head = tx.log().lock()?;
        let found = tx.sessions().get(wish.session)?.filter(|session| session.user == wish.user);
        let Some(mut session) = found else { return Ok(false) };
        if session.is_live(now) {
            session.end(EndReason::Revoked, now);
            tx.sessions().update(&session)?;
            let event = journal::people::session_revoked(&session, &wish.actor, wish.trace.clone());
            journal::append(platform, scope, tx, head, vec![event], now)?;
        }
        Ok(true)
    })
}

/// Ends every session of a user, and answers how many went on until then; none if there is no such user. Where nothing
/// ends, nothing is noted.
pub fn revoke_all_sessions(
    platform: &Platform,
    scope: &TenantScope,
    user: UserId,
    actor: &str,
    trace: String,
) -> StoreResult<Option<usize>> {
    let now = platform.clock.now();
    platform.stores.open(scope)?.write(|tx| {
        let head = tx.log().lock()?;
        let Some(user) = tx.users().get(user)? else { return Ok(None) };
        let ended = tx.sessions().end_all(user.id, None, Ended { at: now, reason: EndReason::Revoked })?;
        if ended > 0 {
            let event = journal::people::signed_out_everywhere(&user, ended, actor, trace);
            journal::append(platform, scope, tx, head, vec![event], now)?;
        }
        Ok(Some(ended))
    })
}
