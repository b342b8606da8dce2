use actix_web::HttpResponse;
use actix_web::http::header;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use tenantry_domain::config::{ConfigId, ConfigVersion};
use tenantry_domain::timestamp;
use tenantry_ports::{ConfigHead, Scope, StoreError, StoredConfig, TenantScope};
use tenantry_usecases::access::Need;
use tenantry_usecases::configs;

use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::openapi::documented;
use crate::problem::{Code, Problem};
use crate::query::Query;
use crate::routes::respond::{self, Page};

/// A version of a config.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Config")]
pub(crate) struct ConfigView {
    config_id: ConfigId,
    /// Which version of the id it is.
    version: ConfigVersion,
    /// SHA-256 of the resolved document, in hexadecimal.
    hash: String,
    /// As uploaded.
    #[schemars(with = "Map<String, Value>")]
    document: Value,
    /// Laid over the configs it inherits from: what accounts are made from.
    #[schemars(with = "Map<String, Value>")]
    resolved: Value,
    /// Who uploaded it.
    created_by: String,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    created_at: DateTime<Utc>,
}

impl From<StoredConfig> for ConfigView {
    fn from(stored: StoredConfig) -> Self {
        Self {
            config_id: stored.id,
            version: stored.version,
            hash: stored.hash,
            document: stored.document,
            resolved: stored.resolved,
            created_by: stored.created_by,
            created_at: stored.created_at,
        }
    }
}

/// Read an account config
///
/// The current version, or the one asked for.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/configs/{configId}",
    operation_id = "getConfig",
    tag = "configs",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("configId" = String, Path, description = "The config's id", max_length = 64),
        ("version" = Option<u32>, Query, description = "Which version; the current one if absent", minimum = 1),
    ),
    responses(
        (status = 200, description = "The config", body = ConfigView, headers(("ETag" = String))),
        (status = 304, description = "It is what `If-None-Match` says"),
    )
)]
pub(crate) async fn read(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::ConfigsRead)).await?;
    let mut query = call.query();
    let version = version(&mut query, "version");
    query.finish()?;
    answer(&call, scope, version).await
}

/// The version that a parameter of this name says.
pub(super) fn version(query: &mut Query, name: &str) -> Option<ConfigVersion> {
    let number = query.value::<u32>(name)?;
    let version = ConfigVersion::new(number);
    version.map_err(|error| query.fault(name, "out_of_range", error.to_string())).ok()
}

/// There is no such config, or not that version.
pub(super) fn unknown() -> Problem {
    Problem::new(Code::ConfigNotFound, "The tenant has no such account config, or not that version")
}

/// The config in the path.
pub(super) fn config_id(call: &Call) -> Result<ConfigId, Problem> {
    ConfigId::new(call.segment("configId")).map_err(|_| unknown())
}

/// Answers with a version of the config in the path, or with the current one.
pub(super) async fn answer(call: &Call, scope: TenantScope, version: Option<ConfigVersion>) -> Answer {
    let id = config_id(call)?;
    let found = call
        .on_storage::<_, StoreError>(move |platform| configs::get(platform, &scope, &id, version))
        .await?;
    let config = found.ok_or_else(unknown)?;
    let etag = respond::etag(format_args!("{}-{}", config.version, config.hash));
    if respond::is_current(call.headers(), &etag) {
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, etag)).finish());
    }
    let mut response = HttpResponse::Ok();
    response.insert_header((header::ETAG, etag));
    respond::json(response, &ConfigView::from(config))
}

/// The current version of a config.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ConfigSummary")]
pub(crate) struct ConfigSummary {
    config_id: ConfigId,
    version: ConfigVersion,
    /// SHA-256 of the resolved document, in hexadecimal.
    hash: String,
}

impl From<ConfigHead> for ConfigSummary {
    fn from(head: ConfigHead) -> Self {
        Self { config_id: head.id, version: head.version, hash: head.hash }
    }
}

/// List account configs
///
/// The current version of each, in order of id.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/configs",
    operation_id = "listConfigs",
    tag = "configs",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of configs", body = ConfigPage, example = json!({
        "items": [{
            "configId": "25k-eval-v1",
            "version": 1,
            "hash": "7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730"
        }],
        "nextCursor": null
    })))
)]
pub(crate) async fn list(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::ConfigsRead)).await?;
    let mut query = call.query();
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new(call.platform().digest.as_ref(), format!("configs {}", scope.tenant()));
    let after = cursor.map(|cursor| list.position(&cursor)).transpose()?;
    let after = after.map(ConfigId::new).transpose().map_err(|_| Problem::plain(Code::InvalidCursor))?;
    let found = call
        .on_storage::<_, StoreError>(move |platform| {
            configs::list(platform, &scope, after.as_ref(), limit + 1)
        })
        .await?;
    let page = Page::of(found, limit, |head| list.cursor(head.id.as_str()), ConfigSummary::from);
    respond::json(HttpResponse::Ok(), &page)
}

pub(crate) type ConfigPage = Page<ConfigSummary>;

documented!(ConfigView, ConfigPage);
