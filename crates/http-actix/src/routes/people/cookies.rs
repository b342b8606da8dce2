//! What browsers keep. Each goes back only to the auth routes of the tenant, spelled as it was here.

use actix_web::cookie::{Cookie, SameSite, time};
use chrono::TimeDelta;
use tenantry_ports::Secret;

use crate::call::Call;

/// The refresh token.
pub(in crate::routes) const REFRESH: &str = "refreshToken";
/// By which a device is known again.
pub(in crate::routes) const DEVICE: &str = "device";

/// For how long a device is known.
const KNOWN_FOR: time::Duration = time::Duration::days(365);

/// What the browser sent under this name.
pub(in crate::routes) fn sent(call: &Call, name: &str) -> Option<String> {
    call.request().cookie(name).map(|cookie| cookie.value().to_owned())
}

/// The refresh token, for as long as it works.
pub(in crate::routes) fn refresh(call: &Call, token: &Secret, lifetime: TimeDelta) -> Cookie<'static> {
    build(call, REFRESH, token.expose(), time::Duration::seconds(lifetime.num_seconds()))
}

/// No refresh token any more.
pub(super) fn no_refresh(call: &Call) -> Cookie<'static> {
    build(call, REFRESH, "", time::Duration::ZERO)
}

/// The device's token.
pub(in crate::routes) fn device(call: &Call, token: &Secret) -> Cookie<'static> {
    build(call, DEVICE, token.expose(), KNOWN_FOR)
}

fn build(call: &Call, name: &'static str, value: &str, lifetime: time::Duration) -> Cookie<'static> {
    // The auth routes have one segment each below `/auth`.
    let path = call.path().rsplit_once('/').map_or("/", |(path, _)| path).to_owned();
    Cookie::build(name, value.to_owned())
        .path(path)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(call.state.settings.secure_cookies)
        .max_age(lifetime)
        .finish()
}
