use chrono::{DateTime, Utc};
use tenantry_domain::id::{ApiKeyId, TenantId};

use crate::{ApiKey, StoreResult};

/// API keys, the operator's and the tenants'.
pub trait ApiKeyRepository {
    /// Adds a key. `Conflict(ApiKeyLookup)` if its public part is taken, `Conflict(ApiKeyRequest)` if another key was made
    /// for its request.
    fn insert(&mut self, key: &ApiKey) -> StoreResult<()>;

    /// The key with this public part, live or not.
    fn find(&mut self, lookup: &str) -> StoreResult<Option<ApiKey>>;

    /// The key of this id, whoever's, live or not.
    fn get(&mut self, id: ApiKeyId) -> StoreResult<Option<ApiKey>>;

    /// How many keys of this tenant work at `now`. Until the transaction ends nobody else is told, so that of several who ask
    /// before they add one, each counts those of the others.
    fn count_live(&mut self, tenant: TenantId, now: DateTime<Utc>) -> StoreResult<u64>;

    /// The key that was made for the request of this scope.
    fn made_for(&mut self, scope: &str) -> StoreResult<Option<ApiKey>>;

    /// At most `limit` keys of this tenant, or the operator's for none, newest first, after the one whose (`created_at`,
    /// `id`) is `after`.
    fn page(
        &mut self,
        owner: Option<TenantId>,
        after: Option<(DateTime<Utc>, ApiKeyId)>,
        limit: usize,
    ) -> StoreResult<Vec<ApiKey>>;

    /// Replaces when the key expires, when it was revoked and what request it was made for, where its version is one less
    /// than this one's; else `Stale`. Nothing else about a key ever changes.
    fn update(&mut self, key: &ApiKey) -> StoreResult<()>;

    /// Notes that these keys were used `at` this time, unless a later use was noted. One statement; no change of the keys:
    /// their versions stay. Keys that are not there are passed over.
    fn note_use(&mut self, keys: &[ApiKeyId], at: DateTime<Utc>) -> StoreResult<()>;
}
