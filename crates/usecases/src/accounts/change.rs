use serde_json::{Map, Value, json};
use tenantry_domain::account::AccountStatus;
use tenantry_domain::account::engine::{AccountEvent, Refusal};
use tenantry_domain::id::AccountId;
use tenantry_ports::{StoreError, TenantScope};

use super::AccountView;
use super::hand::{Hand, InHand};
use crate::{Platform, days};

/// What is to be different about an account; what is left out stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Other notes, or none.
    pub meta: Option<Option<Map<String, Value>>>,
    /// Whether it may trade.
    pub status: Option<Trading>,
    /// Whether its stage starts afresh.
    pub reset: bool,
}

/// Whether an account may trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trading {
    /// It may, if nothing else forbids it.
    Enabled,
    /// It may not, until it is enabled.
    Disabled,
}

/// Why an account stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ChangeAccountError {
    /// There is no such account.
    #[error("there is no such account")]
    NoSuchAccount,
    /// It is not in the version that the caller means.
    #[error("the account has changed since")]
    Stale {
        /// The version it is in.
        version: i64,
    },
    /// It cannot be done to this account.
    #[error(transparent)]
    Refused(Refusal),
    /// It has open positions, which nobody said to close.
    #[error("the account has {0} open positions")]
    OpenPositions(usize),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Changes an account as a whole or not at all, if `is_meant` says so of the version it is in. A stage starts afresh before the
/// account is disabled or enabled. Where nothing is different, nothing changes.
pub fn change(
    platform: &Platform,
    scope: &TenantScope,
    id: AccountId,
    change: Change,
    hand: Hand,
    is_meant: impl Fn(i64) -> bool,
) -> Result<AccountView, ChangeAccountError> {
    on_account(platform, scope, id, hand, is_meant, |account| {
        if change.reset {
            reset(account)?;
        }
        if let Some(wanted) = change.status {
            trade(account, wanted)?;
        }
        if let Some(meta) = &change.meta
            && *meta != account.account.meta
        {
            let before = std::mem::replace(&mut account.account.meta, meta.clone());
            account.note(&["meta"], json!({ "meta": before }), json!({ "meta": meta }), None);
        }
        Ok(())
    })
}

fn reset(account: &mut InHand) -> Result<(), ChangeAccountError> {
    let event = AccountEvent::Reset { at: account.at() };
    let standing = |account: &InHand| {
        let state = &account.account.state;
        json!({ "status": state.status, "balance": state.balance, "equity": state.equity })
    };
    let before = standing(account);
    account.apply(&event).map_err(ChangeAccountError::Refused)?;
    account.note(&["state"], before, standing(account), Some(&event));
    Ok(())
}

fn trade(account: &mut InHand, wanted: Trading) -> Result<(), ChangeAccountError> {
    let at = account.at();
    let status = account.account.state.status;
    if status.is_final() {
        return Err(ChangeAccountError::Refused(Refusal::Final(status)));
    }
    let event = match (wanted, status == AccountStatus::Disabled) {
        (Trading::Disabled, false) => AccountEvent::Disabled { at },
        (Trading::Enabled, true) => AccountEvent::Enabled { at },
        (Trading::Disabled, true) | (Trading::Enabled, false) => return Ok(()),
    };
    account.apply(&event).map_err(ChangeAccountError::Refused)
}

/// Closes an account for good, if `is_meant` says so of the version it is in: with open positions only by `force`, which closes
/// them at their marks. One that was closed before stays so.
pub fn close(
    platform: &Platform,
    scope: &TenantScope,
    id: AccountId,
    force: bool,
    hand: Hand,
    is_meant: impl Fn(i64) -> bool,
) -> Result<AccountView, ChangeAccountError> {
    on_account(platform, scope, id, hand, is_meant, |account| {
        let state = &account.account.state;
        if state.status == AccountStatus::Closed {
            return Ok(());
        }
        if !state.open_positions.is_empty() && !force {
            return Err(ChangeAccountError::OpenPositions(state.open_positions.len()));
        }
        let event = AccountEvent::Closed { at: account.at() };
        account.apply(&event).map_err(ChangeAccountError::Refused)
    })
}

/// Does something to an account, and keeps what came of it. What the engine refuses is not kept, except for what time alone has
/// done to the account, which it may be refused for.
fn on_account(
    platform: &Platform,
    scope: &TenantScope,
    id: AccountId,
    hand: Hand,
    is_meant: impl Fn(i64) -> bool,
    act: impl Fn(&mut InHand) -> Result<(), ChangeAccountError>,
) -> Result<AccountView, ChangeAccountError> {
    let now = platform.clock.now();
    let outcome = days::write(platform, scope, |tx, looks| {
        let head = tx.log().lock()?;
        let account = InHand::take(platform, tx, id, hand.clone(), now)?;
        let mut account = account.ok_or(ChangeAccountError::NoSuchAccount)?;
        let version = account.account.version;
        if !is_meant(version) {
            return Err(ChangeAccountError::Stale { version });
        }
        let mut waiting = InHand::clone(&account);
        match act(&mut account) {
            Ok(()) => Ok(Ok(account.keep(platform, scope, tx, head, looks)?)),
            Err(ChangeAccountError::Refused(refusal)) => {
                let at = waiting.at();
                // Where time does nothing to it, this one is refused, too.
                let _ = waiting.apply(&AccountEvent::DayRolled { at });
                waiting.keep(platform, scope, tx, head, looks)?;
                Ok(Err(ChangeAccountError::Refused(refusal)))
            }
            Err(error) => Err(error),
        }
    });
    outcome.flatten()
}
