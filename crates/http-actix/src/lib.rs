#![doc = include_str!("../README.md")]

mod auth;
mod body;
mod call;
mod client_address;
mod cursor;
mod doors;
mod endpoint;
mod fair;
mod follow;
mod idempotency;
mod lanes;
mod limits;
mod observe;
mod openapi;
mod pools;
mod precondition;
mod problem;
mod query;
mod request_id;
mod routes;
mod server;
mod settings;
mod state;
mod tail;
mod tenant_context;
#[cfg(test)]
mod tests;
mod watch;

pub use client_address::{InvalidProxy, TrustedProxies};
pub use doors::{Access, Doors};
pub use limits::{RateLimit, RateLimits};
pub use server::{Serving, serve};
pub use settings::HttpSettings;
pub use state::{HttpState, Readiness};
pub use tail::Tails;
pub use watch::Watch;

/// The OpenAPI 3.1 document of a server with these settings, where tenants are ordered by those that `access` says, as
/// JSON.
pub fn openapi(settings: &HttpSettings, access: Access) -> serde_json::Value {
    serde_json::to_value(openapi::document(settings, access)).unwrap_or_default()
}

/// A tenant with its history, as the API shows it to operators, as JSON.
pub fn tenant(progress: tenantry_usecases::tenants::Progress) -> serde_json::Value {
    serde_json::to_value(routes::TenantView::of(progress)).unwrap_or_default()
}

/// A tenant as the API's lists show it, as JSON.
pub fn tenant_summary(tenant: tenantry_domain::tenant::Tenant) -> serde_json::Value {
    serde_json::to_value(routes::SummaryView::of(tenant)).unwrap_or_default()
}
