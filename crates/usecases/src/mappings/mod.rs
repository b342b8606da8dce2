//! Whose accounts are: mapping a website's users to accounts, and taking them from them.
//!
//! An account is mapped to the user it was provisioned for at once; it may be mapped to others besides, and taken from any of
//! them. What was is kept.

mod change;
mod read;

use tenantry_domain::account::{Account, AccountMapping, WebsiteUserId};
use tenantry_ports::{StoreResult, TenantTx};

pub use change::{MapAccount, MapError, Mapped, UnmapAccount, UnmapError, map, unmap};
pub use read::{MappedAccount, accounts_of, users_of};

/// The mapping of this account to this user that there is now, if there is one; and whether it is kept.
fn current(
    tx: &mut dyn TenantTx,
    account: &Account,
    user: &WebsiteUserId,
) -> StoreResult<Option<(AccountMapping, bool)>> {
    let kept = tx.mappings().latest(account.id, user)?;
    Ok(match kept {
        Some(mapping) => mapping.is_open().then_some((mapping, true)),
        None if account.user_id == *user => Some((AccountMapping::of_provisioning(account), false)),
        None => None,
    })
}
