use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenantry_domain::people::{Ability, Email, PersonName, Role, User, Username};
use tenantry_domain::tenant::Tenant;
use tenantry_domain::text::InvalidText;
use tenantry_ports::{IdempotencyKey, MacPurpose, Secret};
use tenantry_usecases::access::Need;
use tenantry_usecases::idempotency::keep_refusal;
use tenantry_usecases::users::{self, RegisterError, RegisterUser};

use crate::body::{self, Body, TextCheck, text};
use crate::call::{Answer, Call};
use crate::idempotency::{self, REPLAYED};
use crate::openapi::documented;
use crate::problem::Problem;
use crate::routes::login::UserView;
use crate::routes::password::TypedPassword;
use crate::routes::respond;

/// A person who is to be able to sign in.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RegisterUser")]
pub(crate) struct RegisterBody {
    /// What they sign in with; unique within the tenant, in upper or lower case.
    email: Email,
    /// Unique within the tenant; if absent, what stands before the `@`.
    #[serde(default)]
    username: Option<Username>,
    /// At least 8 characters, and none of those that everybody tries.
    password: TypedPassword,
    #[serde(default)]
    first_name: Option<PersonName>,
    #[serde(default)]
    last_name: Option<PersonName>,
    /// What they are.
    #[serde(default)]
    role: Role,
    /// What they may do; if absent, what their role may. `{{userId}}` in conditions stands for their own id.
    #[serde(default)]
    abilities: Option<Vec<Ability>>,
}

impl Body for RegisterBody {
    const TEXTS: &'static [(&'static str, TextCheck)] = &[
        ("/email", text::<Email>),
        ("/username", text::<Username>),
        ("/password", TypedPassword::check),
        ("/firstName", text::<PersonName>),
        ("/lastName", text::<PersonName>),
        ("/role", role),
    ];
}

/// Whether it names a role.
pub(super) fn role(text: &str) -> Result<(), InvalidText> {
    let parsed = text.parse::<Role>();
    parsed.map(drop).map_err(|error| InvalidText::new("invalid_role", error.to_string()))
}

/// Somebody who was registered.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Registered")]
pub(crate) struct RegisteredView<'a> {
    /// An access token of theirs, unless the server is set not to give one.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<&'a str>,
    #[schemars(with = "UserView")]
    user: &'a Value,
}

/// Register a user
///
/// They can sign in at once. Send an `Idempotency-Key` (or `requestId`): a repeated request then gets the first answer, with
/// `Idempotent-Replayed: true`, and no second user.
#[utoipa::path(
    post,
    path = "/{tenantId}/auth/register",
    operation_id = "registerUser",
    tag = "auth",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters", max_length = 512),
        ("requestId" = Option<String>, Header, description = "Another name for `Idempotency-Key`", max_length = 512),
    ),
    request_body(content = RegisterBody, example = json!({
        "email": "john.doe@acme.com",
        "username": "johndoe",
        "password": "SecurePassword123!",
        "firstName": "John",
        "lastName": "Doe",
        "role": "USER"
    })),
    responses((
        status = 201,
        description = "Registered",
        body = RegisteredView,
        headers(
            ("Location" = String, description = "The user"),
            ("Idempotent-Replayed" = String, description = "`true` on a repeated answer, else absent"),
        ),
        example = json!({
            "accessToken": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9...",
            "user": {
                "id": "usr_0195c0de00007000800000000000000a",
                "email": "john.doe@acme.com",
                "username": "johndoe",
                "firstName": "John",
                "lastName": "Doe",
                "role": "USER",
                "abilities": [
                    {
                        "actions": ["create", "read", "update"],
                        "subjects": ["Tender"],
                        "conditions": { "creatorId": "{{userId}}" }
                    },
                    { "actions": ["read", "score"], "subjects": ["Bid"] }
                ],
                "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6"
            }
        })
    ))
)]
pub(crate) async fn register(mut call: Call) -> Answer {
    let (caller, tenant, scope) = call.served(Need::Admin).await?;
    let key = idempotency::key(call.headers())?;
    let received = call.body::<RegisterBody>().await?;
    let idempotency = match key {
        None => None,
        Some(key) => {
            let request = idempotency::Request {
                operation: "registerUser",
                tenant: tenant.id,
                query: call.query_text(),
                content_type: body::content_type(call.request())?,
                body: &received.bytes,
            };
            let IdempotencyKey { scope, fingerprint } =
                request.keyed(&caller, &key, call.platform().digest.as_ref());
            // A plain hash of a request with a password in it could be searched for the password.
            let fingerprint = call.platform().macs.make(MacPurpose::Fingerprint, &[&fingerprint]);
            Some(IdempotencyKey { scope, fingerprint })
        }
    };
    let (body, refusals, key) = (received.value, call.refusals(), idempotency.clone());
    let wish = RegisterUser {
        email: body.email,
        username: body.username,
        password: body.password.into_secret(),
        first_name: body.first_name,
        last_name: body.last_name,
        role: body.role,
        abilities: body.abilities,
        actor: caller.actor(),
        idempotency,
        trace: call.request_id(),
    };
    let registered = call.on_hashing::<_, Problem>(move |platform| {
        let refusal = match users::register(platform, &tenant, &scope, wish, view) {
            Ok(registered) => return Ok(Ok(registered)),
            Err(RegisterError::RefusedBefore(answer)) => return Ok(Err((answer, true))),
            Err(refusal) => Problem::from(refusal),
        };
        let kept = key.zip(refusals.kept(&refusal));
        match kept {
            Some((key, answer)) if keep_refusal(platform, &scope, &key, &answer)? => Ok(Err((answer, false))),
            _ => Err(refusal),
        }
    });
    let registered = match registered.await? {
        Ok(registered) => registered,
        Err((refusal, replayed)) => return Ok(idempotency::answer(refusal, replayed)),
    };
    let mut response = respond::private(StatusCode::CREATED);
    if registered.replayed {
        response.insert_header((REPLAYED, HeaderValue::from_static("true")));
    }
    let base = call.path().trim_end_matches("/auth/register");
    response.insert_header((header::LOCATION, format!("{base}/users/{}", registered.id)));
    let access_token = registered.access_token.as_ref().map(Secret::expose);
    respond::json(response, &RegisteredView { access_token, user: &registered.view })
}

fn view(user: &User, tenant: &Tenant) -> Value {
    // Texts always serialise.
    serde_json::to_value(UserView::of(user.clone(), tenant.id)).unwrap_or_default()
}

documented!(RegisterBody, RegisteredView<'static>);
