//! What happens to accounts besides their provisioning.

use serde_json::json;
use tenantry_domain::account::AccountMapping;
use tenantry_domain::event::{EventType, NewEvent};

use super::Traced;

/// `account.mapped`.
pub(crate) fn mapped(mapping: &AccountMapping, trace: String) -> Traced {
    let AccountMapping { account, user, mapped_by, .. } = mapping;
    let data = json!({ "accountId": account, "userId": user, "by": mapped_by });
    Traced { event: NewEvent::new(EventType::ACCOUNT_MAPPED, data).account(*account), trace }
}

/// `account.unmapped`.
pub(crate) fn unmapped(mapping: &AccountMapping, trace: String) -> Traced {
    let AccountMapping { account, user, unmapped, .. } = mapping;
    let by = unmapped.as_ref().map(|unmapped| &unmapped.by);
    let data = json!({ "accountId": account, "userId": user, "by": by });
    Traced { event: NewEvent::new(EventType::ACCOUNT_UNMAPPED, data).account(*account), trace }
}
