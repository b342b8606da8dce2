use std::borrow::Cow;

use actix_web::HttpResponse;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenantry_domain::Finding;
use tenantry_domain::account::engine::PriceMark;
use tenantry_domain::config::Symbol;
use tenantry_ports::{SchemaCheck, Scope, StoreError};
use tenantry_usecases::access::Need;
use tenantry_usecases::accounts::Hand;
use tenantry_usecases::trades::{self, Marked};

use super::body::{Object, counted, faults_of_each};
use crate::body::{Body, TextCheck, text};
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::routes::respond;

/// Prices.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct MarksBody(Vec<Object<PriceMark>>);

impl Body for PriceMark {
    const TEXTS: &'static [(&'static str, TextCheck)] = &[("/symbol", text::<Symbol>)];
}

impl Body for MarksBody {
    const OBJECT: bool = false;

    fn faults(document: &Value, schemas: &dyn SchemaCheck) -> Vec<Finding> {
        faults_of_each::<PriceMark>(document.as_array().map_or(&[], Vec::as_slice), schemas)
    }
}

impl JsonSchema for MarksBody {
    fn schema_name() -> Cow<'static, str> {
        "Marks".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mark = generator.subschema_for::<PriceMark>();
        json_schema!({ "type": "array", "items": mark, "minItems": 1, "maxItems": 1000 })
    }
}

/// What became of the accounts that hold what was marked.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PricesMarked")]
pub(crate) struct MarkedView {
    /// How many were revalued.
    revalued: usize,
    /// How many of those were breached by it.
    breached: usize,
    /// How many were left as they are, since something younger happened to them.
    skipped: usize,
}

/// Mark prices
///
/// Up to 1,000 prices, of one symbol or several. Every account of the tenant that holds a symbol is revalued at its prices, in order of
/// their times, and by its rules. An account to which something younger than a price happened leaves that price aside; one that is
/// left as it is for that is counted as skipped. All accounts are revalued together, or none; sending the same prices again does no
/// harm.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/marks",
    operation_id = "markPrices",
    tag = "trades",
    params(("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64)),
    request_body(content = MarksBody, example = json!([
        { "symbol": "EURUSD", "price": 1.0925, "at": "2025-01-10T15:31:00Z" }
    ])),
    responses((
        status = 200,
        description = "How many accounts were revalued",
        body = MarkedView,
        example = json!({ "revalued": 12, "breached": 1, "skipped": 0 })
    ))
)]
pub(crate) async fn mark(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::TradesWrite)).await?;
    let MarksBody(marks) = call.bulk_body::<MarksBody>().await?.value;
    let marks = counted(marks, "mark")?.into_iter().map(|Object(mark)| mark).collect();
    let hand = Hand { actor: caller.actor(), trace: call.request_id() };
    let marked =
        call.on_storage::<_, StoreError>(move |platform| trades::mark(platform, &scope, marks, &hand));
    let Marked { revalued, breached, skipped } = marked.await?;
    respond::json(HttpResponse::Ok(), &MarkedView { revalued, breached, skipped })
}

documented!(MarksBody, MarkedView);
