use tenantry_domain::id::{SessionId, UserId};
use tenantry_domain::people::{EndReason, Ended, Pace, PasswordContext, User};
use tenantry_domain::tenant::Tenant;
use tenantry_domain::{Finding, Pointer};
use tenantry_ports::{Secret, StoreError, TenantScope};

use super::throttle::{TooEarly, key};
use crate::Platform;
use crate::journal;

/// Somebody who is signed in and wants another password.
#[derive(Debug, Clone)]
pub struct ChangePassword {
    /// Who.
    pub user: UserId,
    /// In which session; it goes on, the others end.
    pub session: SessionId,
    /// The password so far.
    pub current: Secret,
    /// The one to come.
    pub new: Secret,
    /// The request it came with, for the event.
    pub trace: String,
}

/// Why the password is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// The password so far is another one.
    #[error("the current password is wrong")]
    WrongPassword,
    /// Too many attempts have failed.
    #[error(transparent)]
    TooEarly(#[from] TooEarly),
    /// The new one is not good enough.
    #[error("the new password is not acceptable")]
    Invalid(Vec<Finding>),
    /// The user is gone, was disabled, or somebody has changed the password in the meantime.
    #[error("the user may not sign in any more")]
    Gone,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Changes somebody's password and ends their other sessions. Hashes twice, so it takes a while.
pub fn change_password(
    platform: &Platform,
    tenant: &Tenant,
    scope: &TenantScope,
    wish: &ChangePassword,
) -> Result<(), ChangePasswordError> {
    let now = platform.clock.now();
    let attempts = key(platform, "change", &[wish.user.uuid().as_bytes()]);
    let store = platform.stores.open(scope)?;
    let known = store.write(|tx| {
        if let Some(until) = tx.attempts().take(&attempts, &Pace::ACCOUNT, now)? {
            return Err(ChangePasswordError::from(TooEarly { now, until }));
        }
        let user = tx.users().get(wish.user)?.ok_or(ChangePasswordError::Gone)?;
        tx.users().credentials(&user.email)?.ok_or(ChangePasswordError::Gone)
    })?;
    if !platform.passwords.verify(wish.current.expose(), Some(&known.password_hash)) {
        return Err(ChangePasswordError::WrongPassword);
    }
    let findings = findings(platform, tenant, &known.user, wish);
    if !findings.is_empty() {
        return Err(ChangePasswordError::Invalid(findings));
    }
    let hash = platform.passwords.hash(wish.new.expose());
    store.write(|tx| {
        let head = tx.log().lock()?;
        let current = tx
            .users()
            .credentials(&known.user.email)?
            .filter(|current| current.user.active && current.password_hash == known.password_hash);
        let user = current.ok_or(ChangePasswordError::Gone)?.user;
        tx.users().set_password(user.id, &hash)?;
        tx.attempts().forget(&attempts)?;
        let ended = Ended { at: now, reason: EndReason::PasswordChanged };
        let ended = tx.sessions().end_all(user.id, Some(wish.session), ended)?;
        let event = journal::people::password_changed(&user, ended, wish.trace.clone());
        Ok(journal::append(platform, scope, tx, head, vec![event], now)?)
    })
}

fn findings(platform: &Platform, tenant: &Tenant, user: &User, wish: &ChangePassword) -> Vec<Finding> {
    let pointer = Pointer::root().member("newPassword");
    let context = PasswordContext {
        tenant_slug: Some(tenant.slug.as_str()),
        tenant_name: Some(tenant.name.as_str()),
        email: Some(user.email.as_str()),
        username: Some(user.username.as_str()),
    };
    let mut findings = platform.policy.passwords.check(wish.new.expose(), &context, &pointer);
    if wish.new == wish.current {
        let message = "The new password must differ from the current one";
        findings.push(Finding::new(pointer, "same_password", message));
    }
    findings
}
