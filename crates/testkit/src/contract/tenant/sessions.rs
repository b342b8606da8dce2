//! Facts about sign-ins.

use std::sync::Arc;

use tenantry_domain::id::SessionId;
use tenantry_domain::people::{Device, EndReason, Ended, Role, Session, User};
use tenantry_ports::{Bearer, StoreError, StoreResult, TenantStore};

use crate::contract::{Subject, store};
use crate::sample;

type Store = Arc<dyn TenantStore>;

fn user(store: &Store, name: &str) -> User {
    let user = sample::user(name);
    store.write(|tx| tx.users().insert(&user, "$argon2id$hash")).expect("the user is added");
    user
}

fn insert(store: &Store, session: &Session) {
    store.write(|tx| tx.sessions().insert(session)).expect("the session is added");
}

fn update(store: &Store, session: &Session) -> StoreResult<()> {
    store.write(|tx| tx.sessions().update(session))
}

fn stored(store: &Store, session: &Session) -> Option<Session> {
    store.read(|tx| tx.sessions().get(session.id)).expect("a look-up")
}

const ENDED: Ended = Ended { at: sample::now(), reason: EndReason::PasswordChanged };

/// Every member comes back as it went in.
pub fn a_session_is_read_back_whole(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let user = user(&store, "somebody");
    let (first, mut second) = (sample::session(&user), sample::session(&user));
    second.device = Device::default();
    insert(&store, &first);
    insert(&store, &second);
    assert_eq!(stored(&store, &first), Some(first.clone()));
    assert_eq!(stored(&store, &second), Some(second));
    assert_eq!(stored(&store, &sample::session(&user)), None);
    assert_ne!(first.device, Device::default());
}

/// What is replaced is the session with the same id, with everything in it and nothing else; unknown ones are stale.
pub fn a_session_is_replaced_whole(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let user = user(&store, "somebody");
    let (mut session, other) = (sample::session(&user), sample::session(&user));
    assert!(matches!(update(&store, &session), Err(StoreError::Stale)));
    insert(&store, &session);
    insert(&store, &other);
    session.rotate(
        [9; 32],
        Device::new(None, Some([10, 0, 0, 1].into())),
        sample::at(70),
        chrono::TimeDelta::days(2),
    );
    update(&store, &session).expect("it is replaced");
    assert_eq!(stored(&store, &session), Some(session.clone()));
    session.device = Device::default();
    for reason in EndReason::ALL {
        session.ended = Some(Ended { at: sample::at(71), reason });
        update(&store, &session).expect("it is replaced");
        assert_eq!(stored(&store, &session), Some(session.clone()));
    }
    assert_eq!(stored(&store, &other), Some(other));
}

/// Only people sign in.
pub fn a_session_of_nobody_is_refused(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let session = sample::session(&sample::user("nobody"));
    assert!(store.write(|tx| tx.sessions().insert(&session)).is_err());
    assert_eq!(stored(&store, &session), None);
}

/// Who is signed in is told with the role they have by now, until the session ends or they may not sign in.
pub fn who_is_signed_in_is_told_while_they_may_be(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let mut somebody = user(&store, "somebody");
    let (mut one, other) = (sample::session(&somebody), sample::session(&somebody));
    insert(&store, &one);
    insert(&store, &other);
    let bearer = |id: SessionId| store.read(|tx| tx.sessions().bearer(id)).expect("a look-up");
    assert_eq!(bearer(one.id), Some(Bearer { user: somebody.id, role: Role::User }));
    assert_eq!(bearer(sample::id()), None);
    (somebody.role, somebody.version) = (Role::Admin, 2);
    store.write(|tx| tx.users().update(&somebody)).expect("the user is changed");
    one.ended = Some(ENDED);
    update(&store, &one).expect("the session ends");
    assert_eq!(bearer(one.id), None);
    assert_eq!(bearer(other.id), Some(Bearer { user: somebody.id, role: Role::Admin }));
    (somebody.active, somebody.version) = (false, 3);
    store.write(|tx| tx.users().update(&somebody)).expect("the user is disabled");
    assert_eq!(bearer(other.id), None);
}

