use tenantry_domain::tenant::{Allowance, QuotaKind};
use tenantry_ports::{Counts, StoreResult, TenantScope};

use super::allowance;
use crate::{Platform, api_keys};

/// How much of what it may have a tenant has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// How much it may have.
    pub allowance: Allowance,
    /// What is in its database.
    pub counts: Counts,
    /// How many of its API keys work.
    pub api_keys: u64,
    /// How many webhook endpoints there are.
    pub webhooks: u64,
}

impl Usage {
    /// How many there are of a kind; none where that is not stored.
    pub const fn of(&self, kind: QuotaKind) -> Option<u64> {
        match kind {
            QuotaKind::Accounts => Some(self.counts.accounts),
            QuotaKind::Users => Some(self.counts.users),
            QuotaKind::Configs => Some(self.counts.configs),
            QuotaKind::ApiKeys => Some(self.api_keys),
            QuotaKind::Webhooks => Some(self.webhooks),
            QuotaKind::Requests => None,
        }
    }
}

/// How much the tenant in this scope has. Costs the same however much that is.
pub fn usage(platform: &Platform, scope: &TenantScope) -> StoreResult<Usage> {
    let now = platform.clock.now();
    let (settings, counts, webhooks) = platform
        .stores
        .open(scope)?
        .read(|tx| StoreResult::Ok((tx.settings().get()?, tx.log().counts()?, tx.webhooks().count()?)))?;
    let keys = api_keys::list(platform, Some(scope.tenant()))?;
    Ok(Usage {
        allowance: allowance(platform, scope, &settings.unwrap_or_default().quotas),
        counts,
        webhooks,
        api_keys: keys.iter().filter(|key| key.is_live(now)).count() as u64,
    })
}
