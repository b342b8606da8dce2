//! Account configs: validate, upload, read.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::Value;
use tenantry_domain::config::{ConfigId, ConfigVersion};
use tenantry_domain::{Finding, config, timestamp};
use tenantry_ports::{ConfigHead, Scope, StoreError, StoredConfig};
use tenantry_usecases::access::Need;
use tenantry_usecases::configs::{self, ConfigVerdict, Upload};

use super::respond::{self, Page};
use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::openapi::{FindingView, documented};
use crate::problem::{Code, Problem};

/// What a config upload takes: the account config's own schema, in the OpenAPI document.
pub(crate) struct AccountConfigBody;

impl JsonSchema for AccountConfigBody {
    fn schema_name() -> Cow<'static, str> {
        "AccountConfig".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = config::schema();
        if let Some(members) = schema.as_object_mut() {
            members.remove("$schema");
        }
        Schema::try_from(schema).unwrap_or_default()
    }
}

/// What there is to say about a config.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ConfigVerdict")]
pub(crate) struct VerdictView {
    /// `OK` if the config may be uploaded.
    #[schemars(schema_with = "verdicts")]
    status: &'static str,
    /// Everything that is wrong.
    #[schemars(with = "Vec<FindingView>")]
    errors: Vec<Finding>,
    /// What is doubtful, and no error.
    #[schemars(with = "Vec<FindingView>")]
    warnings: Vec<Finding>,
}

fn verdicts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["OK", "INVALID"] })
}

/// Validate an account config
///
/// Answers with everything that an upload would refuse, and stores nothing.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/configs/validate",
    operation_id = "validateConfig",
    tag = "configs",
    params(("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64)),
    request_body(content = AccountConfigBody, example = json!({ "id": "25k-eval-v1", "baseCapital": 500 })),
    responses((status = 200, description = "The verdict, also on an invalid config", body = VerdictView, example = json!({
        "status": "INVALID",
        "errors": [{
            "pointer": "/baseCapital",
            "code": "below_minimum",
            "message": "Must be at least 1000"
        }],
        "warnings": []
    })))
)]
pub(crate) async fn validate(mut call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::ConfigsRead)).await?;
    let document = call.body::<Value>().await?.value;
    let verdict = call
        .on_storage::<_, StoreError>(move |platform| configs::validate(platform, &scope, &document))
        .await?;
    let ConfigVerdict { errors, warnings } = verdict;
    let status = if errors.is_empty() { "OK" } else { "INVALID" };
    respond::json(
        HttpResponse::Ok(),
        &VerdictView {
            status,
            errors,
            warnings,
        },
    )
}

/// A stored version.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ConfigUploaded")]
pub(crate) struct UploadedView {
    config_id: ConfigId,
    /// Which version of the id it is.
    version: ConfigVersion,
    /// `active`: new accounts are made from it.
    status: &'static str,
    /// SHA-256 of the resolved document, in hexadecimal.
    hash: String,
    /// What is doubtful, and no error.
    #[schemars(with = "Vec<FindingView>")]
    warnings: Vec<Finding>,
}

/// Upload an account config
///
/// The document becomes the next version of its id, or the first. If it is the current version already, that is
/// answered with 200 and nothing is stored. Accounts that exist keep the version they were made from.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/configs",
    operation_id = "uploadConfig",
    tag = "configs",
    params(("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64)),
    request_body(content = AccountConfigBody, example = json!({
        "id": "25k-eval-v1",
        "displayName": "25K Evaluation",
        "baseCapital": 25000,
        "variant": "evaluation",
        "challengeDefinitions": [{
            "id": "phase-1",
            "name": "Phase 1",
            "rules": { "profitTarget": 0.08, "maxDrawdown": 0.08, "dailyLossLimit": 0.03 }
        }],
        "payoutRules": { "stagedPayouts": [{ "milestone": "funded", "payoutPercent": 100 }] }
    })),
    responses(
        (status = 201, description = "A new version", body = UploadedView, example = json!({
            "configId": "25k-eval-v1",
            "version": 1,
            "status": "active",
            "hash": "7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730",
            "warnings": []
        })),
        (status = 200, description = "The current version is this very document", body = UploadedView),
    )
)]
pub(crate) async fn upload(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::ConfigsWrite)).await?;
    let document = call.body::<Value>().await?.value;
    let upload = Upload {
        document,
        actor: caller.actor(),
        trace: call.request_id(),
    };
    let uploaded = call
        .on_storage(move |platform| configs::upload(platform, &scope, upload))
        .await?;
    let status = if uploaded.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let mut response = HttpResponse::build(status);
    response.insert_header((
        header::LOCATION,
        format!("{}/{}", call.path(), uploaded.config.id),
    ));
    let view = UploadedView {
        config_id: uploaded.config.id,
        version: uploaded.config.version,
        status: "active",
        hash: uploaded.config.hash,
        warnings: uploaded.warnings,
    };
    respond::json(response, &view)
}

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
    document: Value,
    /// Laid over the configs it inherits from: what accounts are made from.
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
    let version = query.value::<u32>("version").and_then(|number| {
        let version = ConfigVersion::new(number);
        version
            .map_err(|error| query.fault("version", "out_of_range", error.to_string()))
            .ok()
    });
    query.finish()?;
    let unknown = || {
        Problem::new(
            Code::ConfigNotFound,
            "The tenant has no such account config, or not that version",
        )
    };
    let id = ConfigId::new(call.segment("configId")).map_err(|_| unknown())?;
    let found = call
        .on_storage::<_, StoreError>(move |platform| configs::get(platform, &scope, &id, version))
        .await?;
    let config = found.ok_or_else(unknown)?;
    let etag = respond::etag(format_args!("{}-{}", config.version, config.hash));
    if respond::is_current(call.headers(), &etag) {
        return Ok(HttpResponse::NotModified()
            .insert_header((header::ETAG, etag))
            .finish());
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
        Self {
            config_id: head.id,
            version: head.version,
            hash: head.hash,
        }
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
    let list = List::new(
        call.platform().digest.as_ref(),
        format!("configs {}", scope.tenant()),
    );
    let after = cursor.map(|cursor| list.position(&cursor)).transpose()?;
    let after = after
        .map(ConfigId::new)
        .transpose()
        .map_err(|_| Problem::plain(Code::InvalidCursor))?;
    let found = call
        .on_storage::<_, StoreError>(move |platform| {
            configs::list(platform, &scope, after.as_ref(), limit + 1)
        })
        .await?;
    let page = Page::of(
        found,
        limit,
        |head| list.cursor(head.id.as_str()),
        ConfigSummary::from,
    );
    respond::json(HttpResponse::Ok(), &page)
}

type ConfigPage = Page<ConfigSummary>;

documented!(
    AccountConfigBody,
    VerdictView,
    UploadedView,
    ConfigView,
    ConfigPage
);
