use actix_web::http::StatusCode;
use tenantry_domain::id::TenantId;
use tenantry_ports::StoreError;
use tenantry_usecases::access::Need;
use tenantry_usecases::basis::{self, Entry};

use super::view::ChangePage;
use super::{no_such_process, process_in_path};
use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::problem::{Code, Problem};
use crate::routes::respond::{self, Page};

/// Read the history of the basis
///
/// Every change, newest first: who made it and when, and what was said before and since. Empty before the basis was
/// configured.
#[utoipa::path(
    get,
    path = "/{tenantId}/config/basis/history",
    operation_id = "listBasisHistory",
    tag = "configuration",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of changes", body = ChangePage, example = json!({
        "items": [{
            "version": 2,
            "changedAt": "2025-01-02T00:00:00.000Z",
            "changedBy": "usr_0195c0de00007000800000000000000a",
            "before": { "orgStructure": { "levels": 2 }, "businessVariants": [] },
            "after": { "orgStructure": { "levels": 3 }, "businessVariants": [] }
        }],
        "nextCursor": null
    })))
)]
pub(crate) async fn basis(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Staff).await?;
    let pages = Pages::asked(&call, scope.tenant(), "basis")?;
    let (before, limit) = (pages.before, pages.limit);
    let found = call
        .on_storage::<_, StoreError>(move |platform| basis::of_basis(platform, &scope, before, limit + 1));
    pages.answer(found.await?)
}

/// Read the history of a process
///
/// Every change, newest first: who made it and when, and what was said before and since; also of a process that was removed.
#[utoipa::path(
    get,
    path = "/{tenantId}/config/processes/{processId}/history",
    operation_id = "listProcessHistory",
    tag = "configuration",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("processId" = String, Path, description = "The process's id", max_length = 64),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of changes", body = ChangePage, example = json!({
        "items": [{
            "version": 2,
            "changedAt": "2025-01-02T00:00:00.000Z",
            "changedBy": "usr_0195c0de00007000800000000000000a",
            "before": {
                "name": "Standard Tender",
                "processType": "TENDER",
                "steps": [{ "stepName": "Draft", "requiredRole": "BUYER" }]
            },
            "after": null
        }],
        "nextCursor": null
    })))
)]
pub(crate) async fn process(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Staff).await?;
    let id = process_in_path(&call)?;
    let pages = Pages::asked(&call, scope.tenant(), &id.to_string())?;
    let (before, limit) = (pages.before, pages.limit);
    let found = call.on_storage::<_, StoreError>(move |platform| {
        basis::of_process(platform, &scope, id, before, limit + 1)
    });
    pages.answer(found.await?.ok_or_else(no_such_process)?)
}

/// The page of a history that is asked for.
struct Pages<'a> {
    list: List<'a>,
    before: Option<i64>,
    limit: usize,
}

impl<'a> Pages<'a> {
    fn asked(call: &'a Call, tenant: TenantId, subject: &str) -> Result<Self, Problem> {
        let mut query = call.query();
        let (limit, cursor) = (query.limit(), query.text("cursor"));
        query.finish()?;
        let list = List::new(call.platform().digest.as_ref(), format!("history {tenant} {subject}"));
        let version = |text: String| text.parse().map_err(|_| Problem::plain(Code::InvalidCursor));
        let before = cursor.map(|cursor| version(list.position(&cursor)?)).transpose()?;
        Ok(Self { list, before, limit })
    }

    fn answer(&self, found: Vec<Entry>) -> Answer {
        let page: ChangePage = Page::of(
            found,
            self.limit,
            |entry| self.list.cursor(&entry.record.version.to_string()),
            Into::into,
        );
        respond::json(respond::private(StatusCode::OK), &page)
    }
}
