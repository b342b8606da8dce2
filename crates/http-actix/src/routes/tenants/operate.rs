use actix_web::http::StatusCode;
use actix_web::http::header;
use tenantry_usecases::Platform;
use tenantry_usecases::access::Denied;
use tenantry_usecases::tenants::{self, Progress, Target, TenantRef};

use super::view::TenantView;
use crate::call::{Answer, Call};
use crate::precondition::IfMatch;
use crate::problem::Problem;
use crate::routes::respond;

/// Does something to the tenant in the path, if it is the operator who asks for it and the tenant has the version that
/// they mean. Gives the tenant as it is then.
pub(super) async fn operate(
    call: &Call,
    act: impl FnOnce(&Platform, Target<'_>) -> Result<(), Problem> + Send + 'static,
) -> Result<Progress, Problem> {
    let by = call.operator().await?.actor();
    let reference: TenantRef = call.segment("tenantId").parse().map_err(|_| Denied::NoSuchTenant)?;
    let meant = IfMatch::of(call.headers());
    let done = call.on_storage::<_, Problem>(move |platform| {
        let tenant = tenants::find(platform, &reference)?.ok_or(Denied::NoSuchTenant)?;
        let target = Target { tenant: tenant.id, version: meant.check(tenant.version)?, by: &by };
        act(platform, target).map_err(|problem| meant.blame(problem))?;
        Ok(tenants::progress(platform, tenant.id)?.ok_or(Denied::NoSuchTenant)?)
    });
    let done = done.await?;
    let tenant = done.tenant.id;
    call.note(|trace| trace.tenant = Some(tenant));
    // Here it counts at once, and not only when what is remembered is forgotten.
    call.state.gate.forget_tenant(tenant);
    Ok(done)
}

/// The tenant, with its version for `If-Match`.
pub(super) fn answer(status: StatusCode, progress: Progress) -> Answer {
    let mut response = respond::private(status);
    response.insert_header((header::ETAG, respond::etag(progress.tenant.version)));
    respond::json(response, &TenantView::of(progress))
}
