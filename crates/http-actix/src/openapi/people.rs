//! What the document says of people who are signed in.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};

use crate::problem::Code;

/// What can go wrong wherever somebody has to be signed in.
pub(super) const PROBLEMS: [Code; 9] = [
    Code::MissingAuthorization,
    Code::InvalidToken,
    Code::WrongTenant,
    Code::Forbidden,
    Code::TenantSuspended,
    Code::TenantNotFound,
    Code::TenantNotReady,
    Code::TenantFailed,
    Code::TenantDeprovisioning,
];

/// The cookie that signing in sets.
pub(super) fn refresh_token() -> SecurityScheme {
    let about = "The refresh token that signing in sets: works once, and its answer sets the next one. Requests of other \
                 sites' pages are refused.";
    SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description("refreshToken", about)))
}
