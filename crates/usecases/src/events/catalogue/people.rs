//! What people do, and what is done to them.

use serde_json::json;
use tenantry_domain::event::EventType;

use super::Described;
use crate::events::data::{
    ReuseDetected, SessionRevoked, SessionStarted, SessionsEnded, UserCreated, UserUpdated,
};

pub(super) fn people() -> Vec<Described> {
    let (user, session) = ("usr_0195c0de00007000800000000000000a", "ses_0195c0de00007000800000000000000c");
    let ended = |by: &str| json!({ "userId": user, "sessionsEnded": 2, "by": by });
    vec![
        Described::new::<UserCreated<'_>>(
            EventType::USER_CREATED,
            "A person who can sign in was created.",
            json!({ "userId": user, "username": "ann", "role": "USER", "by": "operator" }),
        ),
        Described::new::<UserUpdated<'_>>(
            EventType::USER_UPDATED,
            "A person's names, role, abilities or right to sign in changed.",
            json!({
                "userId": user, "version": 2, "changed": ["role"], "role": "VENDOR", "active": true,
                "sessionsEnded": 0, "by": "operator",
            }),
        ),
        Described::new::<SessionsEnded<'_>>(
            EventType::USER_PASSWORD_CHANGED,
            "A person changed their password.",
            ended(user),
        ),
        Described::new::<SessionsEnded<'_>>(
            EventType::USER_SIGNED_OUT,
            "A person was signed out of all their sessions at once.",
            ended("operator"),
        ),
        Described::new::<SessionStarted>(
            EventType::SESSION_STARTED,
            "A person signed in.",
            json!({ "sessionId": session, "userId": user }),
        ),
        Described::new::<SessionRevoked<'_>>(
            EventType::SESSION_REVOKED,
            "A sign-in was ended before its time.",
            json!({ "sessionId": session, "userId": user, "reason": "signed_out", "by": user }),
        ),
        Described::new::<ReuseDetected>(
            EventType::SESSION_REUSE_DETECTED,
            "A refresh token that was exchanged before came again, so its session was ended.",
            json!({ "sessionId": session, "userId": user, "generation": 3 }),
        ),
    ]
}
