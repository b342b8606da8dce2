//! What happens to people and their sessions. No address, no password, no token: ids say who and what.

use serde_json::json;
use tenantry_domain::event::{EventType, NewEvent};
use tenantry_domain::people::{Session, User};

use super::Traced;

/// `user.created`.
pub(crate) fn user_created(user: &User, actor: &str, trace: String) -> Traced {
    let data = json!({ "userId": user.id, "username": user.username, "role": user.role, "by": actor });
    Traced { event: NewEvent::new(EventType::USER_CREATED, data), trace }
}

/// `user.updated`: which members changed, and how many sessions ended with that.
pub(crate) fn user_updated(
    user: &User,
    changed: &[&'static str],
    ended: usize,
    actor: &str,
    trace: String,
) -> Traced {
    let data = json!({
        "userId": user.id,
        "version": user.version,
        "changed": changed,
        "role": user.role,
        "active": user.active,
        "sessionsEnded": ended,
        "by": actor,
    });
    Traced { event: NewEvent::new(EventType::USER_UPDATED, data), trace }
}

/// `user.password_changed`.
pub(crate) fn password_changed(user: &User, ended: usize, trace: String) -> Traced {
    let data = json!({ "userId": user.id, "sessionsEnded": ended, "by": user.id });
    Traced { event: NewEvent::new(EventType::USER_PASSWORD_CHANGED, data), trace }
}

/// `user.signed_out`: of all sessions.
pub(crate) fn signed_out_everywhere(user: &User, ended: usize, actor: &str, trace: String) -> Traced {
    let data = json!({ "userId": user.id, "sessionsEnded": ended, "by": actor });
    Traced { event: NewEvent::new(EventType::USER_SIGNED_OUT, data), trace }
}

/// `session.started`.
pub(crate) fn session_started(session: &Session, trace: String) -> Traced {
    let data = json!({ "sessionId": session.id, "userId": session.user });
    Traced { event: NewEvent::new(EventType::SESSION_STARTED, data), trace }
}

/// `session.revoked`.
pub(crate) fn session_revoked(session: &Session, actor: &str, trace: String) -> Traced {
    let reason = session.ended.map(|ended| ended.reason.as_str());
    let data = json!({ "sessionId": session.id, "userId": session.user, "reason": reason, "by": actor });
    Traced { event: NewEvent::new(EventType::SESSION_REVOKED, data), trace }
}

/// `session.reuse_detected`.
pub(crate) fn session_reuse_detected(session: &Session, trace: String) -> Traced {
    let data = json!({ "sessionId": session.id, "userId": session.user, "generation": session.generation });
    Traced { event: NewEvent::new(EventType::SESSION_REUSE_DETECTED, data), trace }
}
