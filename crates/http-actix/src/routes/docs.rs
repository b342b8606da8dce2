//! The OpenAPI document, and Swagger UI to browse it: served from the binary, so it works offline.

use std::sync::Arc;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, web};
use utoipa_swagger_ui::Config;

use super::respond;
use crate::call::{Answer, Call};
use crate::openapi::AnyObject;
use crate::problem::{Code, Internal, Problem};

/// This document
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenApi",
    tag = "documentation",
    responses((status = 200, description = "OpenAPI 3.1", body = AnyObject))
)]
pub(crate) async fn document(call: Call) -> Answer {
    let state = call.state.clone();
    let made = call.state.storage().run(move || state.document()).await?;
    let document = made.map_err(|error| Problem::from(Internal).because(error))?;
    Ok(respond::json_bytes(HttpResponse::Ok(), document))
}

/// This document, to browse
#[utoipa::path(
    get,
    path = "/swagger",
    operation_id = "browseOpenApi",
    tag = "documentation",
    responses((status = 200, description = "Swagger UI", content_type = "text/html", body = String))
)]
pub(crate) async fn page() -> Answer {
    // The page names its parts relative to itself, and it is served at /swagger and at /swagger/.
    let index = file("index.html")?;
    let page =
        String::from_utf8_lossy(&index.bytes).replacen("<head>", "<head>\n    <base href=\"/swagger/\">", 1);
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")))
        .body(page))
}

/// A part of Swagger UI.
pub(crate) async fn asset(path: web::Path<String>) -> Answer {
    let file = file(&path)?;
    let mut response = HttpResponse::Ok();
    if file.gzpipped {
        response.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static("gzip")));
    }
    Ok(response.content_type(file.content_type).body(file.bytes.into_owned()))
}

fn file(path: &str) -> Result<utoipa_swagger_ui::SwaggerFile<'static>, Problem> {
    let config = Arc::new(Config::from("/openapi.json"));
    let found =
        utoipa_swagger_ui::serve(path, config).map_err(|error| Problem::from(Internal).because(error))?;
    found.ok_or_else(|| Problem::new(Code::NotFound, "There is nothing at this URL"))
}
