use actix_web::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use tenantry_usecases::sign_in::{self, ChangePassword};

use crate::body::{Body, TextCheck};
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::routes::password::TypedPassword;
use crate::routes::respond;

/// A new password in the place of the old one.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ChangePassword")]
pub(crate) struct ChangePasswordBody {
    /// The password so far.
    current_password: TypedPassword,
    /// The one to come.
    new_password: TypedPassword,
}

impl Body for ChangePasswordBody {
    const TEXTS: &'static [(&'static str, TextCheck)] =
        &[("/currentPassword", TypedPassword::check), ("/newPassword", TypedPassword::check)];
}

/// Change one's password
///
/// All other sessions end; this one goes on.
#[utoipa::path(
    post,
    path = "/{tenantId}/auth/change-password",
    operation_id = "changePassword",
    tag = "auth",
    params(("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64)),
    request_body(content = ChangePasswordBody, example = json!({
        "currentPassword": "SecurePassword123!",
        "newPassword": "correct horse battery staple"
    })),
    responses((status = 204, description = "Changed"))
)]
pub(crate) async fn change_password(mut call: Call) -> Answer {
    let (claims, tenant, scope) = call.person().await?;
    let body = call.body::<ChangePasswordBody>().await?.value;
    let (user, session) = (claims.user, claims.session);
    let wish = ChangePassword {
        user,
        session,
        current: body.current_password.into_secret(),
        new: body.new_password.into_secret(),
        trace: call.request_id(),
    };
    call.on_hashing(move |platform| sign_in::change_password(platform, &tenant, &scope, &wish)).await?;
    call.state.gate.forget_people(|claims| claims.user == user && claims.session != session);
    Ok(respond::private(StatusCode::NO_CONTENT).finish())
}

documented!(ChangePasswordBody);
