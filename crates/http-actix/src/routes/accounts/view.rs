use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use tenantry_domain::Amount;
use tenantry_domain::account::{AccountState, RuleStatus, WebsiteUserId};
use tenantry_domain::config::{ConfigId, ConfigVersion};
use tenantry_domain::id::{AccountId, TenantId};
use tenantry_domain::timestamp;
use tenantry_usecases::accounts::AccountView as Found;

/// An account with its full state.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Account")]
pub(crate) struct AccountView {
    account_id: AccountId,
    tenant_id: TenantId,
    user_id: WebsiteUserId,
    config_id: ConfigId,
    /// The version it was made from, and keeps.
    config_version: ConfigVersion,
    /// SHA-256 of that version's resolved document, in hexadecimal.
    config_hash: String,
    /// ISO 4217.
    currency: &'static str,
    /// What every fraction of the config is of.
    base_capital: Amount,
    #[serde(flatten)]
    state: AccountState,
    /// How it stands with each rule.
    rule_statuses: Vec<RuleStatus>,
    /// What the website wanted to remember with it.
    meta: Option<Map<String, Value>>,
    /// Counts its changes; also the `ETag`.
    version: i64,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    created_at: DateTime<Utc>,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    updated_at: DateTime<Utc>,
}

impl From<Found> for AccountView {
    fn from(found: Found) -> Self {
        let Found { account, config, rules } = found;
        Self {
            account_id: account.id,
            tenant_id: account.tenant_id,
            user_id: account.user_id,
            config_id: account.config_id,
            config_version: account.config_version,
            config_hash: account.config_hash,
            currency: config.currency.as_str(),
            base_capital: config.base_capital.amount(),
            state: account.state,
            rule_statuses: rules,
            meta: account.meta,
            version: account.version,
            created_at: account.created_at,
            updated_at: account.updated_at,
        }
    }
}