/// Of all sessions those of the user which go on are listed, newest first.
pub fn live_sessions_are_listed_newest_first(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let (somebody, else_) = (user(&store, "somebody"), user(&store, "else"));
    let mut sessions: Vec<_> = (0..5).map(|_| sample::session(&somebody)).collect();
    sessions[1].ended = Some(ENDED);
    sessions[3].expires_at = sample::at(10);
    sessions.iter().chain([&sample::session(&else_)]).for_each(|session| insert(&store, session));
    let live = |at, after: Option<usize>, limit| {
        let after = after.map(|index| sessions[index].id);
        store.read(|tx| tx.sessions().live(somebody.id, sample::at(at), after, limit)).expect("a list")
    };
    let expected = |indices: &[usize]| indices.iter().map(|i| sessions[*i].clone()).collect::<Vec<_>>();
    assert_eq!(live(9, None, 10), expected(&[4, 3, 2, 0]));
    assert_eq!(live(10, None, 10), expected(&[4, 2, 0]));
    assert_eq!(live(10, None, 2), expected(&[4, 2]));
    assert_eq!(live(10, Some(2), 2), expected(&[0]));
    assert_eq!(live(604_800, None, 10), expected(&[]));
}

/// The user's sessions end, but for the one that is to go on; what ended before keeps its reason, and others' go on.
pub fn all_sessions_of_a_user_are_ended_but_one(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let (somebody, else_) = (user(&store, "somebody"), user(&store, "else"));
    let mut sessions: Vec<_> = (0..4).map(|_| sample::session(&somebody)).collect();
    sessions[0].ended = Some(Ended { at: sample::at(-5), reason: EndReason::SignedOut });
    sessions.push(sample::session(&else_));
    sessions.iter().for_each(|session| insert(&store, session));
    let end = |except| store.write(|tx| tx.sessions().end_all(somebody.id, except, ENDED)).expect("they end");
    assert_eq!(end(Some(sessions[2].id)), 2);
    sessions[1].ended = Some(ENDED);
    sessions[3].ended = Some(ENDED);
    for session in &sessions {
        assert_eq!(stored(&store, session).as_ref(), Some(session));
    }
    assert_eq!(end(Some(sessions[2].id)), 0);
    assert_eq!(end(None), 1);
}

/// What expired or ended until then is removed, of that user alone.
pub fn only_what_was_over_long_ago_is_removed(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let (somebody, else_) = (user(&store, "somebody"), user(&store, "else"));
    let mut sessions: Vec<_> = (0..5).map(|_| sample::session(&somebody)).collect();
    sessions[0].expires_at = sample::at(10);
    sessions[1].expires_at = sample::at(11);
    sessions[2].ended = Some(Ended { at: sample::at(10), reason: EndReason::Revoked });
    sessions[3].ended = Some(Ended { at: sample::at(11), reason: EndReason::Revoked });
    let foreign = Session { expires_at: sample::at(1), ..sample::session(&else_) };
    sessions.push(foreign);
    sessions.iter().for_each(|session| insert(&store, session));
    store.write(|tx| tx.sessions().remove_over(somebody.id, sample::at(10))).expect("they are removed");
    let kept: Vec<_> = sessions.iter().map(|session| stored(&store, session).is_some()).collect();
    assert_eq!(kept, [false, true, false, true, true, true]);
}

/// The same of everybody, at most so many at once, which the database's owner does from time to time.
pub fn what_was_over_long_ago_is_swept_away(subject: &dyn Subject) {
    let (store, scope) = store(subject);
    let owner = subject.databases().as_owner(&scope).expect("the owner enters");
    let users = ["somebody", "else"].map(|name| user(&store, name));
    let mut sessions: Vec<_> = (0..6).map(|number| sample::session(&users[number % 2])).collect();
    for (session, end) in sessions.iter_mut().zip([9, 10, 11]) {
        session.expires_at = sample::at(end);
    }
    sessions[3].ended = Some(Ended { at: sample::at(10), reason: EndReason::Revoked });
    sessions[4].ended = Some(Ended { at: sample::at(11), reason: EndReason::Revoked });
    sessions.iter().for_each(|session| insert(&store, session));
    let sweep = |limit| {
        owner.write(|tx| {
            tx.log().lock()?;
            tx.sessions().sweep(sample::at(10), limit)
        })
    };
    assert_eq!([2, 2, 2].map(|limit| sweep(limit).expect("they are removed")), [2, 1, 0]);
    let kept: Vec<_> = sessions.iter().map(|session| stored(&store, session).is_some()).collect();
    assert_eq!(kept, [false, false, true, false, true, true]);
}
