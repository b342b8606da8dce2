use actix_web::HttpResponse;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::config::ConfigVersion;
use tenantry_domain::timestamp;
use tenantry_ports::{ConfigVersionRecord, Scope, StoreError};
use tenantry_usecases::access::Need;
use tenantry_usecases::configs;

use super::read::{ConfigView, answer, config_id, unknown};
use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::openapi::documented;
use crate::problem::{Code, Problem};
use crate::routes::respond::{self, Page};

/// One of a config's versions.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ConfigVersionSummary")]
pub(crate) struct VersionSummary {
    version: ConfigVersion,
    /// SHA-256 of the resolved document, in hexadecimal.
    hash: String,
    /// Who uploaded it.
    created_by: String,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    created_at: DateTime<Utc>,
}

impl From<ConfigVersionRecord> for VersionSummary {
    fn from(record: ConfigVersionRecord) -> Self {
        let ConfigVersionRecord { version, hash, created_by, created_at } = record;
        Self { version, hash, created_by, created_at }
    }
}

pub(crate) type VersionPage = Page<VersionSummary>;

/// List the versions of an account config
///
/// The newest first: that is the current one, which accounts are made from where nobody names another.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/configs/{configId}/versions",
    operation_id = "listConfigVersions",
    tag = "configs",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("configId" = String, Path, description = "The config's id", max_length = 64),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of versions", body = VersionPage, example = json!({
        "items": [{
            "version": 1,
            "hash": "7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730",
            "createdBy": "key_0195c0de00007000800000000000000a",
            "createdAt": "2025-01-10T10:00:00.000Z"
        }],
        "nextCursor": null
    })))
)]
pub(crate) async fn versions(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::ConfigsRead)).await?;
    let mut query = call.query();
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let id = config_id(&call)?;
    let list = List::new(call.platform().digest.as_ref(), format!("versions {} {id}", scope.tenant()));
    let before = cursor.map(|cursor| list.position(&cursor)).transpose()?;
    let before =
        before.map(|number| parsed(&number).ok_or(Problem::plain(Code::InvalidCursor))).transpose()?;
    let found = call
        .on_storage::<_, StoreError>(move |platform| {
            configs::versions(platform, &scope, &id, before, limit + 1)
        })
        .await?
        .ok_or_else(unknown)?;
    let page =
        Page::of(found, limit, |record| list.cursor(&record.version.to_string()), VersionSummary::from);
    respond::json(HttpResponse::Ok(), &page)
}

fn parsed(number: &str) -> Option<ConfigVersion> {
    ConfigVersion::new(number.parse().ok()?).ok()
}

/// Read a version of an account config
///
/// As it was uploaded and as it was resolved then: no version ever changes.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/configs/{configId}/versions/{version}",
    operation_id = "getConfigVersion",
    tag = "configs",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("configId" = String, Path, description = "The config's id", max_length = 64),
        ("version" = u32, Path, description = "Which version", minimum = 1),
    ),
    responses(
        (status = 200, description = "The version", body = ConfigView, headers(("ETag" = String))),
        (status = 304, description = "It is what `If-None-Match` says"),
    )
)]
pub(crate) async fn read(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::ConfigsRead)).await?;
    call.query().finish()?;
    let version = parsed(call.segment("version")).ok_or_else(unknown)?;
    answer(&call, scope, Some(version)).await
}

documented!(VersionPage);
