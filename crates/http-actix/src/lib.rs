#![doc = include_str!("../README.md")]

mod auth;
mod body;
mod call;
mod cursor;
mod doors;
mod endpoint;
mod idempotency;
mod lanes;
mod observe;
mod openapi;
mod pools;
mod problem;
mod query;
mod request_id;
mod routes;
mod server;
mod settings;
mod state;
#[cfg(test)]
mod tests;

pub use doors::{Access, Doors};
pub use server::{Serving, serve};
pub use settings::HttpSettings;
pub use state::{HttpState, Readiness};

/// The OpenAPI 3.1 document of a server whose versioned routes begin with `api_prefix`, and where tenants are ordered by
/// those that `access` says, as JSON.
pub fn openapi(api_prefix: &str, access: Access) -> serde_json::Value {
    let settings = HttpSettings { api_prefix: api_prefix.to_owned(), ..HttpSettings::default() };
    serde_json::to_value(openapi::document(&settings.prefix(), access)).unwrap_or_default()
}
