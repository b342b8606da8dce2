//! Histories of configs and accounts: uploads, provisionings and changes of strategy in any order, also at once, after which
//! each account follows exactly one stored version, that of its own making.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use tenantry_domain::account::{Account, WebsiteUserId};
use tenantry_domain::config::{AccountConfig, ConfigId, ConfigVersion, VersioningStrategy};
use tenantry_domain::id::AccountId;
use tenantry_domain::json;
use tenantry_domain::tenant::Settings;
use tenantry_ports::{StoreError, StoredConfig, TenantScope};
use tenantry_usecases::Platform;
use tenantry_usecases::accounts::{Hand, ProvisionAccount, ProvisionError, provision};
use tenantry_usecases::configs::{Upload, UploadError, get, upload, versions};

use crate::sample;

/// Something that a tenant does. Configs are known by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Uploads a config.
    Upload {
        /// Which.
        config: u8,
        /// With how much capital, in thousands above one; with its parent's, if it has one, for 0.
        capital: u8,
        /// From which one it inherits.
        parent: Option<u8>,
    },
    /// Has an account made.
    Provision {
        /// Of which config.
        config: u8,
        /// Of which of its versions; of the current one for none.
        version: Option<u8>,
    },
    /// Decides what a second upload of an id means.
    Strategy {
        /// A new version, or a refusal.
        internal: bool,
    },
}

/// A tenant to whom things happen, on any stores, and what was seen of it.
pub struct History<'a> {
    platform: &'a Platform,
    scope: &'a TenantScope,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Every version as it was answered when it was uploaded.
    versions: BTreeMap<(ConfigId, ConfigVersion), StoredConfig>,
    /// Every account: which version was said it is made from, and the rules it was made with.
    accounts: BTreeMap<AccountId, (ConfigId, ConfigVersion, Value)>,
}

impl<'a> History<'a> {
    /// The history of this tenant, in which nothing has happened yet.
    pub fn new(platform: &'a Platform, scope: &'a TenantScope) -> Self {
        Self { platform, scope, seen: Mutex::default() }
    }

    /// Does one thing after the other.
    ///
    /// # Panics
    /// Where something is answered that no order of what happened explains.
    pub fn go_on(&self, acts: &[Act]) {
        for act in acts {
            match *act {
                Act::Upload { config, capital, parent } => self.upload(config, capital, parent),
                Act::Provision { config, version } => self.provision(config, version),
                Act::Strategy { internal } => self.decide(internal),
            }
        }
    }

