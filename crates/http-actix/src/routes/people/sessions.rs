use std::net::IpAddr;

use actix_web::http::StatusCode;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::id::{SessionId, UserId};
use tenantry_domain::people::Session;
use tenantry_domain::timestamp;
use tenantry_ports::{StoreError, TenantScope};
use tenantry_usecases::access::Need;
use tenantry_usecases::sign_in::{self, Revocation};
use tenantry_usecases::users;

use super::users::{no_such_user, user_in_path};
use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::openapi::documented;
use crate::problem::{Code, Problem};
use crate::routes::respond::{self, Page};

/// Where somebody is signed in.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Session")]
pub(crate) struct SessionView {
    id: SessionId,
    user_id: UserId,
    /// When they signed in.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    created_at: DateTime<Utc>,
    /// When it was last prolonged.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    last_used_at: DateTime<Utc>,
    /// When it ends if it is not used.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    expires_at: DateTime<Utc>,
    /// When it ends in any case.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    ends_at: DateTime<Utc>,
    /// What the program calls itself.
    user_agent: Option<String>,
    /// The address it last called from.
    address: Option<IpAddr>,
    /// Whether it is the caller's own.
    current: bool,
}

impl SessionView {
    fn of(session: Session, current: Option<SessionId>) -> Self {
        Self {
            id: session.id,
            user_id: session.user,
            created_at: session.created_at,
            last_used_at: session.refreshed_at,
            expires_at: session.expires_at,
            ends_at: session.ends_at,
            user_agent: session.device.user_agent,
            address: session.device.address,
            current: current == Some(session.id),
        }
    }
}

pub(crate) type SessionPage = Page<SessionView>;

/// List one's sessions
///
/// Where the caller is signed in, newest first.
#[utoipa::path(
    get,
    path = "/{tenantId}/auth/sessions",
    operation_id = "listOwnSessions",
    tag = "auth",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of sessions", body = SessionPage, example = json!({
        "items": [{
            "id": "ses_0195c0de00007000800000000000000a",
            "userId": "usr_0195c0de00007000800000000000000a",
            "createdAt": "2025-01-10T10:00:00.000Z",
            "lastUsedAt": "2025-01-11T08:30:00.000Z",
            "expiresAt": "2025-02-10T08:30:00.000Z",
            "endsAt": "2025-04-10T10:00:00.000Z",
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "address": "192.0.2.7",
            "current": true
        }],
        "nextCursor": null
    })))
)]
pub(crate) async fn own(call: Call) -> Answer {
    let (claims, _, scope) = call.person().await?;
    page(&call, scope, claims.user, Some(claims.session)).await
}

/// End one of one's sessions
///
/// Its refresh token and its access tokens stop working: here at once, on other replicas within a second.
#[utoipa::path(
    delete,
    path = "/{tenantId}/auth/sessions/{sessionId}",
    operation_id = "endOwnSession",
    tag = "auth",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("sessionId" = String, Path, description = "The session's id", max_length = 64),
    ),
    responses((status = 204, description = "Ended"))
)]
pub(crate) async fn end_own(call: Call) -> Answer {
    let (claims, _, scope) = call.person().await?;
    end(&call, scope, claims.user, claims.user.to_string()).await
}

/// List a user's sessions
///
/// Where they are signed in, newest first.
#[utoipa::path(
    get,
    path = "/{tenantId}/users/{userId}/sessions",
    operation_id = "listSessionsOfUser",
    tag = "users",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("userId" = String, Path, description = "The user's id", max_length = 64),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of sessions", body = SessionPage, example = json!({
        "items": [{
            "id": "ses_0195c0de00007000800000000000000a",
            "userId": "usr_0195c0de00007000800000000000000a",
            "createdAt": "2025-01-10T10:00:00.000Z",
            "lastUsedAt": "2025-01-11T08:30:00.000Z",
            "expiresAt": "2025-02-10T08:30:00.000Z",
            "endsAt": "2025-04-10T10:00:00.000Z",
            "userAgent": null,
            "address": null,
            "current": false
        }],
        "nextCursor": null
    })))
)]
pub(crate) async fn of_user(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Admin).await?;
    let user = user_in_path(&call)?;
    let looked_in = scope.clone();
    let found = call.on_storage::<_, StoreError>(move |platform| users::find(platform, &looked_in, user));
    found.await?.ok_or_else(no_such_user)?;
    page(&call, scope, user, None).await
}

/// End a session of a user
///
/// As ending one's own.
#[utoipa::path(
    delete,
    path = "/{tenantId}/users/{userId}/sessions/{sessionId}",
    operation_id = "endSessionOfUser",
    tag = "users",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("userId" = String, Path, description = "The user's id", max_length = 64),
        ("sessionId" = String, Path, description = "The session's id", max_length = 64),
    ),
    responses((status = 204, description = "Ended"))
)]
pub(crate) async fn end_of_user(call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Admin).await?;
    let user = user_in_path(&call)?;
    end(&call, scope, user, caller.actor()).await
}

async fn page(call: &Call, scope: TenantScope, user: UserId, current: Option<SessionId>) -> Answer {
    let mut query = call.query();
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new(call.platform().digest.as_ref(), format!("sessions {} {user}", scope.tenant()));
    let after = cursor.map(|cursor| position(&list.position(&cursor)?)).transpose()?;
    let found = call.on_storage::<_, StoreError>(move |platform| {
        sign_in::live_sessions(platform, &scope, user, after, limit + 1)
    });
    let page = Page::of(
        found.await?,
        limit,
        |session| list.cursor(&session.id.to_string()),
        |session| SessionView::of(session, current),
    );
    respond::json(respond::private(StatusCode::OK), &page)
}

fn position(text: &str) -> Result<SessionId, Problem> {
    text.parse().map_err(|_| Problem::plain(Code::InvalidCursor))
}

async fn end(call: &Call, scope: TenantScope, user: UserId, actor: String) -> Answer {
    let unknown = || Problem::new(Code::SessionNotFound, "The user has no session of this id");
    let session: SessionId = call.segment("sessionId").parse().map_err(|_| unknown())?;
    let wish = Revocation { user, session, actor, trace: call.request_id() };
    let ended = call
        .on_storage::<_, StoreError>(move |platform| sign_in::revoke_session(platform, &scope, &wish))
        .await?;
    if !ended {
        return Err(unknown());
    }
    call.state.gate.forget_people(|claims| claims.session == session);
    Ok(respond::private(StatusCode::NO_CONTENT).finish())
}

documented!(SessionPage);
