use tenantry_domain::id::{SessionId, UserId};
use tenantry_domain::people::{EndReason, Session};
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
