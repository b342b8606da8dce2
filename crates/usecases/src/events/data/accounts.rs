//! What is in `data` of what happens to accounts besides their provisioning.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use tenantry_domain::account::WebsiteUserId;
use tenantry_domain::account::engine::{AccountEvent, PositionsClosed};
use tenantry_domain::id::AccountId;

/// `account.mapped`, `account.unmapped`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Mapping<'a> {
    pub(crate) account_id: AccountId,
    /// The website's user.
    pub(crate) user_id: &'a WebsiteUserId,
    /// Who mapped or unmapped it.
    pub(crate) by: Option<&'a str>,
}

/// What the engine tells of an account.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Emitted<'a, T> {
    #[serde(flatten)]
    pub(crate) told: T,
    /// By whose hand it came.
    pub(crate) by: &'a str,
    /// What was applied to the account.
    pub(crate) applied: &'a AccountEvent,
}

/// `account.updated` of what is not the engine's, or not its alone.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AccountChanged<'a> {
    /// Which of `meta`, `state` and `config`.
    pub(crate) changed: &'a [&'a str],
    /// The members that changed, as they were.
    #[schemars(with = "Map<String, Value>")]
    pub(crate) before: &'a Value,
    /// The same, as they are.
    #[schemars(with = "Map<String, Value>")]
    pub(crate) after: &'a Value,
    /// Who changed it.
    pub(crate) by: &'a str,
    /// What was applied to the account for it, if anything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) applied: Option<&'a AccountEvent>,
}

/// `account.updated`: either of them.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is for its schema; what is written is one of the two")]
pub(crate) enum AccountUpdated<'a> {
    /// Members were changed.
    Changed(AccountChanged<'a>),
    /// Positions were closed by no trade.
    PositionsClosed(Emitted<'a, PositionsClosed>),
}
