//! A tenant's API keys.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::str::FromStr;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tenantry_domain::id::{ApiKeyId, TenantId};
use tenantry_domain::timestamp;
use tenantry_ports::{ApiKey, Scope, StoreError};
use tenantry_usecases::access::Need;
use tenantry_usecases::api_keys::{self, NewKey};

use super::respond::{self, Page};
use crate::body::Body;
use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::openapi::documented;
use crate::problem::{Code, Problem};

/// A key to make.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "CreateApiKey")]
pub(crate) struct NewKeyBody {
    /// What it is for, 1 to 100 characters.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// What it may do; at least one.
    #[schemars(length(min = 1, max = 10))]
    scopes: BTreeSet<ScopeName>,
    /// When it stops working; never if absent.
    #[serde(default, with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    expires_at: Option<DateTime<Utc>>,
}

impl Body for NewKeyBody {}

/// A scope as it is written, `accounts:read`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ScopeName(Scope);

impl Serialize for ScopeName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for ScopeName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Scope::from_str(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for ScopeName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Scope".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Scope::ALL.map(Scope::as_str) })
    }
}

/// An API key's record.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ApiKey")]
pub(crate) struct ApiKeyView {
    id: ApiKeyId,
    name: String,
    /// The key's public part.
    prefix: String,
    /// The key's last four characters.
    last4: String,
    scopes: Vec<ScopeName>,
    /// Who made it.
    created_by: String,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    created_at: DateTime<Utc>,
    #[serde(with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    expires_at: Option<DateTime<Utc>>,
    #[serde(with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    revoked_at: Option<DateTime<Utc>>,
}

impl ApiKeyView {
    fn of(key: ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            prefix: key.lookup,
            last4: key.last4,
            scopes: key.scopes.into_iter().map(ScopeName).collect(),
            created_by: key.created_by,
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }
}

/// A new API key: the only time its text is shown.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "NewApiKey")]
pub(crate) struct NewKeyView<'a> {
    /// The key itself. It is stored nowhere: keep it.
    key: &'a str,
    #[serde(flatten)]
    record: ApiKeyView,
}

/// Make an API key
///
/// The key is in this answer and nowhere else, ever.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/api-keys",
    operation_id = "createApiKey",
    tag = "api-keys",
    params(("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64)),
    request_body(
        content = NewKeyBody,
        example = json!({ "name": "Website back end", "scopes": ["accounts:read", "accounts:write"] })
    ),
    responses((status = 201, description = "The key, this once", body = NewKeyView, example = json!({
        "key": "tk_live_4fQ9...",
        "id": "key_0195c0de00007000800000000000000a",
        "name": "Website back end",
        "prefix": "tk_live_4fQ9",
        "last4": "x7Qa",
        "scopes": ["accounts:read", "accounts:write"],
        "createdBy": "operator",
        "createdAt": "2025-01-10T10:00:00.000Z",
        "expiresAt": null,
        "revokedAt": null
    })))
)]
pub(crate) async fn create(mut call: Call) -> Answer {
    let (caller, tenant) = call.tenant(Need::Admin).await?;
    let body = call.body::<NewKeyBody>().await?.value;
    let wish = NewKey {
        owner: Some(tenant.id),
        name: body.name,
        scopes: body.scopes.into_iter().map(|scope| scope.0).collect(),
        expires_at: body.expires_at,
        created_by: caller.actor(),
    };
    let (record, key) = call.on_storage(move |platform| api_keys::create(platform, wish)).await?;
    let mut response = respond::private(StatusCode::CREATED);
    response.insert_header((header::LOCATION, format!("{}/{}", call.path(), record.id)));
    respond::json(response, &NewKeyView { key: key.expose(), record: ApiKeyView::of(record) })
}

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
            "prefix": "tk_live_4fQ9",
            "last4": "x7Qa",
            "scopes": ["accounts:read", "accounts:write"],
            "createdBy": "operator",
            "createdAt": "2025-01-10T10:00:00.000Z",
            "expiresAt": null,
            "revokedAt": null
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
    let after = cursor.map(|cursor| list.position(&cursor)).transpose()?;
    let id: TenantId = tenant.id;
    let mut keys =
        call.on_storage::<_, StoreError>(move |platform| api_keys::list(platform, Some(id))).await?;
    if let Some(after) = after {
        // A tenant has few keys: they are read whole, and stay in order.
        let seen = keys.iter().position(|key| key.id.to_string() == after).map_or(keys.len(), |at| at + 1);
        keys.drain(..seen);
    }
    let page = Page::of(keys, limit, |key| list.cursor(&key.id.to_string()), ApiKeyView::of);
    respond::json(respond::private(StatusCode::OK), &page)
}

/// Revoke an API key
///
/// It stops working everywhere within a second. Revoking it again changes nothing.
#[utoipa::path(
    delete,
    path = "/tenants/{tenantId}/api-keys/{keyId}",
    operation_id = "revokeApiKey",
    tag = "api-keys",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("keyId" = String, Path, description = "The key's id", max_length = 64),
    ),
    responses((status = 204, description = "Revoked"))
)]
pub(crate) async fn revoke(call: Call) -> Answer {
    let (_, tenant) = call.tenant(Need::Admin).await?;
    let unknown = || Problem::new(Code::ApiKeyNotFound, "The tenant has no API key of this id");
    let key: ApiKeyId = call.segment("keyId").parse().map_err(|_| unknown())?;
    let owner = Some(tenant.id);
    if !call.on_storage::<_, StoreError>(move |platform| api_keys::revoke(platform, owner, key)).await? {
        return Err(unknown());
    }
    call.state.gate.forget(key);
    Ok(HttpResponse::NoContent().finish())
}

pub(crate) type ApiKeyPage = Page<ApiKeyView>;

documented!(NewKeyBody, NewKeyView<'static>, ApiKeyPage);
