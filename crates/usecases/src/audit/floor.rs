use tenantry_domain::id::TenantId;
use tenantry_ports::{LogFloor, LogHead, MacPurpose, Macs, StoreResult, TenantScope};

use super::statement::{code, is_code};
use crate::Platform;

/// The floor of the tenant's log after it has let go of everything up to this entry.
pub(crate) fn floor_after(platform: &Platform, tenant: TenantId, head: LogHead) -> LogFloor {
    let at = platform.clock.now();
    let mac = code(platform.macs.as_ref(), MacPurpose::LogFloor, Some(tenant), &head, at);
    LogFloor { head, at, mac }
}

/// Whether this installation said that the tenant's log begins there.
pub(crate) fn is_our_floor(macs: &dyn Macs, tenant: impl Into<Option<TenantId>>, floor: &LogFloor) -> bool {
    is_code(macs, MacPurpose::LogFloor, tenant.into(), &floor.head, floor.at, &floor.mac)
}

/// Signs the floor of the tenant's log anew, under the master key in force, if there is one and it is ours.
pub(crate) fn resign_floor(platform: &Platform, scope: &TenantScope) -> StoreResult<()> {
    let tenant = scope.tenant();
    // Mostly there is none.
    if platform.stores.open(scope)?.read(|tx| tx.floor().get())?.is_none() {
        return Ok(());
    }
    platform.databases.as_owner(scope)?.write(|tx| {
        tx.log().lock()?;
        match tx.floor().get()? {
            Some(floor) if is_our_floor(platform.macs.as_ref(), tenant, &floor) => {
                tx.floor().raise(&floor_after(platform, tenant, floor.head)).map(drop)
            }
            _ => Ok(()),
        }
    })
}
