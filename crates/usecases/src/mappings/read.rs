use tenantry_domain::account::{AccountMapping, WebsiteUserId};
use tenantry_domain::id::{AccountId, MappingId};
use tenantry_ports::{StoreResult, TenantScope};

use crate::Platform;
use crate::accounts::AccountView;

/// An account of a user, and since when it is theirs.
#[derive(Debug, Clone)]
pub struct MappedAccount {
    /// The account.
    pub view: AccountView,
    /// Its mapping to the user.
    pub mapping: AccountMapping,
}

/// At most `limit` accounts that are this user's now, newest first, after the account `after`.
pub fn accounts_of(
    platform: &Platform,
    scope: &TenantScope,
    user: &WebsiteUserId,
    after: Option<AccountId>,
    limit: usize,
) -> StoreResult<Vec<MappedAccount>> {
    platform.stores.open(scope)?.read(|tx| {
        let found = tx.mappings().accounts_of(user, after, limit)?;
        let mapped = found.into_iter().map(|(account, mapping)| {
            let mapping = mapping.unwrap_or_else(|| AccountMapping::of_provisioning(&account));
            Ok(MappedAccount { view: AccountView::of(platform, tx, account)?, mapping })
        });
        mapped.collect()
    })
}

/// At most `limit` mappings of this account, oldest first, after the mapping `after`; with `history` also those that have
/// ended. `None` if there is no such account.
pub fn users_of(
    platform: &Platform,
    scope: &TenantScope,
    account: AccountId,
    history: bool,
    after: Option<MappingId>,
    limit: usize,
) -> StoreResult<Option<Vec<AccountMapping>>> {
    platform.stores.open(scope)?.read(|tx| {
        let Some(account) = tx.accounts().get(&[account])?.pop() else { return Ok(None) };
        let mut mappings = Vec::new();
        // What an account is born with is older than everything else, and is not kept until it ends.
        if after.is_none() && tx.mappings().latest(account.id, &account.user_id)?.is_none() {
            mappings.push(AccountMapping::of_provisioning(&account));
        }
        mappings.extend(tx.mappings().of_account(account.id, history, after, limit)?);
        mappings.truncate(limit);
        Ok(Some(mappings))
    })
}
