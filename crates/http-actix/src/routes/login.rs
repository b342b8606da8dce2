//! Signing in.

use actix_web::http::StatusCode;
use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tenantry_domain::id::{TenantId, UserId};
use tenantry_domain::people::{Ability, Email, PersonName, Role, User, Username};
use tenantry_ports::{Secret, TenantScope};
use tenantry_usecases::sign_in::{self, Login, LoginError};

use super::password::TypedPassword;
use super::people::{cookies, device};
use super::respond;
use crate::body::{Body, TextCheck, text};
use crate::call::{Answer, Call};
use crate::openapi::documented;

/// Who wants to sign in.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Login")]
pub(crate) struct LoginBody {
    /// The e-mail address; its case does not matter.
    email: Email,
    /// The password.
    password: TypedPassword,
}

impl Body for LoginBody {
    const TEXTS: &'static [(&'static str, TextCheck)] =
        &[("/email", text::<Email>), ("/password", TypedPassword::check)];
}

/// Somebody is signed in.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SignedIn")]
pub(crate) struct SignedInView<'a> {
    /// Send it as `Authorization: Bearer …`.
    access_token: &'a str,
    /// `Bearer`.
    token_type: &'static str,
    /// For how many seconds the access token works.
    expires_in: i64,
    user: UserView,
}

impl<'a> SignedInView<'a> {
    /// Somebody with this token, which works for so long.
    pub(super) fn of(token: &'a Secret, lives: TimeDelta, user: UserView) -> Self {
        Self { access_token: token.expose(), token_type: "Bearer", expires_in: lives.num_seconds(), user }
    }

    pub(super) fn example() -> Value {
        json!({
            "accessToken": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9...",
            "tokenType": "Bearer",
            "expiresIn": 600,
            "user": {
                "id": "usr_0195c0de00007000800000000000000a",
                "email": "admin@acme.com",
                "username": "acmeadmin",
                "role": "ADMIN",
                "abilities": [{ "actions": ["manage"], "subjects": ["all"] }],
                "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6"
            }
        })
    }
}

/// Who is signed in.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "User")]
pub(crate) struct UserView {
    id: UserId,
    email: Email,
    username: Username,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<PersonName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<PersonName>,
    role: Role,
    /// What they may do.
    abilities: Vec<Ability>,
    tenant_id: TenantId,
}

impl UserView {
    pub(super) fn of(user: User, tenant: TenantId) -> Self {
        Self {
            id: user.id,
            email: user.email,
            username: user.username,
            first_name: user.first_name,
            last_name: user.last_name,
            role: user.role,
            abilities: user.abilities,
            tenant_id: tenant,
        }
    }
}

/// Sign in
///
/// Answers with an access token and sets the cookies `refreshToken` and `device`. A wrong password, an unknown address and an
/// unknown tenant get the same answer, after the same time. After some failures the next attempt has to wait (429 with
/// `Retry-After`), longer each time, but not for those who send the `device` cookie of an earlier sign-in.
#[utoipa::path(
    post,
    path = "/{tenantId}/auth/login",
    operation_id = "login",
    tag = "auth",
    params(("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64)),
    request_body(content = LoginBody, example = json!({ "email": "admin@acme.com", "password": "ChangeMe123!" })),
    responses((
        status = 200,
        description = "Signed in; the cookie `refreshToken` is set",
        body = SignedInView,
        headers(("Set-Cookie" = String, description = "`refreshToken` and `device`, HttpOnly, SameSite=Strict")),
        example = json!(SignedInView::example())
    ))
)]
pub(crate) async fn login(mut call: Call) -> Answer {
    let body = call.body::<LoginBody>().await?.value;
    let (device, network) = device(&call);
    let login = Login {
        email: body.email,
        password: body.password.into_secret(),
        device,
        network,
        device_token: cookies::sent(&call, cookies::DEVICE).map(Secret::new),
        trace: call.request_id(),
    };
    let named = call.segment("tenantId").to_owned();
    let tenant = call.state.gate.tenant(&named).await?;
    let scope = tenant.as_deref().and_then(|tenant| TenantScope::serving(tenant).ok());
    let Some(scope) = scope else {
        let refused = call.on_hashing(move |platform| {
            Ok::<_, LoginError>(sign_in::login_nowhere(platform, &named, tenant.as_deref(), &login))
        });
        return Err(refused.await?.into());
    };
    let tenant = scope.tenant();
    call.note(|trace| trace.tenant = Some(tenant));
    let signed_in = call.on_hashing(move |platform| sign_in::login(platform, &scope, &login)).await?;
    let now = call.platform().clock.now();
    let mut response = respond::private(StatusCode::OK);
    response.cookie(cookies::refresh(&call, &signed_in.refresh_token, signed_in.refresh_expires_at - now));
    response.cookie(cookies::device(&call, &signed_in.device_token));
    let user = UserView::of(signed_in.user, tenant);
    let view = SignedInView::of(&signed_in.access_token, signed_in.access_expires_at - now, user);
    respond::json(response, &view)
}

documented!(LoginBody, SignedInView<'static>);
