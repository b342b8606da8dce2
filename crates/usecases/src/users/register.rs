use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenantry_domain::id::{SessionId, UserId};
use tenantry_domain::people::{
    Ability, Device, Email, PasswordContext, PersonName, Role, Session, User, UserToCreate, Username,
    check_abilities,
};
use tenantry_domain::tenant::{QuotaExceeded, QuotaKind, Tenant};
use tenantry_domain::{Finding, Pointer};
use tenantry_ports::{
    AccessClaims, Constraint, IdempotencyKey, Secret, StoreError, StoredResponse, TenantScope, TenantTx,
};

use crate::Platform;
use crate::idempotency::Answer;
use crate::journal;
use crate::limits;
use crate::sign_in::keep_in_mind;

/// A person who is to be able to sign in.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the members of the user it becomes")]
pub struct RegisterUser {
    pub email: Email,
    /// Made from the e-mail address where none is given.
    pub username: Option<Username>,
    pub password: Secret,
    pub first_name: Option<PersonName>,
    pub last_name: Option<PersonName>,
    pub role: Role,
    /// Those of the role where none are given.
    pub abilities: Option<Vec<Ability>>,
    /// Who registers them.
    pub actor: String,
    /// Makes a repeated request get the first answer. There is a password in the request: its fingerprint has to be a keyed one.
    pub idempotency: Option<IdempotencyKey>,
    /// The request it came with, for the event.
    pub trace: String,
}

/// A person who was registered, now or by the same request before.
#[derive(Debug, Clone)]
pub struct Registered {
    /// Their id.
    pub id: UserId,
    /// What `view` made of them.
    pub view: Value,
    /// An access token of theirs, if the policy gives one; repeated, it is the same.
    pub access_token: Option<Secret>,
    /// Whether the answer was given before.
    pub replayed: bool,
}

/// Why nobody was registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Somebody has the e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// Somebody has the username.
    #[error("the username is taken")]
    UsernameTaken,
    /// Password or abilities are not good enough.
    #[error("the password or the abilities are not acceptable")]
    Invalid(Vec<Finding>),
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for a different request")]
    KeyReused,
    /// The same request was refused before, like this.
    #[error("the request was refused before")]
    RefusedBefore(Answer),
    /// The tenant has as many people as it may have.
    #[error(transparent)]
    QuotaExceeded(#[from] QuotaExceeded),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for RegisterError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(Constraint::UserEmail) => Self::EmailTaken,
            StoreError::Conflict(Constraint::Username) => Self::UsernameTaken,
            other => Self::Store(other),
        }
    }
}

/// What is kept for a repeated request: no token, but what it takes to make the same one again.
#[derive(Serialize, Deserialize)]
struct Kept {
    id: UserId,
    view: Value,
    token: Option<KeptToken>,
}

#[derive(Serialize, Deserialize)]
struct KeptToken {
    session: SessionId,
    role: Role,
    /// Unix seconds, as in the token itself.
    issued_at: i64,
    expires_at: i64,
}

/// Registers a person. Hashes a password, so it takes a while. `view` writes the answer that is kept for repeated requests.
pub fn register(
    platform: &Platform,
    tenant: &Tenant,
    scope: &TenantScope,
    wish: RegisterUser,
    view: fn(&User, &Tenant) -> Value,
) -> Result<Registered, RegisterError> {
    let now = platform.clock.now();
    let user = new_user(platform, &wish, now);
    let findings = findings(platform, tenant, &user, &wish);
    if !findings.is_empty() {
        return Err(RegisterError::Invalid(findings));
    }
    let hash = platform.passwords.hash(wish.password.expose());
    let since = now - platform.policy.idempotency_retention;
    platform.stores.open(scope)?.write(|tx| {
        let (head, counts) = tx.log().lock_and_count()?;
        if let Some(key) = &wish.idempotency
            && let Some(answer) = tx.idempotency().find(&[&key.scope], since)?.pop()
        {
            return replay(platform, scope, key, &answer);
        }
        let settings = tx.settings().get()?.unwrap_or_default();
        let allowance = limits::allowance(platform, scope, &settings.quotas);
        allowance.admit(QuotaKind::Users, counts.users)?;
        tx.users().insert(&user, &hash)?;
        let token = match platform.policy.register_returns_token {
            true => Some(open_session(platform, tx, &user, now)?),
            false => None,
        };
        let passed = limits::passed_by_one(QuotaKind::Users, &allowance, counts.users, &wish.trace);
        let created = journal::people::user_created(&user, &wish.actor, wish.trace);
        let events = [created].into_iter().chain(passed).collect();
        journal::append(platform, scope, tx, head, events, now)?;
        let kept = Kept { id: user.id, view: view(&user, tenant), token };
        if let Some(key) = wish.idempotency {
            let body = serde_json::to_vec(&kept).map_err(|error| StoreError::Failed(Box::new(error)))?;
            let answer = StoredResponse { key, status: 201, body, created_at: now };
            tx.idempotency().insert(&[answer], since)?;
        }
        Ok(answer(platform, scope, kept, false))
    })
}

