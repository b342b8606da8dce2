//! What every error code means: the pages that errors link to in `help`.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use schemars::JsonSchema;
use serde::Serialize;

use super::respond;
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::problem::catalogue::Entry;
use crate::problem::{Code, Problem};

/// What an error code means.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProblemPage {
    code: &'static str,
    status: u16,
    title: &'static str,
    /// The problem's `type`.
    #[serde(rename = "type")]
    link: &'static str,
    /// Why it happens.
    cause: &'static str,
    /// What to do about it.
    fix: &'static str,
}

impl From<&'static Entry> for ProblemPage {
    fn from(entry: &'static Entry) -> Self {
        let Entry { code, status, title, cause, fix } = entry;
        Self { code, status: status.as_u16(), title, link: entry.link(), cause, fix }
    }
}

/// The catalogue of error codes
#[utoipa::path(
    get,
    path = "/problems",
    operation_id = "listProblems",
    tag = "documentation",
    responses((status = 200, description = "Every code", body = ProblemCatalogue))
)]
pub(crate) async fn list() -> Answer {
    let items = Code::ALL.iter().map(|code| code.entry().into()).collect();
    respond::json(HttpResponse::Ok(), &ProblemCatalogue { items })
}

/// Every error code.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ProblemCatalogue {
    items: Vec<ProblemPage>,
}

/// What an error code means
///
/// A page for people who ask for `text/html`, JSON for everybody else.
#[utoipa::path(
    get,
    path = "/problems/{code}",
    operation_id = "getProblem",
    tag = "documentation",
    params(("code" = String, Path, description = "The `code` of an error", max_length = 64)),
    responses((status = 200, description = "What it means", body = ProblemPage, example = json!({
        "code": "slug_taken",
        "status": 409,
        "title": "Slug Already Exists",
        "type": "https://tools.ietf.org/html/rfc7231#section-6.5.8",
        "cause": "Another tenant holds the slug.",
        "fix": "Choose another slug."
    })))
)]
pub(crate) async fn page(call: Call) -> Answer {
    let code = Code::parse(call.segment("code"));
    let code =
        code.ok_or_else(|| Problem::new(Code::NotFound, "There is no error of this code; see /problems"))?;
    if wants_html(call.request()) {
        return Ok(HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")))
            .insert_header((header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'")))
            .body(html(code.entry())));
    }
    respond::json(HttpResponse::Ok(), &ProblemPage::from(code.entry()))
}

fn wants_html(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// The catalogue is plain text without markup, so nothing needs escaping (a test sees to that).
fn html(entry: &Entry) -> String {
    let Entry { code, status, title, cause, fix } = entry;
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title} ({code})</title></head>\n\
         <body>\n<h1>{title}</h1>\n<p><code>{code}</code>, HTTP status <a href=\"{link}\">{status}</a></p>\n\
         <h2>Why it happens</h2>\n<p>{cause}</p>\n<h2>What to do</h2>\n<p>{fix}</p>\n\
         <p><a href=\"/problems\">All error codes</a></p>\n</body>\n</html>\n",
        status = status.as_u16(),
        link = entry.link(),
    )
}

documented!(ProblemPage, ProblemCatalogue);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_needs_no_escaping() {
        for code in Code::ALL {
            let Entry { title, cause, fix, .. } = code.entry();
            for text in [title, cause, fix] {
                assert!(!text.contains(['<', '>', '&', '"']), "{text}");
            }
        }
    }
}
