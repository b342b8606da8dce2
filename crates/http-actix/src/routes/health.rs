//! Whether the process lives, and whether it may be sent traffic.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::respond;
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::problem::{Code, Problem};

/// How the server is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Health {
    /// `ok`.
    status: &'static str,
    /// What was looked at, and whether it is in order.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(default)]
    checks: BTreeMap<&'static str, bool>,
}

/// Whether the process lives
///
/// Looks at nothing else: a server whose database is away lives, and recovers without a restart.
#[utoipa::path(
    get,
    path = "/health/live",
    operation_id = "getLiveness",
    tag = "health",
    responses((status = 200, description = "It lives", body = Health, example = json!({ "status": "ok" })))
)]
pub(crate) async fn live() -> Answer {
    respond::json(respond::private(StatusCode::OK), &Health { status: "ok", checks: BTreeMap::new() })
}

/// Whether the server may be sent traffic
///
/// 503 while it starts, stops, or misses something it needs.
#[utoipa::path(
    get,
    path = "/health/ready",
    operation_id = "getReadiness",
    tag = "health",
    responses((status = 200, description = "It may", body = Health, example = json!({
        "status": "ok",
        "checks": { "controlDatabase": true }
    })))
)]
pub(crate) async fn ready(call: Call) -> Answer {
    let readiness = Arc::clone(&call.state.readiness);
    let mut checks: BTreeMap<_, _> =
        call.state.storage().run(move || readiness.checks()).await?.into_iter().collect();
    if call.state.is_draining() {
        checks.insert("accepting", false);
    }
    if checks.values().all(|fine| *fine) {
        return respond::json(respond::private(StatusCode::OK), &Health { status: "ok", checks });
    }
    Err(Problem::new(Code::NotReady, "The server is not ready for traffic").with("checks", json!(checks)))
}

documented!(Health);
