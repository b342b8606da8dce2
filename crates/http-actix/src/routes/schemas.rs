//! The JSON Schemas of what the product stores.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use tenantry_domain::config;

use super::respond;
use crate::call::Answer;
use crate::openapi::AnyObject;

/// The account config's JSON Schema
///
/// Draft 7, generated from the types that check the configs.
#[utoipa::path(
    get,
    path = "/schemas/account-config",
    operation_id = "getAccountConfigSchema",
    tag = "configs",
    responses((
        status = 200,
        description = "The schema",
        content_type = "application/schema+json",
        body = AnyObject,
    ))
)]
pub(crate) async fn account_config() -> Answer {
    let mut response: HttpResponseBuilder = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")));
    let mut response = respond::json(response, &config::schema())?;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/schema+json"));
    Ok(response)
}
