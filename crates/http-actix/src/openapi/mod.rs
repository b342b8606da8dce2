//! The OpenAPI 3.1 document: put together from the table of endpoints, never written beside the code.

mod document;
mod doors;
mod limits;
pub(crate) mod organisation;
mod people;
mod schema;
pub(crate) mod webhooks;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

pub(crate) use document::document;
#[cfg(test)]
pub(crate) use schema::generated;
pub(crate) use schema::{definitions_of, schema_of};

/// Documents types: their JSON Schemas, which also check the bodies, are the ones in the document.
macro_rules! documented {
    ($($type:ty),+ $(,)?) => {$(
        impl utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::openapi::schema_of::<$type>()
            }
        }
        impl utoipa::ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                <$type as schemars::JsonSchema>::schema_name()
            }
            fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>) {
                $crate::openapi::definitions_of::<$type>(schemas);
            }
        }
    )+};
}
pub(crate) use documented;

/// One thing that is wrong (or doubtful) in a request.
#[derive(JsonSchema)]
#[schemars(rename = "Finding")]
#[allow(dead_code, reason = "documents how the domain's findings are written")]
pub(crate) struct FindingView {
    /// Where: a JSON Pointer (RFC 6901) into the body; for query parameters a slash and the parameter's name.
    pointer: String,
    /// Stable, snake_case, for programs.
    code: String,
    /// One sentence, for people.
    message: String,
}

/// Why a request was refused: RFC 9457, `application/problem+json`.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Problem")]
#[allow(dead_code, reason = "documents how problems are written")]
pub(crate) struct ProblemView {
    /// The section of the RFC that defines the status.
    r#type: String,
    /// Always the same for a code.
    title: String,
    /// The HTTP status again.
    status: u16,
    /// One sentence about this occurrence.
    detail: String,
    /// The path of the request.
    instance: String,
    /// Stable, snake_case, for programs.
    code: String,
    /// Names the request in the log.
    request_id: String,
    /// A page about the code.
    help: String,
    /// Everything that is wrong with the request, all at once.
    #[serde(default)]
    errors: Vec<FindingView>,
}

/// Any JSON object.
pub(crate) struct AnyObject;

impl JsonSchema for AnyObject {
    fn schema_name() -> Cow<'static, str> {
        "AnyObject".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "description": "Any JSON object" })
    }
}

documented!(ProblemView, AnyObject);
