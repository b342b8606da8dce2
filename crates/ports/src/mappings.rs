use tenantry_domain::account::{Account, AccountMapping, WebsiteUserId};
use tenantry_domain::id::{AccountId, MappingId};

use crate::StoreResult;

/// Whose accounts are. Whoever changes that has locked the log.
///
/// An account without a mapping to the user it was provisioned for is theirs all the same: that mapping
/// ([`AccountMapping::of_provisioning`]) is only kept once it has ended.
pub trait MappingRepository {
    /// Adds mappings of accounts that exist, in one statement where the database can.
    fn insert(&mut self, mappings: &[AccountMapping]) -> StoreResult<()>;

    /// Notes that this mapping has ended; `Stale` if there is none that has not.
    fn end(&mut self, mapping: &AccountMapping) -> StoreResult<()>;

    /// The last mapping that is kept of this account to this user.
    fn latest(&mut self, account: AccountId, user: &WebsiteUserId) -> StoreResult<Option<AccountMapping>>;

    /// At most `limit` mappings of this account, oldest first, after the mapping `after`; those that have ended are left out
    /// unless `ended`.
    fn of_account(
        &mut self,
        account: AccountId,
        ended: bool,
        after: Option<MappingId>,
        limit: usize,
    ) -> StoreResult<Vec<AccountMapping>>;

    /// At most `limit` accounts that are this user's now, newest first, after the account `after`; each with its mapping, if
    /// that is kept.
    fn accounts_of(
        &mut self,
        user: &WebsiteUserId,
        after: Option<AccountId>,
        limit: usize,
    ) -> StoreResult<Vec<(Account, Option<AccountMapping>)>>;

    /// At most `limit` mappings in order of account and id, after these.
    fn page(
        &mut self,
        after: Option<(AccountId, MappingId)>,
        limit: usize,
    ) -> StoreResult<Vec<AccountMapping>>;
}