fn new_user(platform: &Platform, wish: &RegisterUser, now: DateTime<Utc>) -> User {
    let new = UserToCreate {
        id: platform.ids.next(),
        email: wish.email.clone(),
        username: wish.username.clone(),
        first_name: wish.first_name.clone(),
        last_name: wish.last_name.clone(),
        role: wish.role,
    };
    let user = User::create(new, now);
    User { abilities: wish.abilities.clone().unwrap_or_else(|| wish.role.abilities()), ..user }
}

fn findings(platform: &Platform, tenant: &Tenant, user: &User, wish: &RegisterUser) -> Vec<Finding> {
    let context = PasswordContext {
        tenant_slug: Some(tenant.slug.as_str()),
        tenant_name: Some(tenant.name.as_str()),
        email: Some(user.email.as_str()),
        username: Some(user.username.as_str()),
    };
    let pointer = Pointer::root().member("password");
    let mut findings = platform.policy.passwords.check(wish.password.expose(), &context, &pointer);
    if let Some(abilities) = &wish.abilities {
        findings.extend(check_abilities(abilities, &Pointer::root().member("abilities")));
    }
    findings
}

/// A session as long as an access token, since nobody gets a refresh token of it.
fn open_session(
    platform: &Platform,
    tx: &mut dyn TenantTx,
    user: &User,
    now: DateTime<Utc>,
) -> Result<KeptToken, StoreError> {
    let lifetime = platform.policy.access_token_ttl;
    let mut unknowable = [0; 32];
    platform.entropy.fill(&mut unknowable);
    let session = Session::begin(
        platform.ids.next(),
        user.id,
        unknowable,
        Device::default(),
        now,
        (lifetime, lifetime + TimeDelta::seconds(1)),
    );
    keep_in_mind(tx, &session, now)?;
    let issued_at = now.timestamp();
    let expires_at = (now + lifetime).timestamp();
    Ok(KeptToken { session: session.id, role: user.role, issued_at, expires_at })
}

fn replay(
    platform: &Platform,
    scope: &TenantScope,
    key: &IdempotencyKey,
    stored: &StoredResponse,
) -> Result<Registered, RegisterError> {
    if stored.key.fingerprint != key.fingerprint {
        return Err(RegisterError::KeyReused);
    }
    if stored.status != 201 {
        return Err(RegisterError::RefusedBefore(stored.clone().into()));
    }
    let kept = serde_json::from_slice(&stored.body);
    let kept: Kept = kept.map_err(|error| StoreError::corrupt("stored response", error))?;
    Ok(answer(platform, scope, kept, true))
}

fn answer(platform: &Platform, scope: &TenantScope, kept: Kept, replayed: bool) -> Registered {
    let token = kept.token.and_then(|token| {
        Some(platform.tokens.access(&AccessClaims {
            user: kept.id,
            tenant: scope.tenant(),
            role: token.role,
            session: token.session,
            issued_at: DateTime::from_timestamp(token.issued_at, 0)?,
            expires_at: DateTime::from_timestamp(token.expires_at, 0)?,
        }))
    });
    Registered { id: kept.id, view: kept.view, access_token: token, replayed }
}
