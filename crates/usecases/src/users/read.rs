use tenantry_domain::id::UserId;
use tenantry_domain::people::User;
use tenantry_ports::{StoreResult, TenantScope, UserFilter};

use crate::Platform;

/// The user with this id.
pub fn find(platform: &Platform, scope: &TenantScope, id: UserId) -> StoreResult<Option<User>> {
    platform.stores.open(scope)?.read(|tx| tx.users().get(id))
}

/// At most `limit` of these users, newest first, after the user `after`.
pub fn list(
    platform: &Platform,
    scope: &TenantScope,
    filter: &UserFilter,
    after: Option<UserId>,
    limit: usize,
) -> StoreResult<Vec<User>> {
    platform.stores.open(scope)?.read(|tx| tx.users().list(filter, after, limit))
}
