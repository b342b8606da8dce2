//! How far a provisioning is: for everybody who knows its id.

mod poll;
mod stream;
mod view;

use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::Status;
use tenantry_usecases::tenants::Progress;
use uuid::Uuid;

use crate::call::Call;
use crate::openapi::documented;
use crate::problem::{Code, Problem};

pub(crate) use poll::{__path_status, status};
pub(crate) use stream::{__path_stream, stream};
pub(crate) use view::{StatusView, StepView, statuses};

/// Where to follow the provisioning of this tenant.
pub(super) fn endpoint(tenant: TenantId) -> String {
    format!("/provision/tenants/{}/status", tenant.uuid())
}

/// Which provisioning the path names.
fn named(call: &Call) -> Result<TenantId, Problem> {
    let text = call.segment("provisioningId");
    // A UUID has other spellings, too; this is the one that was given out.
    let id = (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten().ok_or_else(unknown)?;
    let tenant = TenantId::new(id);
    call.note(|trace| trace.tenant = Some(tenant));
    Ok(tenant)
}

fn unknown() -> Problem {
    Problem::new(Code::ProvisioningNotFound, "No provisioning has this id")
}

/// Whether there is anything to wait for.
fn under_way(progress: &Progress) -> bool {
    let status = progress.tenant.lifecycle.status();
    matches!(status, Status::PendingValidation | Status::Queued | Status::Provisioning)
}

documented!(StatusView);
