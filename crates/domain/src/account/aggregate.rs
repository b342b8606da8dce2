use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{AccountState, WebsiteUserId};
use crate::config::{AccountConfig, ConfigId, ConfigVersion};
use crate::id::{AccountId, TenantId};
use crate::timestamp;

/// A trading account of one of a tenant's website users.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The website user it was provisioned for.
    pub user_id: WebsiteUserId,
    /// The config it follows.
    pub config_id: ConfigId,
    /// The version of that config, which never changes under it.
    pub config_version: ConfigVersion,
    /// SHA-256 of that version's canonical resolved document, in lower-case hexadecimal: the snapshot can be checked.
    pub config_hash: String,
    /// How it stands, in its life and in the market.
    pub state: AccountState,
    /// The website's own notes, which tenantry does not interpret.
    pub meta: Option<Map<String, Value>>,
    /// When to see what time alone has done to it; never, if nothing can have, or its engine replays what was long ago.
    pub rolls_at: Option<DateTime<Utc>>,
    /// Counts its changes from 1; a change says which version it was made to.
    pub version: i64,
    /// When it was provisioned.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What is known of an account before it exists.
#[derive(Debug, Clone)]
pub struct AccountToProvision<'a> {
    /// The id it gets.
    pub id: AccountId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// The website user it is for.
    pub user_id: WebsiteUserId,
    /// The config, as it is in `config_version`.
    pub config: &'a AccountConfig,
    /// The version of the config.
    pub config_version: ConfigVersion,
    /// SHA-256 of the canonical resolved document, in lower-case hexadecimal.
    pub config_hash: String,
    /// The website's own notes.
    pub meta: Option<Map<String, Value>>,
}

impl Account {
    /// The account as it begins: `provisioned`, with the balance and the rules of its config, ready for trades.
    pub fn provision(account: AccountToProvision<'_>, at: DateTime<Utc>) -> Self {
        let at = timestamp::whole_millis(at);
        Self {
            id: account.id,
            tenant_id: account.tenant_id,
            user_id: account.user_id,
            config_id: account.config.id.clone(),
            config_version: account.config_version,
            config_hash: account.config_hash,
            state: AccountState::provisioned(account.config, at),
            meta: account.meta,
            rolls_at: None,
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Amount;
    use crate::account::AccountStatus;
    use crate::config::demo;

    #[test]
    fn an_account_begins_provisioned_with_its_configs_capital() {
        let config: AccountConfig = serde_json::from_str(demo::DEMO_CONFIG).unwrap();
        let account = Account::provision(
            AccountToProvision {
                id: "acc_0195c0de00007000800000000000000a".parse().unwrap(),
                tenant_id: "ten_3fa85f6457174562b3fc2c963f66afa6".parse().unwrap(),
                user_id: WebsiteUserId::new("user-42").unwrap(),
                config: &config,
                config_version: ConfigVersion::FIRST,
                config_hash: "00".repeat(32),
                meta: None,
            },
            "2025-01-10T15:00:00.1234Z".parse().unwrap(),
        );
        assert_eq!(account.state.status, AccountStatus::Provisioned);
        assert_eq!((account.config_id.as_str(), account.version), (demo::DEMO_CONFIG_ID, 1));
        assert_eq!(account.state.balance, Amount::from(25_000));
        assert_eq!(timestamp::to_text(account.created_at), "2025-01-10T15:00:00.123Z");
        assert_eq!((account.updated_at, account.state.as_of), (account.created_at, account.created_at));
    }
}
