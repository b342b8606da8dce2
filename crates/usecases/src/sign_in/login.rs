use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use tenantry_domain::id::SessionId;
use tenantry_domain::people::{Device, Email, Pace, Session, User};
use tenantry_domain::tenant::{Status, Tenant};
use tenantry_ports::{AccessClaims, Credentials, Secret, StoreError, TenantScope, TenantTx};

use super::throttle::{Throttle, TooEarly};
use super::tokens::{KnownDevice, RefreshToken};
use crate::Platform;
use crate::journal;

/// For how long the sessions that are over are kept, for those who ask what happened.
pub(crate) const KEPT: TimeDelta = TimeDelta::days(30);

/// What somebody types in, and where.
#[derive(Debug, Clone)]
pub struct Login {
    /// As typed.
    pub email: Email,
    /// As typed.
    pub password: Secret,
    /// What to show of it in the list of sessions.
    pub device: Device,
    /// The network that attempts are counted by; none for somebody on this very machine.
    pub network: Option<IpAddr>,
    /// What a device was given that has signed in before ([`SignedIn::device_token`]).
    pub device_token: Option<Secret>,
    /// The request it came with, for the event.
    pub trace: String,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// For calls, short-lived.
    pub access_token: Secret,
    /// When that stops working.
    pub access_expires_at: DateTime<Utc>,
    /// For getting the next access token; kept by the browser.
    pub refresh_token: Secret,
    /// When the refresh token stops working.
    pub refresh_expires_at: DateTime<Utc>,
    /// By which the device is known again, so that failed attempts of others do not keep it waiting.
    pub device_token: Secret,
    /// Who.
    pub user: User,
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// No such user, a wrong password, or a disabled user: which, is not told.
    #[error("the e-mail address or the password is wrong")]
    InvalidCredentials,
    /// Too many attempts have failed.
    #[error(transparent)]
    TooEarly(#[from] TooEarly),
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
    let macs = platform.macs.as_ref();
    let known_device = login
        .device_token
        .as_ref()
        .and_then(|token| KnownDevice::read(macs, scope.tenant(), &login.email, token.expose()));
    let throttle = Throttle::at(platform, scope.tenant(), &login.email, known_device, login.network);
    if let Some(refused) = throttle.waits(platform, now)? {
        return Err(refused.into());
    }
    let store = platform.stores.open(scope)?;
    let known = store.write(|tx| match tx.attempts().take(&throttle.account, &Pace::ACCOUNT, now)? {
        Some(until) => Err(LoginError::from(TooEarly { now, until })),
        None => Ok(tx.users().credentials(&login.email)?),
    })?;
    let Some(verified) = recognise(platform, known, login) else {
        throttle.failed(platform, now)?;
        return Err(LoginError::InvalidCredentials);
    };
    let rehashed = platform.passwords.is_outdated(&verified.password_hash);
    let rehashed = rehashed.then(|| platform.passwords.hash(login.password.expose()));
    let id: SessionId = platform.ids.next();
    let token = RefreshToken { tenant: scope.tenant(), session: id, generation: 1 }.write(macs);
    let policy = &platform.policy;
    let session = Session::begin(
        id,
        verified.user.id,
        platform.digest.sha256(token.expose().as_bytes()),
        login.device.clone(),
        now,
        (policy.refresh_token_ttl, policy.session_lifetime),
    );
    store.write(|tx| {
        let head = tx.log().lock()?;
        // The password took a while: what was true before it has to be true still.
        let current = tx
            .users()
            .credentials(&login.email)?
            .filter(|current| current.user.active && current.password_hash == verified.password_hash);
        let user = current.ok_or(LoginError::InvalidCredentials)?.user;
        if let Some(hash) = &rehashed {
            tx.users().set_password(user.id, hash)?;
        }
        tx.attempts().forget(&throttle.account)?;
        keep_in_mind(tx, &session, now)?;
        let event = journal::people::session_started(&session, login.trace.clone());
        journal::append(platform, scope, tx, head, vec![event], now)?;
        let (access_token, access_expires_at) = access_token(platform, scope, &user, &session, now);
        let device = known_device.unwrap_or_else(|| new_device(platform));
        Ok(SignedIn {
            access_token,
            access_expires_at,
            refresh_token: token,
            refresh_expires_at: session.expires_at,
            device_token: device.write(macs, scope.tenant(), &login.email),
            user,
        })
    })
}

/// Somebody whose tenant, which they called `named`, is not in service, or is none that there is: takes as long as a wrong
/// password, and always fails. Who has the right one learns why, everybody else sees what they always see.
pub fn login_nowhere(platform: &Platform, named: &str, tenant: Option<&Tenant>, login: &Login) -> LoginError {
    attempt_nowhere(platform, named, tenant, login).unwrap_or_else(LoginError::from)
}

fn attempt_nowhere(
    platform: &Platform,
    named: &str,
    tenant: Option<&Tenant>,
    login: &Login,
) -> Result<LoginError, StoreError> {
    let now = platform.clock.now();
    let throttle = Throttle::nowhere(platform, named, &login.email, login.network);
    if let Some(refused) = throttle.waits(platform, now)? {
        return Ok(refused.into());
    }
    let taken = platform
        .control
        .write::<_, StoreError>(|tx| tx.attempts().take(&throttle.account, &Pace::ACCOUNT, now))?;
    if let Some(until) = taken {
        return Ok(TooEarly { now, until }.into());
    }
    let kept = tenant.and_then(|tenant| Some((tenant, TenantScope::maintenance(tenant).ok()?)));
    let known = match &kept {
        Some((_, scope)) => platform.stores.open(scope)?.read(|tx| tx.users().credentials(&login.email))?,
        None => None,
    };
    Ok(match (recognise(platform, known, login), kept) {
        (Some(_), Some((tenant, _))) if tenant.lifecycle.status() == Status::Suspended => {
            LoginError::Suspended
        }
        (Some(_), Some(_)) => LoginError::Leaving,
        _ => {
            throttle.failed(platform, now)?;
            LoginError::InvalidCredentials
        }
    })
}

/// Whose credentials these are. Takes as long if they are nobody's.
fn recognise(platform: &Platform, known: Option<Credentials>, login: &Login) -> Option<Credentials> {
    let hash = known.as_ref().map(|credentials| credentials.password_hash.as_str());
    let verified = platform.passwords.verify(login.password.expose(), hash);
    known.filter(|credentials| verified && credentials.user.active)
}

fn new_device(platform: &Platform) -> KnownDevice {
    let mut number = [0; 16];
    platform.entropy.fill(&mut number);
    KnownDevice(number)
}

/// Adds a session, and forgets those of the same user that were over long ago.
pub(crate) fn keep_in_mind(
    tx: &mut dyn TenantTx,
    session: &Session,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.sessions().remove_over(session.user, now - KEPT)?;
    tx.sessions().insert(session)
}

/// An access token of this session, and when it stops working: not after the session.
pub(super) fn access_token(
    platform: &Platform,
    scope: &TenantScope,
    user: &User,
    session: &Session,
    now: DateTime<Utc>,
) -> (Secret, DateTime<Utc>) {
    let expires_at = session.ends_at.min(now + platform.policy.access_token_ttl);
    let token = platform.tokens.access(&AccessClaims {
        user: user.id,
        tenant: scope.tenant(),
        role: user.role,
        session: session.id,
        issued_at: now,
        expires_at,
    });
    (token, expires_at)
}
