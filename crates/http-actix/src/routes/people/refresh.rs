use actix_web::http::StatusCode;
use tenantry_usecases::sign_in::{self, RefreshError};

use super::{cookies, device, same_site};
use crate::call::{Answer, Call};
use crate::problem::Problem;
use crate::routes::login::{SignedInView, UserView};
use crate::routes::respond;

/// Get the next access token
///
/// Exchanges the cookie `refreshToken` for a new one and an access token. A token works once; for ten seconds, in case the
/// answer was lost, it gets the same successor again. One that comes later than that is taken for stolen and ends the session.
#[utoipa::path(
    post,
    path = "/{tenantId}/auth/refresh",
    operation_id = "refresh",
    tag = "auth",
    params(("tenantId" = String, Path, description = "The tenant's slug or id, as when signing in", max_length = 64)),
    responses((
        status = 200,
        description = "Still signed in; the cookie `refreshToken` is set anew",
        body = SignedInView,
        headers(("Set-Cookie" = String, description = "`refreshToken`, HttpOnly, SameSite=Strict")),
        example = json!(SignedInView::example())
    ))
)]
pub(crate) async fn refresh(call: Call) -> Answer {
    same_site::check(call.headers())?;
    let token = cookies::sent(&call, cookies::REFRESH).ok_or(RefreshError::Invalid)?;
    let tenant = call.state.gate.tenant(call.segment("tenantId")).await?.ok_or(RefreshError::Invalid)?;
    let id = tenant.id;
    call.note(|trace| trace.tenant = Some(id));
    let ((device, _), trace) = (device(&call), call.request_id());
    let refreshed = call.on_storage::<_, Problem>(move |platform| {
        Ok(sign_in::refresh(platform, Some(&tenant), &token, device, &trace))
    });
    let refreshed = refreshed.await?.inspect_err(|error| {
        if let RefreshError::Reused(ended) = error {
            call.state.gate.forget_people(|claims| claims.session == *ended);
        }
    })?;
    let now = call.platform().clock.now();
    let mut response = respond::private(StatusCode::OK);
    response.cookie(cookies::refresh(&call, &refreshed.refresh_token, refreshed.refresh_expires_at - now));
    let user = UserView::of(refreshed.user, id);
    let view = SignedInView::of(&refreshed.access_token, refreshed.access_expires_at - now, user);
    respond::json(response, &view)
}
