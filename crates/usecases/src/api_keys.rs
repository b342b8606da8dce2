//! API keys: the operator's, and those a tenant's machines use.

mod change;
mod make;
mod uses;

use chrono::{DateTime, Utc};
use tenantry_domain::id::{ApiKeyId, TenantId};
use tenantry_ports::{ApiKey, StoreResult};

use crate::Platform;

pub use self::change::{
    ChangeKeyError, LONGEST_OVERLAP, Rotation, revoke, revoke_version, rotate, rotate_once,
};
pub use self::make::{KeyAnswers, Made, NewKey, NewKeyError, create, create_once, ensure_operator, keep};
pub use self::uses::{KeyUses, record_uses};

/// At most `limit` keys of a tenant, or the operator's for none, after the one whose (`created_at`, `id`) is `after`; newest
/// first, revoked and expired ones included.
pub fn page(
    platform: &Platform,
    owner: Option<TenantId>,
    after: Option<(DateTime<Utc>, ApiKeyId)>,
    limit: usize,
) -> StoreResult<Vec<ApiKey>> {
    platform.control.read(|tx| tx.api_keys().page(owner, after, limit))
}

/// Every key of a tenant, or the operator's for none, in the same order.
pub fn list(platform: &Platform, owner: Option<TenantId>) -> StoreResult<Vec<ApiKey>> {
    page(platform, owner, None, usize::MAX)
}

/// The key of this id, if it is this owner's.
pub fn find(platform: &Platform, owner: Option<TenantId>, id: ApiKeyId) -> StoreResult<Option<ApiKey>> {
    let found = platform.control.read(|tx| tx.api_keys().get(id))?;
    Ok(found.filter(|key| key.tenant == owner))
}
