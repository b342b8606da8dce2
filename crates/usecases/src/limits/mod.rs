//! How much a tenant may have, and how much it has.
//!
//! What is counted is counted where it is added, in the same transaction, with the others who add in line: in the tenant's
//! database under the lock of its log, whose head keeps the counts; of API keys, in the control database. So of a hundred
//! who want the last one, one gets it, on whichever replica.

mod fleet;
mod keys;
mod marks;
mod usage;

use tenantry_domain::tenant::{Allowance, Quotas};
use tenantry_ports::{StoreResult, TenantScope};

use crate::Platform;

pub use fleet::{SILENCE, announce, others, withdraw};
pub(crate) use keys::{Keyring, keyring};
pub(crate) use marks::{Level, passed, passed_by_one};
pub use usage::{Usage, usage};

/// How much the tenant in this scope may have: what its plan gives, but for what these quotas say.
pub fn allowance(platform: &Platform, scope: &TenantScope, quotas: &Quotas) -> Allowance {
    platform.policy.plans.of(scope.plan()).allowance.with(quotas)
}

/// The same, with the quotas that the tenant's database holds.
pub fn stored_allowance(platform: &Platform, scope: &TenantScope) -> StoreResult<Allowance> {
    let settings = platform.stores.open(scope)?.read(|tx| tx.settings().get())?;
    Ok(allowance(platform, scope, &settings.unwrap_or_default().quotas))
}
