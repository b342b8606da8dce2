use chrono::{DateTime, Utc};
use tenantry_domain::id::TenantId;
use tenantry_ports::{LogHead, MacPurpose, SignedHead, StoreResult, TenantScope};

use super::Statement;
use super::statement::code;
use crate::tenants::{TenantRef, find};
use crate::{Log, Platform};

/// How many signed heads of each log are kept in the control database.
pub const KEPT: usize = 100;

/// How many are written in one transaction.
const SLICE: usize = 64;

/// A statement of how far the log has come, for somebody to keep.
pub fn sign(platform: &Platform, log: &Log) -> StoreResult<Statement> {
    let head = log.open(platform)?.read(|log| log.head())?;
    Ok(Statement(signed(platform, log.owner(), head, platform.clock.now())))
}

/// Signs how far the logs of these tenants, or the platform's for none, have come and keeps that; those that have not moved since cost no write. Tenants that
/// have no database are passed over. Answers with what is new, to be written out to where it is out of reach, too.
pub fn sign_moved(platform: &Platform, owners: &[Option<TenantId>]) -> StoreResult<Vec<Statement>> {
    let mut kept = Vec::new();
    for slice in owners.chunks(SLICE) {
        let mut heads = Vec::new();
        for owner in slice {
            let Some(log) = log_of(platform, *owner)? else { continue };
            match sign(platform, &log) {
                // Of an empty log there is nothing to say.
                Ok(Statement(signed)) => heads.extend((signed.head != LogHead::EMPTY).then_some(signed)),
                // One database that is out of order keeps nobody else's head from being signed.
                Err(error) => {
                    let tenant = owner.map(tracing::field::display);
                    tracing::warn!(tenant, "the head of an event log cannot be read: {error}");
                }
            }
        }
        if !heads.is_empty() {
            kept.extend(platform.control.write(|tx| tx.heads().add(&heads, KEPT))?);
        }
    }
    Ok(kept.into_iter().map(Statement).collect())
}

fn log_of(platform: &Platform, owner: Option<TenantId>) -> StoreResult<Option<Log>> {
    let Some(tenant) = owner else { return Ok(Some(Log::Platform)) };
    let found = find(platform, &TenantRef::Id(tenant))?;
    Ok(found.and_then(|tenant| TenantScope::maintenance(&tenant).ok()).map(Log::Tenant))
}

fn signed(platform: &Platform, tenant: Option<TenantId>, head: LogHead, at: DateTime<Utc>) -> SignedHead {
    let mac = code(platform.macs.as_ref(), MacPurpose::LogHead, tenant, &head, at);
    SignedHead { tenant, head, at, mac }
}
