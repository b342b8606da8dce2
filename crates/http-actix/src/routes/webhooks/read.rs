use actix_web::http::StatusCode;
use tenantry_domain::id::WebhookId;
use tenantry_ports::{Scope, StoreError};
use tenantry_usecases::access::Need;
use tenantry_usecases::webhooks::{self, WebhookError};

use super::view::{self, WebhookView};
use super::webhook_in_path;
use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::openapi::documented;
use crate::problem::{Code, Problem};
use crate::routes::respond::{self, Page};

pub(crate) type WebhookPage = Page<WebhookView>;

/// List webhook endpoints
///
/// Oldest first. Their secrets are not shown.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/webhooks",
    operation_id = "listWebhooks",
    tag = "webhooks",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of endpoints", body = WebhookPage, example = json!({
        "items": [{
            "id": "hook_0195c0de00007000800000000000000a",
            "url": "https://hooks.example.com/tenantry",
            "description": null,
            "eventTypes": [],
            "enabled": false,
            "disabledReason": "failing",
            "disabledAt": "2025-01-15T10:00:00.000Z",
            "failingSince": "2025-01-10T10:00:00.000Z",
            "previousSecretUntil": null,
            "createdAt": "2025-01-01T10:00:00.000Z",
            "updatedAt": "2025-01-15T10:00:00.000Z"
        }],
        "nextCursor": null
    })))
)]
pub(crate) async fn list(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::WebhooksRead)).await?;
    let mut query = call.query();
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new(call.platform().digest.as_ref(), format!("webhooks {}", scope.tenant()));
    let after = cursor.map(|cursor| position(&list.position(&cursor)?)).transpose()?;
    let read = move |platform: &_| webhooks::page(platform, &scope, after, limit + 1);
    let found = call.on_storage::<_, StoreError>(read).await?;
    let page = Page::of(
        found,
        limit,
        |endpoint| list.cursor(&endpoint.id.to_string()),
        |endpoint| WebhookView::of(&endpoint),
    );
    respond::json(respond::private(StatusCode::OK), &page)
}

fn position(text: &str) -> Result<WebhookId, Problem> {
    text.parse().map_err(|_| Problem::plain(Code::InvalidCursor))
}

/// Read a webhook endpoint
///
/// Its secret is not shown.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/webhooks/{webhookId}",
    operation_id = "getWebhook",
    tag = "webhooks",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("webhookId" = String, Path, description = "The endpoint's id", max_length = 64),
    ),
    responses((status = 200, description = "The endpoint", body = WebhookView, headers(("ETag" = String, description = "Its version"))))
)]
pub(crate) async fn read(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::WebhooksRead)).await?;
    let id = webhook_in_path(&call)?;
    let find = move |platform: &_| webhooks::find(platform, &scope, id);
    view::found(&call.on_storage::<_, WebhookError>(find).await?)
}

documented!(WebhookPage);
