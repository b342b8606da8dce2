use actix_web::http::{StatusCode, header};
use tenantry_domain::basis::{Label, Process};
use tenantry_domain::id::ProcessConfigId;
use tenantry_ports::StoreError;
use tenantry_usecases::access::Need;
use tenantry_usecases::basis::{self, Author};

use super::body::ProcessBody;
use super::view::{self, ProcessPage, ProcessView};
use super::{no_such_process, process_in_path};
use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::precondition::IfMatch;
use crate::problem::{Code, Problem};
use crate::routes::respond::{self, Page};

/// List processes
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/{tenantId}/config/processes",
    operation_id = "listProcesses",
    tag = "configuration",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("processType" = Option<String>, Query, description = "Only those of this type, as it is written", max_length = 120),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of processes", body = ProcessPage, example = json!({
        "items": [{
            "id": "pc_0195c0de00007000800000000000000b",
            "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6",
            "name": "Standard Tender",
            "processType": "TENDER",
            "steps": [{ "stepName": "Draft", "requiredRole": "BUYER" }],
            "createdAt": "2025-01-01T00:00:00.000Z",
            "updatedAt": "2025-01-01T00:00:00.000Z"
        }],
        "nextCursor": null
    })))
)]
pub(crate) async fn list(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Staff).await?;
    let mut query = call.query();
    let process_type = query.value::<Label>("processType");
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let tenant = scope.tenant();
    let wanted = process_type.as_ref().map_or("", Label::as_str);
    let list = List::new(call.platform().digest.as_ref(), format!("processes {tenant} {wanted}"));
    let after = cursor.map(|cursor| position(&list.position(&cursor)?)).transpose()?;
    let found = call.on_storage::<_, StoreError>(move |platform| {
        basis::processes(platform, &scope, process_type.as_ref(), after, limit + 1)
    });
    let page: ProcessPage = Page::of(
        found.await?,
        limit,
        |process| list.cursor(&process.id.to_string()),
        |process| ProcessView::of(process, tenant),
    );
    respond::json(respond::private(StatusCode::OK), &page)
}

fn position(text: &str) -> Result<ProcessConfigId, Problem> {
    text.parse().map_err(|_| Problem::plain(Code::InvalidCursor))
}

/// Read a process
#[utoipa::path(
    get,
    path = "/{tenantId}/config/processes/{processId}",
    operation_id = "getProcess",
    tag = "configuration",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("processId" = String, Path, description = "The process's id", max_length = 64),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have"),
    ),
    responses(
        (status = 200, description = "The process", body = ProcessView, headers(("ETag" = String)), example = json!({
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
        })),
        (status = 304, description = "It is what `If-None-Match` says"),
    )
)]
pub(crate) async fn read(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Staff).await?;
    let (id, tenant) = (process_in_path(&call)?, scope.tenant());
    let found =
        call.on_storage::<_, StoreError>(move |platform| basis::process(platform, &scope, id)).await?;
    let process = found.ok_or_else(no_such_process)?;
    let etag = respond::etag(process.version);
    if respond::is_current(call.headers(), &etag) {
        return Ok(respond::private(StatusCode::NOT_MODIFIED).insert_header((header::ETAG, etag)).finish());
    }
    view::process(process, tenant)
}

/// Replace a process
///
/// All of it: name, type and steps. To the name and type of another process it cannot be changed (409
/// `process_name_taken`). What says the same as before is no change. The change is in its history, and in the tenant's
/// event log (`config.process.updated`). Send the `ETag` of what you have seen as `If-Match` to change that and nothing newer.
#[utoipa::path(
    put,
    path = "/{tenantId}/config/processes/{processId}",
    operation_id = "replaceProcess",
    tag = "configuration",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("processId" = String, Path, description = "The process's id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the process has to have"),
    ),
    request_body(content = ProcessBody, example = json!({
        "name": "Standard Tender",
        "processType": "TENDER",
        "steps": [
            { "stepName": "Draft", "requiredRole": "BUYER" },
            { "stepName": "Award", "requiredRole": "ADMIN" }
        ]
    })),
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
            "steps": [
                { "stepName": "Draft", "requiredRole": "BUYER" },
                { "stepName": "Award", "requiredRole": "ADMIN" }
            ],
            "createdAt": "2025-01-01T00:00:00.000Z",
            "updatedAt": "2025-01-02T00:00:00.000Z"
        })
    ))
)]
pub(crate) async fn replace(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Admin).await?;
    let (id, tenant) = (process_in_path(&call)?, scope.tenant());
    let content = Process::from(call.body::<ProcessBody>().await?.value);
    let author = Author { actor: caller.actor(), trace: call.request_id() };
    let meant = IfMatch::of(call.headers());
    let replaced = call.on_storage(move |platform| {
        basis::replace(platform, &scope, id, content, author, |tag| meant.means(tag))
    });
    view::process(replaced.await?, tenant)
}

/// Remove a process
///
/// Its history stays readable under its id, and it can be restored. The removal is in the tenant's event log
/// (`config.process.deleted`). Send the `ETag` of what you have seen as `If-Match` to remove that and nothing newer.
#[utoipa::path(
    delete,
    path = "/{tenantId}/config/processes/{processId}",
    operation_id = "deleteProcess",
    tag = "configuration",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("processId" = String, Path, description = "The process's id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the process has to have"),
    ),
    responses((status = 204, description = "It is removed"))
)]
pub(crate) async fn remove(call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Admin).await?;
    let id = process_in_path(&call)?;
    let author = Author { actor: caller.actor(), trace: call.request_id() };
    let meant = IfMatch::of(call.headers());
    let removed =
        call.on_storage(move |platform| basis::remove(platform, &scope, id, author, |tag| meant.means(tag)));
    removed.await?;
    Ok(respond::private(StatusCode::NO_CONTENT).finish())
}
