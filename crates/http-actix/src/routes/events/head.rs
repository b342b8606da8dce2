use actix_web::http::StatusCode;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::timestamp;
use tenantry_ports::{Scope, hexadecimal};
use tenantry_usecases::Log;
use tenantry_usecases::access::Need;
use tenantry_usecases::audit::{self, Statement};

use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::routes::respond;

/// How far the event log has come.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EventHead")]
pub(crate) struct HeadView {
    /// The place of the last event; 0 if there is none.
    sequence: i64,
    /// The SHA-256 that chains it to all before it, in hexadecimal.
    hash: String,
    /// When this was said.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    signed_at: DateTime<Utc>,
    /// All of that, signed: keep it, and `tenantry audit verify --heads` can tell whether the log still is what it was.
    statement: String,
}

documented!(HeadView);

/// Read how far the event log has come
///
/// A signed statement of the log's last place and hash, for the tenant to keep: with it, it can be found out later whether
/// anything up to that place was changed or removed since, whoever did it.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/events/head",
    operation_id = "getEventHead",
    tag = "events",
    params(("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64)),
    responses((status = 200, description = "How far it has come", body = HeadView))
)]
pub(crate) async fn head(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::EventsRead)).await?;
    head_of(&call, Log::Tenant(scope)).await
}

pub(super) async fn head_of(call: &Call, log: Log) -> Answer {
    let statement = call.on_storage(move |platform| audit::sign(platform, &log)).await?;
    let Statement(signed) = &statement;
    let view = HeadView {
        sequence: signed.head.sequence,
        hash: hexadecimal(&signed.head.hash),
        signed_at: signed.at,
        statement: statement.to_string(),
    };
    respond::json(respond::private(StatusCode::OK), &view)
}
