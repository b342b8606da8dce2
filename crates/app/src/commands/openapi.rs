//! `openapi`.

use tenantry_http_actix::openapi;

use super::print_json;
use crate::compose;
use crate::failure::Failure;
use crate::settings::Settings;

/// Prints the OpenAPI document, as a server with these settings serves it.
pub(crate) fn document(settings: &Settings) -> Result<(), Failure> {
    print_json(&openapi(&settings.server.api_prefix, compose::access(settings)))
}
