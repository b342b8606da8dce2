//! What happens to people and their sessions. No address, no password, no token: ids say who and what.

use tenantry_domain::event::EventType;
use tenantry_domain::people::{Session, User};

use super::{Traced, event};
use crate::events::data;

/// `user.created`.
pub(crate) fn user_created(user: &User, actor: &str, trace: String) -> Traced {
    let data = data::UserCreated { user_id: user.id, username: &user.username, role: user.role, by: actor };
    Traced { event: event(EventType::USER_CREATED, &data), trace }
}

/// `user.updated`: which members changed, and how many sessions ended with that.
pub(crate) fn user_updated(
    user: &User,
    changed: &[&'static str],
    ended: usize,
    actor: &str,
    trace: String,
) -> Traced {
    let data = data::UserUpdated {
        user_id: user.id,
        version: user.version,
        changed,
        role: user.role,
        active: user.active,
        sessions_ended: ended,
        by: actor,
    };
    Traced { event: event(EventType::USER_UPDATED, &data), trace }
}

/// `user.password_changed`.
pub(crate) fn password_changed(user: &User, ended: usize, trace: String) -> Traced {
    let data = data::SessionsEnded { user_id: user.id, sessions_ended: ended, by: &user.id.to_string() };
    Traced { event: event(EventType::USER_PASSWORD_CHANGED, &data), trace }
}

/// `user.signed_out`: of all sessions.
pub(crate) fn signed_out_everywhere(user: &User, ended: usize, actor: &str, trace: String) -> Traced {
    let data = data::SessionsEnded { user_id: user.id, sessions_ended: ended, by: actor };
    Traced { event: event(EventType::USER_SIGNED_OUT, &data), trace }
}

/// `session.started`.
pub(crate) fn session_started(session: &Session, trace: String) -> Traced {
    let data = data::SessionStarted { session_id: session.id, user_id: session.user };
    Traced { event: event(EventType::SESSION_STARTED, &data), trace }
}

/// `session.revoked`.
pub(crate) fn session_revoked(session: &Session, actor: &str, trace: String) -> Traced {
    let reason = session.ended.map(|ended| ended.reason.as_str());
    let data = data::SessionRevoked { session_id: session.id, user_id: session.user, reason, by: actor };
    Traced { event: event(EventType::SESSION_REVOKED, &data), trace }
}

/// `session.reuse_detected`.
pub(crate) fn session_reuse_detected(session: &Session, trace: String) -> Traced {
    let data =
        data::ReuseDetected { session_id: session.id, user_id: session.user, generation: session.generation };
    Traced { event: event(EventType::SESSION_REUSE_DETECTED, &data), trace }
}
