use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;
use tenantry_domain::account::engine::Rulebook;
use tenantry_domain::config::AccountConfig;
use tenantry_ports::{StoreError, StoreResult};

/// Parsed account configs, by the hash of their resolved document.
///
/// A version never changes and the hash says what is in it, so nothing here is ever out of date, and two tenants
/// with the same document may share the parsed one.
#[derive(Debug, Default)]
pub struct ConfigCache {
    parsed: RwLock<HashMap<String, Arc<AccountConfig>>>,
    rulebooks: RwLock<HashMap<String, Rulebook>>,
}

/// More than this many different documents are unusual; the cache then begins anew.
const CAPACITY: usize = 4096;

impl ConfigCache {
    /// The config whose resolved document has this hash; `resolved` fetches the document if it is not here yet.
    pub(crate) fn get(
        &self,
        hash: &str,
        resolved: impl FnOnce() -> StoreResult<Value>,
    ) -> StoreResult<Arc<AccountConfig>> {
        if let Some(config) = self.parsed.read().unwrap_or_else(PoisonError::into_inner).get(hash) {
            return Ok(Arc::clone(config));
        }
        let config: AccountConfig = serde_json::from_value(resolved()?)
            .map_err(|error| StoreError::corrupt("account config", error))?;
        let config = Arc::new(config);
        let mut parsed = self.parsed.write().unwrap_or_else(PoisonError::into_inner);
        if parsed.len() >= CAPACITY {
            parsed.clear();
        }
        parsed.insert(hash.to_owned(), Arc::clone(&config));
        Ok(config)
    }

    /// The rulebook of this config, whose resolved document has this hash.
    pub(crate) fn rules(&self, hash: &str, config: &AccountConfig) -> Rulebook {
        if let Some(rules) = self.rulebooks.read().unwrap_or_else(PoisonError::into_inner).get(hash) {
            return rules.clone();
        }
        let rules = Rulebook::of(config);
        let mut rulebooks = self.rulebooks.write().unwrap_or_else(PoisonError::into_inner);
        if rulebooks.len() >= CAPACITY {
            rulebooks.clear();
        }
        rulebooks.insert(hash.to_owned(), rules.clone());
        rules
    }
}
