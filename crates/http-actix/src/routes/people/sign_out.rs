use actix_web::http::StatusCode;
use tenantry_ports::StoreError;
use tenantry_usecases::sign_in;

use super::{cookies, same_site};
use crate::call::{Answer, Call};
use crate::routes::respond;

/// Sign out
///
/// Ends the session that the cookie `refreshToken` belongs to, with its access tokens, and removes the cookie. Where there is
/// nothing to end, that is as good.
#[utoipa::path(
    post,
    path = "/{tenantId}/auth/logout",
    operation_id = "logout",
    tag = "auth",
    params(("tenantId" = String, Path, description = "The tenant's slug or id, as when signing in", max_length = 64)),
    responses((
        status = 204,
        description = "Signed out; the cookie `refreshToken` is removed",
        headers(("Set-Cookie" = String, description = "`refreshToken`, empty"))
    ))
)]
pub(crate) async fn logout(call: Call) -> Answer {
    same_site::check(call.headers())?;
    if let Some(token) = cookies::sent(&call, cookies::REFRESH) {
        let tenant = call.state.gate.tenant(call.segment("tenantId")).await?;
        let trace = call.request_id();
        let ended = call.on_storage::<_, StoreError>(move |platform| {
            sign_in::logout(platform, tenant.as_deref(), &token, &trace)
        });
        if let Some(ended) = ended.await? {
            call.state.gate.forget_people(|claims| claims.session == ended.id);
        }
    }
    let mut response = respond::private(StatusCode::NO_CONTENT);
    response.cookie(cookies::no_refresh(&call));
    Ok(response.finish())
}
