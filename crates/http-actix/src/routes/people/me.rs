use actix_web::http::{StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::people::{Abilities, RoleConfig, User, role_config as role_templates};
use tenantry_ports::StoreError;
use tenantry_usecases::access::Need;
use tenantry_usecases::users;

use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::problem::{Code, Problem};
use crate::routes::login::UserView;
use crate::routes::respond;

/// Read the caller
///
/// Who is signed in, and what they may do: their abilities with their own id in the place of `{{userId}}`.
#[utoipa::path(
    get,
    path = "/{tenantId}/auth/me",
    operation_id = "me",
    tag = "auth",
    params(("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64)),
    responses(
        (status = 200, description = "The caller", body = UserView, headers(("ETag" = String)), example = json!({
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
                    "conditions": { "creatorId": "usr_0195c0de00007000800000000000000a" }
                },
                { "actions": ["read", "score"], "subjects": ["Bid"] }
            ],
            "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6"
        })),
        (status = 304, description = "It is what `If-None-Match` says"),
    )
)]
pub(crate) async fn me(call: Call) -> Answer {
    let (claims, tenant, scope) = call.person().await?;
    let found = call.on_storage::<_, StoreError>(move |platform| users::find(platform, &scope, claims.user));
    let gone = || Problem::new(Code::InvalidToken, "The user does not exist any more");
    let user = found.await?.ok_or_else(gone)?;
    let etag = respond::etag(user.version);
    if respond::is_current(call.headers(), &etag) {
        return Ok(respond::private(StatusCode::NOT_MODIFIED).insert_header((header::ETAG, etag)).finish());
    }
    let abilities = Abilities::of(&user).as_slice().to_vec();
    let mut response = respond::private(StatusCode::OK);
    response.insert_header((header::ETAG, etag));
    respond::json(response, &UserView::of(User { abilities, ..user }, tenant.id))
}

/// What the roles are.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(rename = "RoleConfig")]
pub(crate) struct RoleConfigView(RoleConfig);

/// Read the role configuration
///
/// The static template: which roles there are, and what they stand for.
#[utoipa::path(
    get,
    path = "/{tenantId}/auth/roles/config",
    operation_id = "getRoleConfig",
    tag = "auth",
    params(("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64)),
    responses((status = 200, description = "The roles", body = RoleConfigView, example = json!({
        "roles": [
            { "role": "ADMIN", "permissions": ["*"], "description": "System administrator with full access" },
            {
                "role": "USER",
                "permissions": ["read:tenders", "create:tenders", "score:bids"],
                "description": "Internal user who can create tenders and score bids"
            },
            {
                "role": "VENDOR",
                "permissions": ["read:own", "create:bids", "submit:bids"],
                "description": "External vendor who can submit bids"
            }
        ]
    })))
)]
pub(crate) async fn role_config(call: Call) -> Answer {
    call.scope(Need::Admin).await?;
    respond::json(respond::private(StatusCode::OK), &RoleConfigView(role_templates()))
}

documented!(RoleConfigView, UserView);
