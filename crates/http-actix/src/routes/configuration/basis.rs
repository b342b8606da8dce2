use actix_web::http::{StatusCode, header};
use tenantry_domain::basis::Process;
use tenantry_ports::StoreError;
use tenantry_usecases::access::Need;
use tenantry_usecases::basis::{self, Author, BasisWish, Upsert};

use super::body::UpsertBody;
use super::view::{self, BasisView, ProcessView, TenantConfigView, UpsertedView};
use crate::call::{Answer, Call};
use crate::precondition::IfMatch;
use crate::problem::{Code, Problem};
use crate::routes::respond;

/// Configure the basis, and a process
///
/// Creates or changes the tenant's basis configuration, and the process of this `processType` and `name`: both or neither.
/// Send one of them alone to leave the other as it is. What says the same as before is no change: it keeps its `updatedAt`,
/// and leaves no trace, so that sending it again does no harm; `Idempotency-Key` is not needed. Every change is in the
/// history, and in the tenant's event log (`config.basis.updated`, `config.process.created`, `config.process.updated`)
/// with who made it. Send the `ETag` of the basis you have seen as `If-Match` to change that and nothing newer.
#[utoipa::path(
    post,
    path = "/{tenantId}/config/basis",
    operation_id = "configureBasis",
    tag = "configuration",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the basis has to have"),
    ),
    request_body(content = UpsertBody, example = json!({
        "tenantConfig": {
            "orgStructure": { "levels": 2, "notes": "CompanyCode > PurchasingGroup" },
            "businessVariants": [{ "name": "Default", "code": "DEF" }]
        },
        "processConfig": {
            "name": "Standard Tender",
            "processType": "TENDER",
            "steps": [
                { "stepName": "Draft", "requiredRole": "BUYER" },
                { "stepName": "Publish", "requiredRole": "ADMIN" }
            ]
        }
    })),
    responses((
        status = 200,
        description = "What was sent, as it is configured now",
        body = UpsertedView,
        headers(("ETag" = String, description = "Of the basis, if it was sent")),
        example = json!({
            "tenantConfig": {
                "id": "tc_0195c0de00007000800000000000000a",
                "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6",
                "orgStructure": { "levels": 2, "notes": "CompanyCode > PurchasingGroup" },
                "businessVariants": [{ "name": "Default", "code": "DEF" }],
                "createdAt": "2025-01-01T00:00:00.000Z",
                "updatedAt": "2025-01-01T00:00:00.000Z"
            },
            "processConfig": {
                "id": "pc_0195c0de00007000800000000000000b",
                "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6",
                "name": "Standard Tender",
                "processType": "TENDER",
                "steps": [
                    { "stepName": "Draft", "requiredRole": "BUYER" },
                    { "stepName": "Publish", "requiredRole": "ADMIN" }
                ],
                "createdAt": "2025-01-01T00:00:00.000Z",
                "updatedAt": "2025-01-01T00:00:00.000Z"
            }
        })
    ))
)]
pub(crate) async fn upsert(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Admin).await?;
    let body = call.body::<UpsertBody>().await?.value;
    let wish = Upsert {
        basis: body.tenant_config.map(BasisWish::from),
        process: body.process_config.map(Process::from),
        author: Author { actor: caller.actor(), trace: call.request_id() },
    };
    let (meant, tenant) = (IfMatch::of(call.headers()), scope.tenant());
    let upserted =
        call.on_storage(move |platform| basis::upsert(platform, &scope, wish, |tag| meant.means(tag)));
    let basis::Upserted { basis, process } = upserted.await?;
    let mut response = respond::private(StatusCode::OK);
    if let Some(basis) = &basis {
        response.insert_header((header::ETAG, respond::etag(basis.version)));
    }
    let view = UpsertedView {
        tenant_config: basis.map(|basis| TenantConfigView::of(basis, tenant)),
        process_config: process.map(|process| ProcessView::of(process, tenant)),
    };
    respond::json(response, &view)
}

/// Read the basis
///
/// The tenant's basis configuration; 404 `basis_not_found` before it was configured.
#[utoipa::path(
    get,
    path = "/{tenantId}/config/basis",
    operation_id = "getBasis",
    tag = "configuration",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have"),
    ),
    responses(
        (status = 200, description = "The basis", body = BasisView, headers(("ETag" = String)), example = json!({
            "tenantConfig": {
                "id": "tc_0195c0de00007000800000000000000a",
                "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6",
                "orgStructure": { "levels": 2, "notes": "CompanyCode > PurchasingGroup" },
                "businessVariants": [{ "name": "Default", "code": "DEF" }],
                "createdAt": "2025-01-01T00:00:00.000Z",
                "updatedAt": "2025-01-01T00:00:00.000Z"
            }
        })),
        (status = 304, description = "It is what `If-None-Match` says"),
    )
)]
pub(crate) async fn read(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Staff).await?;
    let tenant = scope.tenant();
    let found = call.on_storage::<_, StoreError>(move |platform| basis::basis(platform, &scope)).await?;
    let missing = || Problem::new(Code::BasisNotFound, "The tenant has no basis configuration yet");
    let basis = found.ok_or_else(missing)?;
    let etag = respond::etag(basis.version);
    if respond::is_current(call.headers(), &etag) {
        return Ok(respond::private(StatusCode::NOT_MODIFIED).insert_header((header::ETAG, etag)).finish());
    }
    view::basis(basis, tenant)
}
