use tenantry_domain::id::UserId;
use tenantry_domain::people::{EndReason, Ended, Role, User, UserChange, check_abilities};
use tenantry_domain::{Finding, Pointer};
use tenantry_ports::{StoreError, TenantScope, TenantTx, UserFilter};

use crate::Platform;
use crate::journal;

/// A change of a user, as somebody wants it.
#[derive(Debug, Clone)]
pub struct ChangeUser {
    /// Whom.
    pub user: UserId,
    /// Which version of them, if the caller says so.
    pub version: Option<i64>,
    /// What is to be different.
    pub change: UserChange,
    /// Who wants it.
    pub actor: String,
    /// The request it came with, for the event.
    pub trace: String,
}

/// Why a user was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeUserError {
    /// There is no such user.
    #[error("there is no such user")]
    NoSuchUser,
    /// They are not the version the caller meant.
    #[error("the user has changed since")]
    Stale,
    /// There would be no admin left who can sign in.
    #[error("the tenant would be without an admin")]
    LastAdmin,
    /// The abilities are none.
    #[error("the abilities are not acceptable")]
    Invalid(Vec<Finding>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Changes a user. Whoever is disabled is signed out everywhere. Where nothing is different, nothing changes.
pub fn change(platform: &Platform, scope: &TenantScope, wish: ChangeUser) -> Result<User, ChangeUserError> {
    let now = platform.clock.now();
    if let Some(Some(abilities)) = &wish.change.abilities {
        let findings = check_abilities(abilities, &Pointer::root().member("abilities"));
        if !findings.is_empty() {
            return Err(ChangeUserError::Invalid(findings));
        }
    }
    platform.stores.open(scope)?.write(|tx| {
        let head = tx.log().lock()?;
        let mut user = tx.users().get(wish.user)?.ok_or(ChangeUserError::NoSuchUser)?;
        if wish.version.is_some_and(|version| version != user.version) {
            return Err(ChangeUserError::Stale);
        }
        let (was_admin, was_active) = (user.is_active_admin(), user.active);
        let changed = user.change(wish.change, now);
        if changed.is_empty() {
            return Ok(user);
        }
        if was_admin && !user.is_active_admin() && !has_other_admin(tx, user.id)? {
            return Err(ChangeUserError::LastAdmin);
        }
        tx.users().update(&user)?;
        let ended = match was_active && !user.active {
            true => {
                tx.sessions().end_all(user.id, None, Ended { at: now, reason: EndReason::UserDisabled })?
            }
            false => 0,
        };
        let event = journal::people::user_updated(&user, &changed, ended, &wish.actor, wish.trace);
        journal::append(platform, scope, tx, head, vec![event], now)?;
        Ok(user)
    })
}

fn has_other_admin(tx: &mut dyn TenantTx, user: UserId) -> Result<bool, StoreError> {
    let admins = UserFilter { role: Some(Role::Admin), active: Some(true), text: None };
    Ok(tx.users().list(&admins, None, 2)?.iter().any(|admin| admin.id != user))
}
