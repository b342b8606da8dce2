//! Signing in with e-mail address and password.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tenantry_domain::people::{Email, User};
use tenantry_domain::tenant::{Status, Tenant};
use tenantry_ports::{AccessClaims, Secret, Session, StoreError, TenantScope, TenantStore};

use crate::Platform;

/// What somebody types in.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "named after what it is")]
pub struct Login {
    pub email: Email,
    pub password: Secret,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// For calls, short-lived.
    pub access_token: Secret,
    /// For getting the next access token; kept by the browser.
    pub refresh_token: Secret,
    /// When the refresh token stops working.
    pub refresh_expires_at: DateTime<Utc>,
    /// Who.
    pub user: User,
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// No such user, a wrong password, or a disabled user: which, is not told.
    #[error("the e-mail address or the password is wrong")]
    InvalidCredentials,
    /// The credentials are right, but the tenant is suspended.
    #[error("the tenant is suspended")]
    Suspended,
    /// The credentials are right, but the tenant was told to go.
    #[error("the tenant is being deprovisioned")]
    Leaving,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Signs somebody in. Verifies a password (also where there is no such user), so it takes a while.
pub fn login(platform: &Platform, scope: &TenantScope, login: &Login) -> Result<SignedIn, LoginError> {
    let now = platform.clock.now();
    let store = platform.stores.open(scope)?;
    let user = recognise(platform, &store, login)?;
    let refresh_token = refresh_token(platform);
    let session = Session {
        id: platform.ids.next(),
        user: user.id,
        token_hash: platform.digest.sha256(refresh_token.expose().as_bytes()),
        created_at: now,
        expires_at: now + platform.policy.refresh_token_ttl,
    };
    store.write::<_, StoreError>(|tx| tx.sessions().insert(&session))?;
    let access_token = platform.tokens.access(&AccessClaims {
        user: user.id,
        tenant: scope.tenant(),
        role: user.role,
        session: session.id,
        issued_at: now,
        expires_at: now + platform.policy.access_token_ttl,
    });
    Ok(SignedIn { access_token, refresh_token, refresh_expires_at: session.expires_at, user })
}

/// Somebody whose tenant is not in service, or who names none that there is: takes as long as a wrong password, and always
/// fails. Who has the right one learns why, everybody else sees what they always see.
pub fn login_nowhere(platform: &Platform, tenant: Option<&Tenant>, login: &Login) -> LoginError {
    let kept = tenant.and_then(|tenant| Some((tenant, TenantScope::maintenance(tenant).ok()?)));
    let Some((tenant, scope)) = kept else {
        platform.passwords.verify(login.password.expose(), None);
        return LoginError::InvalidCredentials;
    };
    let store = match platform.stores.open(&scope) {
        Ok(store) => store,
        Err(error) => return error.into(),
    };
    match recognise(platform, &store, login) {
        Ok(_) if tenant.lifecycle.status() == Status::Suspended => LoginError::Suspended,
        Ok(_) => LoginError::Leaving,
        Err(error) => error,
    }
}

/// Whose credentials these are.
fn recognise(platform: &Platform, store: &Arc<dyn TenantStore>, login: &Login) -> Result<User, LoginError> {
    let known = store.read::<_, StoreError>(|tx| tx.users().credentials(&login.email))?;
    let hash = known.as_ref().map(|credentials| credentials.password_hash.as_str());
    if !platform.passwords.verify(login.password.expose(), hash) {
        return Err(LoginError::InvalidCredentials);
    }
    let user = known.map(|credentials| credentials.user).filter(|user| user.active);
    user.ok_or(LoginError::InvalidCredentials)
}

/// 256 random bits in hexadecimal.
fn refresh_token(platform: &Platform) -> Secret {
    use std::fmt::Write as _;
    let mut bytes = [0; 32];
    platform.entropy.fill(&mut bytes);
    Secret::new(bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
