use actix_web::http::StatusCode;
use actix_web::http::header;
use chrono::{DateTime, Utc};
use tenantry_domain::id::ApiKeyId;
use tenantry_ports::{ApiKey, StoreError};
use tenantry_usecases::access::Need;
use tenantry_usecases::api_keys;

use super::view::ApiKeyView;
use super::{id, unknown};
use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::openapi::documented;
use crate::problem::{Code, Problem};
use crate::routes::respond::{self, Page};

/// List a tenant's API keys
///
/// Newest first, expired and revoked ones included; the keys themselves are not shown.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/api-keys",
    operation_id = "listApiKeys",
    tag = "api-keys",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of keys", body = ApiKeyPage, example = json!({
        "items": [{
            "id": "key_0195c0de00007000800000000000000a",
            "name": "Website back end",
            "prefix": "tnt_live_4fQ9",
            "last4": "x7Qa",
            "scopes": ["accounts:read", "accounts:write"],
            "createdBy": "operator",
            "createdAt": "2025-01-10T10:00:00.000Z",
            "expiresAt": null,
            "revokedAt": null,
            "lastUsedAt": null
        }],
        "nextCursor": null
    })))
)]
pub(crate) async fn list(call: Call) -> Answer {
    let (_, tenant) = call.tenant(Need::Admin).await?;
    let mut query = call.query();
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new(call.platform().digest.as_ref(), format!("api-keys {}", tenant.id));
    let after = cursor.map(|cursor| after(&list.position(&cursor)?)).transpose()?;
    let owner = Some(tenant.id);
    let read = move |platform: &_| api_keys::page(platform, owner, after, limit + 1);
    let keys = call.on_storage::<_, StoreError>(read).await?;
    let page = Page::of(keys, limit, |key| list.cursor(&position(key)), ApiKeyView::of);
    respond::json(respond::private(StatusCode::OK), &page)
}

fn position(key: &ApiKey) -> String {
    format!("{} {}", key.created_at.timestamp_micros(), key.id)
}

fn after(position: &str) -> Result<(DateTime<Utc>, ApiKeyId), Problem> {
    let parts = position.split_once(' ').and_then(|(micros, id)| {
        let created_at = DateTime::from_timestamp_micros(micros.parse().ok()?)?;
        Some((created_at, id.parse().ok()?))
    });
    parts.ok_or_else(|| Problem::plain(Code::InvalidCursor))
}

/// Read an API key's record
///
/// The key itself is not shown.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/api-keys/{keyId}",
    operation_id = "getApiKey",
    tag = "api-keys",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("keyId" = String, Path, description = "The key's id", max_length = 64),
    ),
    responses((status = 200, description = "The record", body = ApiKeyView, headers(("ETag" = String, description = "The key's version"))))
)]
pub(crate) async fn read(call: Call) -> Answer {
    let (_, tenant) = call.tenant(Need::Admin).await?;
    let (owner, key) = (Some(tenant.id), id(&call)?);
    let find = move |platform: &_| api_keys::find(platform, owner, key);
    let record = call.on_storage::<_, StoreError>(find).await?.ok_or_else(unknown)?;
    let mut response = respond::private(StatusCode::OK);
    response.insert_header((header::ETAG, respond::etag(record.version)));
    respond::json(response, &ApiKeyView::of(record))
}

pub(crate) type ApiKeyPage = Page<ApiKeyView>;

documented!(ApiKeyPage, ApiKeyView);
