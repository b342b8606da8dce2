//! Working on a tenant's run in this process, until it stands still.

use std::thread;
use std::time::{Duration, Instant};

use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Lifecycle, Tenant};
use tenantry_usecases::Platform;
use tenantry_usecases::provisioning::{Worked, work_once};
use tenantry_usecases::tenants::{TenantRef, find};

use crate::compose::store_failure;
use crate::failure::Failure;

/// How long somebody waits here; workers go on after that.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often it is looked whether others have done the work.
const GLANCE: Duration = Duration::from_millis(100);

/// Works, beside whatever workers there are, until the tenant's run has ended; answers with the tenant as it is then.
pub(super) fn settle(platform: &Platform, id: TenantId) -> Result<Tenant, Failure> {
    let (begun, worker) = (Instant::now(), format!("cli-{}", std::process::id()));
    loop {
        let found = find(platform, &TenantRef::Id(id)).map_err(|error| store_failure(&error))?;
        let tenant =
            found.ok_or_else(|| Failure::new("the tenant is gone", "look at the control database"))?;
        if !is_under_way(&tenant) {
            return Ok(tenant);
        }
        if begun.elapsed() > PATIENCE {
            let what = format!("{} is still {}", tenant.slug, tenant.lifecycle.status());
            let next = format!("`tenantry tenants show {id}` says what it waits for; workers go on with it");
            return Err(Failure::new(what, next));
        }
        // Runs of others that are due come first, and are worked on as well.
        match work_once(platform, &worker).map_err(|error| store_failure(&error))? {
            Worked::Finished(_) => {}
            Worked::Idle | Worked::Postponed(..) | Worked::Lost(_) => thread::sleep(GLANCE),
        }
    }
}

fn is_under_way(tenant: &Tenant) -> bool {
    matches!(
        tenant.lifecycle,
        Lifecycle::Queued { .. } | Lifecycle::Provisioning { .. } | Lifecycle::Deprovisioning { .. }
    )
}
