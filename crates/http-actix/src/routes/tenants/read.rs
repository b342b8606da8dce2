use actix_web::http::StatusCode;
use actix_web::http::header;
use tenantry_domain::tenant::Status;
use tenantry_usecases::access::{Denied, Need};
use tenantry_usecases::tenants::{self, Progress};

use super::operate::answer;
use super::view::TenantView;
use crate::call::{Answer, Call};
use crate::routes::respond;

/// Read a tenant
///
/// With the facts of its status and everything that was done to provision it. The operator reads it in every state, by its
/// id even after it was deleted.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}",
    operation_id = "getTenant",
    tag = "tenants",
    params(("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64)),
    responses(
        (status = 200, description = "The tenant", body = TenantView, headers(("ETag" = String)), example = json!({
            "id": "ten_3fa85f6457174562b3fc2c963f66afa6",
            "provisioningId": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
            "slug": "acme",
            "name": "Acme Corp",
            "plan": "Basic",
            "status": "Deprovisioning",
            "contactEmail": "admin@acme.com",
            "cluster": "main",
            "createdAt": "2025-01-10T10:00:00.000Z",
            "updatedAt": "2025-03-01T09:30:00.000Z",
            "version": 4,
            "config": { "region": "us" },
            "dbName": "ecom_tenant_acme",
            "state": {
                "since": "2025-03-01T09:30:00.000Z",
                "dropAt": "2025-03-08T09:30:00.000Z",
                "begun": false,
                "former": "Active"
            },
            "runs": [{
                "number": 1,
                "kind": "Provision",
                "direction": "Forward",
                "steps": [{
                    "step": "Init",
                    "status": "Success",
                    "startedAt": "2025-01-10T10:00:00.000Z",
                    "completedAt": "2025-01-10T10:00:00.000Z",
                    "log": "Tenant created together with its admin",
                    "errorMessage": null,
                    "errorCode": null,
                    "attempt": 1
                }]
            }, {
                "number": 2,
                "kind": "Deprovision",
                "direction": "Forward",
                "steps": []
            }]
        })),
        (status = 304, description = "It is what `If-None-Match` says"),
    )
)]
pub(crate) async fn read(call: Call) -> Answer {
    let (_, tenant) = call.tenant(Need::Admin).await?;
    let id = tenant.id;
    // What is remembered of a tenant may be a moment old, which is good enough to let somebody in, and no more.
    let progress = call.on_storage(move |platform| tenants::progress(platform, id)).await?;
    let progress = progress.ok_or(Denied::NoSuchTenant)?;
    let etag = respond::etag(progress.tenant.version);
    if is_settled(&progress) && respond::is_current(call.headers(), &etag) {
        return Ok(respond::private(StatusCode::NOT_MODIFIED).insert_header((header::ETAG, etag)).finish());
    }
    answer(StatusCode::OK, progress)
}

/// Whether the tenant's version stands for all there is to see: while a run is under way its journal grows, which is no
/// change of the tenant.
fn is_settled(progress: &Progress) -> bool {
    let status = progress.tenant.lifecycle.status();
    !matches!(status, Status::Queued | Status::Provisioning | Status::Deprovisioning)
}
