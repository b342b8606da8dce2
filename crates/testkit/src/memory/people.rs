use chrono::{DateTime, Utc};
use tenantry_domain::id::{SessionId, UserId};
use tenantry_domain::people::{Email, Ended, Session, User};
use tenantry_ports::{
    Bearer, Constraint, Credentials, SessionRepository, StoreError, StoreResult, UserFilter, UserRepository,
};

use super::snapshot::Transaction;
use super::tenant::TenantState;

impl TenantState {
    /// Whether nobody else has the address or the username of this user.
    fn is_unique(&self, user: &User) -> StoreResult<()> {
        let others = || {
            let all = self.users.values().map(|credentials| &credentials.user);
            all.filter(|other| other.id != user.id)
        };
        if others().any(|other| other.email.folded() == user.email.folded()) {
            return Err(StoreError::Conflict(Constraint::UserEmail));
        }
        if others().any(|other| other.username == user.username) {
            return Err(StoreError::Conflict(Constraint::Username));
        }
        Ok(())
    }
}

fn matches(filter: &UserFilter, user: &User) -> bool {
    let contains = |text: &String| {
        let text = text.to_lowercase();
        user.email.folded().contains(&text) || user.username.as_str().to_ascii_lowercase().contains(&text)
    };
    filter.role.is_none_or(|role| user.role == role)
        && filter.active.is_none_or(|active| user.active == active)
        && filter.text.as_ref().is_none_or(contains)
}

impl UserRepository for Transaction<TenantState> {
    fn insert(&mut self, user: &User, password_hash: &str) -> StoreResult<()> {
        self.change(|state| {
            state.is_unique(user)?;
            let credentials = Credentials { user: user.clone(), password_hash: password_hash.to_owned() };
            state.users.insert(user.id, credentials);
            Ok(())
        })
    }

    fn get(&mut self, id: UserId) -> StoreResult<Option<User>> {
        self.look(|state| Ok(state.users.get(&id).map(|credentials| credentials.user.clone())))
    }

    fn credentials(&mut self, email: &Email) -> StoreResult<Option<Credentials>> {
        self.look(|state| {
            let mut users = state.users.values();
            Ok(users.find(|credentials| credentials.user.email.folded() == email.folded()).cloned())
        })
    }

    fn update(&mut self, user: &User) -> StoreResult<()> {
        self.change(|state| {
            state.is_unique(user)?;
            let before =
                state.users.get_mut(&user.id).filter(|stored| stored.user.version == user.version - 1);
            before.ok_or(StoreError::Stale)?.user = user.clone();
            Ok(())
        })
    }

    fn set_password(&mut self, id: UserId, password_hash: &str) -> StoreResult<()> {
        self.change(|state| {
            password_hash.clone_into(&mut state.users.get_mut(&id).ok_or(StoreError::Stale)?.password_hash);
            Ok(())
        })
    }

    fn page(&mut self, after: Option<UserId>, limit: usize) -> StoreResult<Vec<Credentials>> {
        self.look(|state| {
            let rest = state.users.iter().filter(|(id, _)| after.is_none_or(|after| **id > after));
            Ok(rest.take(limit).map(|(_, credentials)| credentials.clone()).collect())
        })
    }

    fn list(&mut self, filter: &UserFilter, after: Option<UserId>, limit: usize) -> StoreResult<Vec<User>> {
        self.look(|state| {
            let rest = state.users.values().rev().map(|credentials| &credentials.user);
            let rest = rest.filter(|user| after.is_none_or(|after| user.id < after) && matches(filter, user));
            Ok(rest.take(limit).cloned().collect())
        })
    }
}

impl SessionRepository for Transaction<TenantState> {
    fn insert(&mut self, session: &Session) -> StoreResult<()> {
        self.change(|state| {
            if !state.users.contains_key(&session.user) {
                return Err(StoreError::Failed("a session needs its user to be there".into()));
            }
            state.sessions.insert(session.id, session.clone());
            Ok(())
        })
    }

    fn get(&mut self, id: SessionId) -> StoreResult<Option<Session>> {
        self.look(|state| Ok(state.sessions.get(&id).cloned()))
    }

    fn update(&mut self, session: &Session) -> StoreResult<()> {
        self.change(|state| {
            *state.sessions.get_mut(&session.id).ok_or(StoreError::Stale)? = session.clone();
            Ok(())
        })
    }

    fn bearer(&mut self, id: SessionId) -> StoreResult<Option<Bearer>> {
        self.look(|state| {
            let session = state.sessions.get(&id).filter(|session| session.ended.is_none());
            let user = session.and_then(|session| state.users.get(&session.user));
            let user = user.map(|credentials| &credentials.user).filter(|user| user.active);
            Ok(user.map(|user| Bearer { user: user.id, role: user.role }))
        })
    }

    fn live(
        &mut self,
        user: UserId,
        now: DateTime<Utc>,
        after: Option<SessionId>,
        limit: usize,
    ) -> StoreResult<Vec<Session>> {
        self.look(|state| {
            let theirs = state.sessions.values().rev().filter(|session| session.user == user);
            let rest = theirs.filter(|session| after.is_none_or(|after| session.id < after));
            Ok(rest.filter(|session| session.is_live(now)).take(limit).cloned().collect())
        })
    }

    fn end_all(&mut self, user: UserId, except: Option<SessionId>, ended: Ended) -> StoreResult<usize> {
        self.change(|state| {
            let theirs = state.sessions.values_mut().filter(|session| session.user == user);
            let live = theirs.filter(|session| Some(session.id) != except && session.ended.is_none());
            Ok(live.map(|session| session.ended = Some(ended)).count())
        })
    }

    fn remove_over(&mut self, user: UserId, before: DateTime<Utc>) -> StoreResult<()> {
        self.change(|state| {
            let over = |session: &Session| {
                session.expires_at <= before || session.ended.is_some_and(|ended| ended.at <= before)
            };
            state.sessions.retain(|_, session| session.user != user || !over(session));
            Ok(())
        })
    }

    fn sweep(&mut self, before: DateTime<Utc>, limit: usize) -> StoreResult<usize> {
        self.change(|state| {
            let over = |session: &&Session| {
                session.expires_at <= before || session.ended.is_some_and(|ended| ended.at <= before)
            };
            let ids: Vec<_> =
                state.sessions.values().filter(over).map(|session| session.id).take(limit).collect();
            Ok(ids.iter().filter_map(|id| state.sessions.remove(id)).count())
        })
    }
}
