use actix_web::http::StatusCode;
use tenantry_domain::id::UserId;
use tenantry_ports::{StoreError, TenantScope};
use tenantry_usecases::access::Need;
use tenantry_usecases::sign_in;

use super::cookies;
use super::users::{no_such_user, user_in_path};
use crate::call::{Answer, Call};
use crate::problem::Problem;
use crate::routes::respond;

/// Sign out everywhere
///
/// Ends all of the caller's sessions, this one as well, and removes the cookie `refreshToken`. Their refresh tokens and
/// access tokens stop working: here at once, on other replicas within a second.
#[utoipa::path(
    delete,
    path = "/{tenantId}/auth/sessions",
    operation_id = "endOwnSessions",
    tag = "auth",
    params(("tenantId" = String, Path, description = "The tenant's slug or id, as when signing in", max_length = 64)),
    responses((
        status = 204,
        description = "Signed out; the cookie `refreshToken` is removed",
        headers(("Set-Cookie" = String, description = "`refreshToken`, empty"))
    ))
)]
pub(crate) async fn own(call: Call) -> Answer {
    let (claims, _, scope) = call.person().await?;
    end_all(&call, scope, claims.user, claims.user.to_string()).await?;
    let mut response = respond::private(StatusCode::NO_CONTENT);
    response.cookie(cookies::no_refresh(&call));
    Ok(response.finish())
}

/// Sign a user out everywhere
///
/// Ends all of their sessions, as they could do it themselves. They can sign in again, unless they are disabled.
#[utoipa::path(
    delete,
    path = "/{tenantId}/users/{userId}/sessions",
    operation_id = "endSessionsOfUser",
    tag = "users",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("userId" = String, Path, description = "The user's id", max_length = 64),
    ),
    responses((status = 204, description = "Ended"))
)]
pub(crate) async fn of_user(call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Admin).await?;
    let user = user_in_path(&call)?;
    end_all(&call, scope, user, caller.actor()).await?;
    Ok(respond::private(StatusCode::NO_CONTENT).finish())
}

async fn end_all(call: &Call, scope: TenantScope, user: UserId, actor: String) -> Result<(), Problem> {
    let trace = call.request_id();
    let ended = call.on_storage::<_, StoreError>(move |platform| {
        sign_in::revoke_all_sessions(platform, &scope, user, &actor, trace)
    });
    ended.await?.ok_or_else(no_such_user)?;
    call.state.gate.forget_people(|claims| claims.user == user);
    Ok(())
}
