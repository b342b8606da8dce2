use tenantry_usecases::access::Need;
use tenantry_usecases::basis::{self, Author};

use super::body::RestoreBody;
use super::process_in_path;
use super::view::{self, BasisView, ProcessView};
use crate::call::{Answer, Call};
use crate::precondition::IfMatch;

/// Restore the basis
///
/// Has it say again what it said in this version, as a change of its own with a version of its own. It is in the history,
/// and in the tenant's event log (`config.basis.updated`, with `restoredFrom`).
#[utoipa::path(
    post,
    path = "/{tenantId}/config/basis/restore",
    operation_id = "restoreBasis",
    tag = "configuration",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the basis has to have"),
    ),
    request_body(content = RestoreBody, example = json!({ "version": 1 })),
    responses((
        status = 200,
        description = "The basis as it is now",
        body = BasisView,
        headers(("ETag" = String)),
        example = json!({
            "tenantConfig": {
                "id": "tc_0195c0de00007000800000000000000a",
                "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6",
                "orgStructure": { "levels": 2, "notes": "CompanyCode > PurchasingGroup" },
                "businessVariants": [{ "name": "Default", "code": "DEF" }],
                "createdAt": "2025-01-01T00:00:00.000Z",
                "updatedAt": "2025-01-03T00:00:00.000Z"
            }
        })
    ))
)]
pub(crate) async fn basis(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Admin).await?;
    let RestoreBody { version } = call.body().await?.value;
    let (meant, tenant) = (IfMatch::of(call.headers()), scope.tenant());
    let author = Author { actor: caller.actor(), trace: call.request_id() };
    let restored = call.on_storage(move |platform| {
        basis::restore_basis(platform, &scope, version, author, |tag| meant.means(tag))
    });
    view::basis(restored.await?, tenant)
}

/// Restore a process
///
/// Has it be again what it was in this version, as a change of its own. One that was removed is there again, under its id.
/// It is in the history, and in the tenant's event log (`config.process.updated` or `config.process.created`, with
/// `restoredFrom`).
#[utoipa::path(
    post,
    path = "/{tenantId}/config/processes/{processId}/restore",
    operation_id = "restoreProcess",
    tag = "configuration",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("processId" = String, Path, description = "The process's id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the process has to have"),
    ),
    request_body(content = RestoreBody, example = json!({ "version": 1 })),
    responses((
        status = 200,
        description = "The process as it is now",
        body = ProcessView,
        headers(("ETag" = String)),
        example = json!({
            "id": "pc_0195c0de00007000800000000000000b",
            "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6",
            "name": "Standard Tender",
            "processType": "TENDER",
            "steps": [{ "stepName": "Draft", "requiredRole": "BUYER" }],
            "createdAt": "2025-01-01T00:00:00.000Z",
            "updatedAt": "2025-01-03T00:00:00.000Z"
        })
    ))
)]
pub(crate) async fn process(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Admin).await?;
    let (id, tenant) = (process_in_path(&call)?, scope.tenant());
    let RestoreBody { version } = call.body().await?.value;
    let meant = IfMatch::of(call.headers());
    let author = Author { actor: caller.actor(), trace: call.request_id() };
    let restored = call.on_storage(move |platform| {
        basis::restore_process(platform, &scope, id, version, author, |tag| meant.means(tag))
    });
    view::process(restored.await?, tenant)
}