    fn upload(&self, config: u8, capital: u8, parent: Option<u8>) {
        let id = config_id(config);
        let mut document = match parent {
            Some(parent) => json!({ "displayName": "Child", "parentConfigId": config_id(parent) }),
            None => sample::config_document(id.as_str()),
        };
        document["id"] = json!(id);
        if parent.is_none() || capital > 0 {
            document["baseCapital"] = json!(1_000 + u32::from(capital) * 1_000);
        }
        let wish = Upload { document, actor: "somebody".to_owned(), trace: "history".to_owned() };
        match upload(self.platform, self.scope, wish) {
            Ok(uploaded) => {
                let version = (uploaded.config.id.clone(), uploaded.config.version);
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                let before = seen.versions.insert(version, uploaded.config.clone());
                // Whoever uploads first is not always the first to be answered.
                assert!(before.is_none_or(|before| before == uploaded.config), "a version has changed");
            }
            // Parents may not be there, inherit in a circle, or be refused as second uploads of an id.
            Err(UploadError::Invalid { .. } | UploadError::IdTaken { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn provision(&self, config: u8, version: Option<u8>) {
        let wanted = ProvisionAccount {
            user_id: WebsiteUserId::new("user").expect("a user"),
            config_id: config_id(config),
            config_version: version
                .map(|version| ConfigVersion::new(u32::from(version) + 1).expect("a version from 1")),
            meta: None,
            idempotency: None,
            hand: Hand { actor: "history".to_owned(), trace: "history".to_owned() },
        };
        let made_with = |account: &Account, config: &AccountConfig| {
            let made = json!([account.config_id, account.config_version, rules(config)]);
            serde_json::to_vec(&made).expect("it is JSON")
        };
        match provision(self.platform, self.scope, std::slice::from_ref(&wanted), made_with).remove(0) {
            Ok(receipt) => {
                let made = serde_json::from_slice(&receipt.answer.body).expect("it is what was written");
                let (id, version, rules) = made;
                assert_eq!(id, wanted.config_id);
                assert!(wanted.config_version.is_none_or(|wanted| wanted == version), "another version");
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.accounts.insert(receipt.account.expect("it is new"), (id, version, rules));
            }
            Err(ProvisionError::UnknownConfig(_) | ProvisionError::UnknownVersion(..)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn decide(&self, internal: bool) {
        let versioning_strategy =
            if internal { VersioningStrategy::Internal } else { VersioningStrategy::Explicit };
        let store = self.platform.stores.open(self.scope).expect("the tenant's store");
        let settings = Settings { versioning_strategy, ..Settings::default() };
        let decided = store.write::<_, StoreError>(|tx| {
            tx.log().lock()?;
            tx.settings().put(&settings)
        });
        decided.expect("the settings are kept");
    }

    /// Checks that everything is still as it was answered, and that each account follows exactly one stored version. Answers
    /// how many versions and accounts there are.
    ///
    /// # Panics
    /// If it is not so.
    pub fn check(&self) -> (usize, usize) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for ((id, version), was) in &seen.versions {
            let is = get(self.platform, self.scope, id, Some(*version)).expect("a look-up");
            assert_eq!(is.as_ref(), Some(was), "a version has changed");
            let numbers: Vec<_> = self.records(id).map(|(number, _)| number).collect();
            assert_eq!(numbers, (1..=u32::try_from(numbers.len()).unwrap_or(0)).rev().collect::<Vec<_>>());
        }
        let ids: Vec<_> = seen.accounts.keys().copied().collect();
        let store = self.platform.stores.open(self.scope).expect("the tenant's store");
        let accounts = store.read::<_, StoreError>(|tx| tx.accounts().get(&ids)).expect("a look-up");
        assert_eq!(accounts.len(), seen.accounts.len());
        for account in accounts {
            let (id, version, made_with) = &seen.accounts[&account.id];
            assert_eq!((&account.config_id, &account.config_version), (id, version));
            let stored = get(self.platform, self.scope, id, Some(*version)).expect("a look-up");
            let stored = stored.expect("the version that the account is made from");
            assert_eq!(stored.hash, account.config_hash);
            let document = json::canonical(&stored.resolved);
            assert_eq!(self.platform.digest.hex(document.as_bytes()), account.config_hash);
            let same = self.records(id).filter(|(_, hash)| *hash == account.config_hash).count();
            assert_eq!(same, 1, "versions of {id} with the account's rules");
            let config: AccountConfig = serde_json::from_value(stored.resolved).expect("a config");
            assert_eq!(&rules(&config), made_with);
            assert_eq!(account.state.balance, config.base_capital.amount());
        }
        (seen.versions.len(), seen.accounts.len())
    }

    /// Number and hash of each version, the newest first.
    fn records(&self, id: &ConfigId) -> impl Iterator<Item = (u32, String)> + use<> {
        let records = versions(self.platform, self.scope, id, None, 10_000).expect("a look-up");
        records.unwrap_or_default().into_iter().map(|record| (record.version.get(), record.hash))
    }
}

/// What an account is made with, as it can be compared.
fn rules(config: &AccountConfig) -> Value {
    serde_json::to_value(config).expect("it is JSON")
}

fn config_id(number: u8) -> ConfigId {
    ConfigId::new(format!("config-{number}")).expect("a config id")
}
