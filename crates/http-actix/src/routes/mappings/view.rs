use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::account::{AccountMapping, WebsiteUserId};
use tenantry_domain::id::AccountId;
use tenantry_domain::timestamp;

use crate::openapi::documented;

/// That an account is a website user's, or was.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AccountMapping")]
pub(crate) struct MappingView {
    account_id: AccountId,
    user_id: WebsiteUserId,
    /// Whether it is that user's because it was provisioned for them.
    provisioned: bool,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    mapped_at: DateTime<Utc>,
    /// Who mapped it: a key, a person, or `operator`; null if it was provisioned for that user.
    mapped_by: Option<String>,
    /// When it was taken from them; null if it is theirs.
    #[serde(with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    unmapped_at: Option<DateTime<Utc>>,
    /// Who took it from them.
    unmapped_by: Option<String>,
}

impl From<AccountMapping> for MappingView {
    fn from(mapping: AccountMapping) -> Self {
        let (unmapped_at, unmapped_by) = mapping.unmapped.map(|it| (it.at, it.by)).unzip();
        Self {
            account_id: mapping.account,
            user_id: mapping.user,
            provisioned: mapping.mapped_by.is_none(),
            mapped_at: mapping.mapped_at,
            mapped_by: mapping.mapped_by,
            unmapped_at,
            unmapped_by,
        }
    }
}

/// Writes the answer that a repeated request gets, too.
pub(super) fn answer(mapping: &AccountMapping) -> Vec<u8> {
    // Texts and times always serialise.
    serde_json::to_vec(&MappingView::from(mapping.clone())).unwrap_or_default()
}

documented!(MappingView);
