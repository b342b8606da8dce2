//! `openapi`.

use super::print_json;
use crate::failure::Failure;

/// Prints the OpenAPI document.
pub(crate) fn print_document() -> Result<(), Failure> {
    print_json(&serde_json::Value::Null)
}
