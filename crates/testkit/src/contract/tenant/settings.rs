//! Facts about a tenant's settings.

use std::collections::BTreeSet;
use std::sync::Arc;

use tenantry_domain::config::{AllowedConfigs, ConfigId, VersioningStrategy};
use tenantry_domain::tenant::{Limit, Quotas, Settings};
use tenantry_ports::TenantStore;

use crate::contract::{Subject, store};

fn stored(store: &Arc<dyn TenantStore>) -> Option<Settings> {
    store.read(|tx| tx.settings().get()).expect("the settings are read")
}

/// Before anybody wrote them there are none.
pub fn there_are_none_before_seeding(subject: &dyn Subject) {
    let (store, _) = store(subject);
    assert_eq!(stored(&store), None);
}

/// What is written replaces what was, whole.
pub fn settings_are_read_back_and_replaced(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let ids = ["25k-eval-v1", "50k-eval-v1"].map(|id| ConfigId::new(id).expect("a config id"));
    let full = Settings {
        allowed_configs: AllowedConfigs::Only(BTreeSet::from(ids)),
        versioning_strategy: VersioningStrategy::Internal,
        quotas: Quotas {
            max_accounts: Some(Limit::AtMost(u64::from(u32::MAX) + 1)),
            max_users: Some(Limit::Unlimited),
            ..Quotas::default()
        },
        roles: Vec::new(),
    };
    for settings in [Settings::default(), full, Settings::default()] {
        store.write(|tx| tx.settings().put(&settings)).expect("the settings are written");
        assert_eq!(stored(&store), Some(settings));
    }
}
