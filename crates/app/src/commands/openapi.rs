//! `openapi`.

use tenantry_http_actix::{HttpSettings, openapi};

use super::print_json;
use crate::compose;
use crate::failure::Failure;
use crate::settings::Settings;

/// Prints the OpenAPI document, as a server with these settings serves it.
pub(crate) fn document(settings: &Settings) -> Result<(), Failure> {
    let served = HttpSettings {
        api_prefix: settings.server.api_prefix.clone(),
        rate_limits: settings.rate_limits,
        ..HttpSettings::default()
    };
    print_json(&openapi(&served, compose::access(settings)))
}
