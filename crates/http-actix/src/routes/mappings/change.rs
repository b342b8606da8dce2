use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use tenantry_ports::Scope;
use tenantry_usecases::access::Need;
use tenantry_usecases::mappings::{self, MapAccount, UnmapAccount};

use super::view::{self, MappingView};
use super::{account_in_path, user_in_path};
use crate::call::{Answer, Call};
use crate::idempotency::REPLAYED;
use crate::problem::Problem;
use crate::routes::respond;

/// Map an account to a user
///
/// The account is that user's from now on, besides whoever else's it is: one account may be mapped to several users. The one it
/// was provisioned for has it from the beginning. Mapping it to a user who has it changes nothing, and is answered with 200
/// and the mapping there is.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/users/{userId}/accounts/{accountId}/map",
    operation_id = "mapAccount",
    tag = "accounts",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("userId" = String, Path, description = "What the website calls its user", max_length = 255),
        ("accountId" = String, Path, description = "The account's id", max_length = 64),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters", max_length = 512),
        ("requestId" = Option<String>, Header, description = "Another name for `Idempotency-Key`", max_length = 512),
    ),
    responses(
        (
            status = 201,
            description = "Mapped",
            body = MappingView,
            headers(("Idempotent-Replayed" = String, description = "`true` on a repeated answer, else absent")),
            example = json!({
                "accountId": "acc_0195c0de00007000800000000000000a",
                "userId": "user-43",
                "provisioned": false,
                "mappedAt": "2025-01-10T10:00:00.000Z",
                "mappedBy": "key_0195c0de00007000800000000000000b",
                "unmappedAt": null,
                "unmappedBy": null
            })
        ),
        (
            status = 200,
            description = "It was mapped before",
            body = MappingView,
            headers(("Idempotent-Replayed" = String, description = "`true` on a repeated answer, else absent")),
            example = json!({
                "accountId": "acc_0195c0de00007000800000000000000a",
                "userId": "user-42",
                "provisioned": true,
                "mappedAt": "2025-01-10T10:00:00.000Z",
                "mappedBy": null,
                "unmappedAt": null,
                "unmappedBy": null
            })
        ),
    )
)]
pub(crate) async fn map(call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::AccountsWrite)).await?;
    let (user, account) = (user_in_path(&call).await?, account_in_path(&call)?);
    // There is no body; what tells one of these requests from another is in the path.
    let request = format!("{account} {user}");
    let idempotency = call.idempotency(&caller, scope.tenant(), "mapAccount", request.as_bytes())?;
    let wish = MapAccount { account, user, actor: caller.actor(), idempotency, trace: call.request_id() };
    let mapped = call
        .on_storage::<_, Problem>(move |platform| Ok(mappings::map(platform, &scope, wish, view::answer)?))
        .await?;
    let mut response =
        HttpResponse::build(StatusCode::from_u16(mapped.status).unwrap_or(StatusCode::CREATED));
    if mapped.replayed {
        response.insert_header((REPLAYED, HeaderValue::from_static("true")));
    }
    Ok(respond::json_bytes(response, mapped.body))
}

/// Take an account from a user
///
/// Also from the one it was provisioned for. That it was theirs is kept (`…/accounts/{accountId}/users?history=true`), and it may
/// be mapped to them again.
#[utoipa::path(
    delete,
    path = "/tenants/{tenantId}/users/{userId}/accounts/{accountId}/map",
    operation_id = "unmapAccount",
    tag = "accounts",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("userId" = String, Path, description = "What the website calls its user", max_length = 255),
        ("accountId" = String, Path, description = "The account's id", max_length = 64),
    ),
    responses((status = 204, description = "It is theirs no longer"))
)]
pub(crate) async fn unmap(call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::AccountsWrite)).await?;
    let (user, account) = (user_in_path(&call).await?, account_in_path(&call)?);
    let wish = UnmapAccount { account, user, actor: caller.actor(), trace: call.request_id() };
    call.on_storage::<_, Problem>(move |platform| Ok(mappings::unmap(platform, &scope, wish)?)).await?;
    Ok(HttpResponse::NoContent().finish())
}
