use chrono::{DateTime, Utc};

use super::{Account, WebsiteUserId};
use crate::id::{AccountId, Id, MappingId};
use crate::timestamp;

/// That an account is a website user's: since when, and until when.
///
/// An account is mapped to the user it was provisioned for from its beginning, and may be mapped to others besides. Mapping
/// it to a user anew after it was taken from them is another mapping, so that mappings are their own history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountMapping {
    /// Its id; of one account's, a later one is greater.
    pub id: MappingId,
    /// Which account.
    pub account: AccountId,
    /// Whose.
    pub user: WebsiteUserId,
    /// Since when.
    pub mapped_at: DateTime<Utc>,
    /// Who mapped it; none if it was provisioned for that user.
    pub mapped_by: Option<String>,
    /// That it is so no longer.
    pub unmapped: Option<Unmapped>,
}

/// The end of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmapped {
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
}

impl AccountMapping {
    /// The mapping that an account is born with. It has the account's own digits for an id.
    pub fn of_provisioning(account: &Account) -> Self {
        Self {
            id: Id::new(account.id.uuid()),
            account: account.id,
            user: account.user_id.clone(),
            mapped_at: account.created_at,
            mapped_by: None,
            unmapped: None,
        }
    }

    /// A mapping that begins now. What is finer than a millisecond in `at` is cut off.
    pub fn begin(
        id: MappingId,
        account: AccountId,
        user: WebsiteUserId,
        at: DateTime<Utc>,
        by: String,
    ) -> Self {
        let mapped_at = timestamp::whole_millis(at);
        Self { id, account, user, mapped_at, mapped_by: Some(by), unmapped: None }
    }

    /// The same, ended.
    #[must_use]
    pub fn end(self, at: DateTime<Utc>, by: String) -> Self {
        Self { unmapped: Some(Unmapped { at: timestamp::whole_millis(at), by }), ..self }
    }

    /// Whether the account is that user's now.
    pub const fn is_open(&self) -> bool {
        self.unmapped.is_none()
    }
}
