use chrono::{DateTime, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Allowance, Limit, QuotaExceeded, QuotaKind};
use tenantry_ports::{ApiKey, ControlTx, StoreError, StoreResult, TenantScope};

use super::stored_allowance;
use crate::Platform;

/// How many keys an owner may have.
pub(crate) struct Keyring(Option<(TenantId, Allowance)>);

/// How many keys this owner may have: a tenant as many as agreed on, the operator as many as they make. One that has no
/// database yet has its plan's.
pub(crate) fn keyring(platform: &Platform, owner: Option<TenantId>) -> StoreResult<Keyring> {
    let Some(owner) = owner else { return Ok(Keyring(None)) };
    let Some(tenant) = platform.control.read(|tx| tx.tenants().get(owner))? else {
        return Ok(Keyring(None));
    };
    let allowance = match TenantScope::maintenance(&tenant) {
        Ok(scope) => stored_allowance(platform, &scope)?,
        Err(_) => platform.policy.plans.of(tenant.plan).allowance,
    };
    Ok(Keyring(Some((owner, allowance))))
}

impl Keyring {
    /// Refuses one more key if there are as many as may be; else, until the transaction ends, nobody else adds one who asks
    /// here first.
    pub(crate) fn admit<E>(&self, tx: &mut dyn ControlTx, now: DateTime<Utc>) -> Result<(), E>
    where
        E: From<StoreError> + From<QuotaExceeded>,
    {
        let Some((tenant, allowance)) = &self.0 else { return Ok(()) };
        let live = tx.api_keys().count_live(*tenant, now)?;
        Ok(allowance.admit(QuotaKind::ApiKeys, live)?)
    }

    /// The same for the successor of a key that goes on working for a while. It takes the place that the other one leaves, so
    /// of keys that replace each other there may be twice as many; but a key leaves its place once, and any further
    /// successor is one more key.
    pub(crate) fn admit_successor<E>(
        &self,
        tx: &mut dyn ControlTx,
        old: &ApiKey,
        now: DateTime<Utc>,
    ) -> Result<(), E>
    where
        E: From<StoreError> + From<QuotaExceeded>,
    {
        let Some((tenant, allowance)) = &self.0 else { return Ok(()) };
        if old.version > 1 {
            return self.admit(tx, now);
        }
        let Limit::AtMost(limit) = allowance.of(QuotaKind::ApiKeys) else { return Ok(()) };
        let used = tx.api_keys().count_live(*tenant, now)?;
        if used >= limit.saturating_mul(2) {
            return Err(QuotaExceeded { kind: QuotaKind::ApiKeys, limit, used }.into());
        }
        Ok(())
    }
}
