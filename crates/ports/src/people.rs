use chrono::{DateTime, Utc};
use tenantry_domain::id::{SessionId, UserId};
use tenantry_domain::people::{Email, Ended, Pace, Role, Session, Tally, User};

use crate::{Credentials, StoreResult};

/// Which users to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Only those with this role.
    pub role: Option<Role>,
    /// Only those who may sign in, or may not.
    pub active: Option<bool>,
    /// Only those whose e-mail address or username contains this, without regard to case.
    pub text: Option<String>,
}

/// People who sign in to the tenant.
pub trait UserRepository {
    /// Adds a user. `Conflict(UserEmail)` or `Conflict(Username)`; e-mail addresses compare folded.
    fn insert(&mut self, user: &User, password_hash: &str) -> StoreResult<()>;

    /// The user with this id.
    fn get(&mut self, id: UserId) -> StoreResult<Option<User>>;

    /// The user with this address (folded), and the hash of their password.
    fn credentials(&mut self, email: &Email) -> StoreResult<Option<Credentials>>;

    /// Replaces the user whose version is one less than this one's, else `Stale`; the hash of their password stays.
    /// Conflicts as for [`insert`](Self::insert).
    fn update(&mut self, user: &User) -> StoreResult<()>;

    /// Replaces the hash of a user's password; `Stale` if there is no such user. Not a change of the user: the version stays.
    fn set_password(&mut self, id: UserId, password_hash: &str) -> StoreResult<()>;

    /// At most `limit` users in order of id, after the user `after`, each with the hash of their password.
    fn page(&mut self, after: Option<UserId>, limit: usize) -> StoreResult<Vec<Credentials>>;

    /// At most `limit` of these users, newest first (ids are time-ordered), after the user `after`.
    fn list(&mut self, filter: &UserFilter, after: Option<UserId>, limit: usize) -> StoreResult<Vec<User>>;
}

/// Who is signed in in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bearer {
    /// Who.
    pub user: UserId,
    /// What they are by now.
    pub role: Role,
}

/// Sign-ins. Whoever changes one has locked the log.
pub trait SessionRepository {
    /// Adds a session.
    fn insert(&mut self, session: &Session) -> StoreResult<()>;

    /// The session with this id, live or not.
    fn get(&mut self, id: SessionId) -> StoreResult<Option<Session>>;

    /// Replaces the session with this id; `Stale` if there is none.
    fn update(&mut self, session: &Session) -> StoreResult<()>;

    /// Who is signed in in this session; nobody if it was ended, or they may not sign in any more. Whether its time is over
    /// is not asked: access tokens know that themselves.
    fn bearer(&mut self, id: SessionId) -> StoreResult<Option<Bearer>>;

    /// At most `limit` sessions of this user that are live at `now`, newest first, after the session `after`.
    fn live(
        &mut self,
        user: UserId,
        now: DateTime<Utc>,
        after: Option<SessionId>,
        limit: usize,
    ) -> StoreResult<Vec<Session>>;

    /// Ends every session of this user that was not ended before, but for one perhaps; answers how many that were.
    fn end_all(&mut self, user: UserId, except: Option<SessionId>, ended: Ended) -> StoreResult<usize>;

    /// Removes this user's sessions that were over at `before`.
    fn remove_over(&mut self, user: UserId, before: DateTime<Utc>) -> StoreResult<()>;

    /// Removes at most `limit` sessions, whoever's, that were over at `before`; how many those were.
    fn sweep(&mut self, before: DateTime<Utc>, limit: usize) -> StoreResult<usize>;
}

/// Attempts to sign in, counted under keyed hashes of who or where, each at the [`Pace`] that its caller knows. One count for
/// all replicas.
pub trait AttemptRepository {
    /// Counts an attempt as failed before it is made, unless it would come too early: then the answer is from when on it may
    /// be made, and nothing is counted. Of attempts at the same moment each sees those before it.
    fn take(&mut self, key: &[u8; 32], pace: &Pace, now: DateTime<Utc>)
    -> StoreResult<Option<DateTime<Utc>>>;

    /// Counts an attempt that failed.
    fn count(&mut self, key: &[u8; 32], pace: &Pace, now: DateTime<Utc>) -> StoreResult<()>;

    /// What was counted; keys under which nothing was are left out. What a pace has forgotten may still be there.
    fn find(&mut self, keys: &[[u8; 32]]) -> StoreResult<Vec<([u8; 32], Tally)>>;

    /// Forgets what was counted.
    fn forget(&mut self, key: &[u8; 32]) -> StoreResult<()>;

    /// Whether there is anything that its pace has forgotten at `now`.
    fn any_over(&mut self, now: DateTime<Utc>) -> StoreResult<bool>;

    /// Removes what its pace has forgotten at `now`, at most so many, oldest first; answers how many those were. What others
    /// hold may be passed over: nobody waits for this.
    fn remove_over(&mut self, now: DateTime<Utc>, limit: usize) -> StoreResult<usize>;
}
