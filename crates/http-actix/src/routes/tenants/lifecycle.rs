use actix_web::http::StatusCode;
use chrono::TimeDelta;
use tenantry_domain::tenant::{InvalidTransition, Status, Tenant};
use tenantry_usecases::Platform;
use tenantry_usecases::access::Denied;
use tenantry_usecases::tenants::{self, ChangeError, Target};

use super::operate::{answer, operate};
use super::view::TenantView;
use crate::call::{Answer, Call};
use crate::problem::Problem;

/// Deprovision a tenant
///
/// Its calls are refused from now on, and when a grace period (a setting) is over its database is dropped; until then
/// `restore` takes it back. With `immediately` the database is dropped as soon as a worker gets to it, also where the grace
/// period has begun. What happened stays on record, under the tenant's id. To ask again for what is under way changes
/// nothing and is answered the same; a tenant that is gone is not found.
#[utoipa::path(
    delete,
    path = "/tenants/{tenantId}",
    operation_id = "deprovisionTenant",
    tag = "tenants",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("immediately" = Option<bool>, Query, description = "Without a grace period"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the tenant has to have"),
    ),
    responses((status = 202, description = "It is going; `state` says when", body = TenantView, headers(("ETag" = String))))
)]
pub(crate) async fn deprovision(call: Call) -> Answer {
    call.operator().await?;
    let mut query = call.query();
    let grace = query.value::<bool>("immediately").unwrap_or(false).then(TimeDelta::zero);
    query.finish()?;
    let gone = operate(&call, move |platform, target| match tenants::deprovision(platform, target, grace) {
        Ok(_) | Err(ChangeError::Refused(InvalidTransition { from: Status::Deprovisioning, .. })) => Ok(()),
        Err(ChangeError::Refused(InvalidTransition { from: Status::Expired | Status::Deleted, .. })) => {
            Err(Denied::NoSuchTenant.into())
        }
        Err(error) => Err(error.into()),
    });
    answer(StatusCode::ACCEPTED, gone.await?)
}

/// Suspend a tenant
///
/// Its calls are refused everywhere within a second; its data stays.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/suspend",
    operation_id = "suspendTenant",
    tag = "tenants",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the tenant has to have"),
    ),
    responses((status = 200, description = "The tenant, suspended", body = TenantView, headers(("ETag" = String))))
)]
pub(crate) async fn suspend(call: Call) -> Answer {
    transition(&call, tenants::suspend).await
}

/// Resume a suspended tenant
///
/// Its calls are answered again.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/resume",
    operation_id = "resumeTenant",
    tag = "tenants",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the tenant has to have"),
    ),
    responses((status = 200, description = "The tenant, in service", body = TenantView, headers(("ETag" = String))))
)]
pub(crate) async fn resume(call: Call) -> Answer {
    transition(&call, tenants::resume).await
}

/// Try a failed provisioning again
///
/// From the beginning, with the admin that was ordered with the tenant. Its slug may have been taken by another tenant in
/// the meantime.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/retry",
    operation_id = "retryTenant",
    tag = "tenants",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the tenant has to have"),
    ),
    responses((status = 200, description = "The tenant, waiting for a worker", body = TenantView, headers(("ETag" = String))))
)]
pub(crate) async fn retry(call: Call) -> Answer {
    transition(&call, tenants::retry).await
}

/// Take a deprovisioning back
///
/// As long as nobody has begun to drop the database. The tenant is what it was before.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/restore",
    operation_id = "restoreTenant",
    tag = "tenants",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the tenant has to have"),
    ),
    responses((status = 200, description = "The tenant as it was", body = TenantView, headers(("ETag" = String))))
)]
pub(crate) async fn restore(call: Call) -> Answer {
    transition(&call, tenants::restore).await
}

async fn transition(call: &Call, change: fn(&Platform, Target<'_>) -> Result<Tenant, ChangeError>) -> Answer {
    let changed = operate(call, move |platform, target| match change(platform, target) {
        Ok(_) => Ok(()),
        Err(error) => Err(Problem::from(error)),
    });
    answer(StatusCode::OK, changed.await?)
}
