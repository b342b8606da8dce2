use actix_web::http::{StatusCode, header};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_domain::id::{TenantId, UserId};
use tenantry_domain::people::{Ability, PersonName, Role, User, UserChange};
use tenantry_domain::timestamp;
use tenantry_ports::{StoreError, UserFilter};
use tenantry_usecases::access::Need;
use tenantry_usecases::users::{self, ChangeUser};

use super::register::role;
use crate::body::{Body, TextCheck, present, text};
use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::openapi::documented;
use crate::precondition::IfMatch;
use crate::problem::{Code, Problem};
use crate::query::Query;
use crate::routes::login::UserView;
use crate::routes::respond::{self, Page};

/// The longest text to look for: that of the longest e-mail address.
const LONGEST_TEXT: usize = 254;

/// A user, as an admin sees them.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Person")]
pub(crate) struct PersonView {
    #[serde(flatten)]
    user: UserView,
    /// Whether they may sign in.
    active: bool,
    /// Whether the address is known to be theirs.
    verified: bool,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    created_at: DateTime<Utc>,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    updated_at: DateTime<Utc>,
    /// Counts their changes; also the `ETag`.
    version: i64,
}

impl PersonView {
    fn of(user: User, tenant: TenantId) -> Self {
        Self {
            active: user.active,
            verified: user.verified,
            created_at: user.created_at,
            updated_at: user.updated_at,
            version: user.version,
            user: UserView::of(user, tenant),
        }
    }
}

pub(crate) type PersonPage = Page<PersonView>;

/// List users
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/{tenantId}/users",
    operation_id = "listUsers",
    tag = "users",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("role" = Option<String>, Query, description = "Only those with this role: ADMIN, USER or VENDOR", max_length = 20),
        ("active" = Option<bool>, Query, description = "Only those who may sign in (`true`), or may not (`false`)"),
        ("q" = Option<String>, Query, description = "Only those whose e-mail address or username contains this, in upper or lower case", max_length = 254),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of users", body = PersonPage, example = json!({
        "items": [{
            "id": "usr_0195c0de00007000800000000000000a",
            "email": "admin@acme.com",
            "username": "acmeadmin",
            "role": "ADMIN",
            "abilities": [{ "actions": ["manage"], "subjects": ["all"] }],
            "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6",
            "active": true,
            "verified": true,
            "createdAt": "2025-01-10T10:00:00.000Z",
            "updatedAt": "2025-01-10T10:00:00.000Z",
            "version": 1
        }],
        "nextCursor": null
    })))
)]
pub(crate) async fn list(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Admin).await?;
    let mut query = call.query();
    let filter = filter(&mut query);
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let tenant = scope.tenant();
    let list = List::new(call.platform().digest.as_ref(), list_name(tenant, &filter));
    let after = cursor.map(|cursor| position(&list.position(&cursor)?)).transpose()?;
    let found = call.on_storage::<_, StoreError>(move |platform| {
        users::list(platform, &scope, &filter, after, limit + 1)
    });
    let page = Page::of(
        found.await?,
        limit,
        |user| list.cursor(&user.id.to_string()),
        |user| PersonView::of(user, tenant),
    );
    respond::json(respond::private(StatusCode::OK), &page)
}

fn filter(query: &mut Query) -> UserFilter {
    let role = query.value::<Role>("role");
    let active = query.value::<bool>("active");
    let text = query.text("q").filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
        query.fault("q", "too_long", format!("The text may have at most {LONGEST_TEXT} characters"));
    }
    UserFilter { role, active, text }
}

/// A cursor is good for the same filters alone. The text may contain anything, so it comes last.
fn list_name(tenant: TenantId, filter: &UserFilter) -> String {
    let role = filter.role.map_or("", Role::as_str);
    let text = filter.text.as_deref().unwrap_or_default();
    format!("users {tenant} {role} {:?} {text}", filter.active)
}

fn position(text: &str) -> Result<UserId, Problem> {
    text.parse().map_err(|_| Problem::plain(Code::InvalidCursor))
}

/// Read a user
#[utoipa::path(
    get,
    path = "/{tenantId}/users/{userId}",
    operation_id = "getUser",
    tag = "users",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("userId" = String, Path, description = "The user's id", max_length = 64),
    ),
    responses(
        (status = 200, description = "The user", body = PersonView, headers(("ETag" = String)), example = json!({
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
            "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6",
            "active": true,
            "verified": true,
            "createdAt": "2025-01-10T10:00:00.000Z",
            "updatedAt": "2025-01-10T10:00:00.000Z",
            "version": 1
        })),
        (status = 304, description = "It is what `If-None-Match` says"),
    )
)]
pub(crate) async fn read(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Admin).await?;
    let (user, tenant) = (user_in_path(&call)?, scope.tenant());
    let found = call.on_storage::<_, StoreError>(move |platform| users::find(platform, &scope, user));
    let user = found.await?.ok_or_else(no_such_user)?;
    let etag = respond::etag(user.version);
    if respond::is_current(call.headers(), &etag) {
        return Ok(respond::private(StatusCode::NOT_MODIFIED).insert_header((header::ETAG, etag)).finish());
    }
    answer(user, tenant)
}

/// What is to be different about a user; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ChangeUser")]
pub(crate) struct ChangeUserBody {
    /// Their first name; `null` for none.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<PersonName>")]
    first_name: Option<Option<PersonName>>,
    /// Their last name; `null` for none.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<PersonName>")]
    last_name: Option<Option<PersonName>>,
    /// What they are. Whoever had the abilities of the old role gets those of the new one.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Role")]
    role: Option<Role>,
    /// What they may do; `null` for what their role may.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Vec<Ability>>")]
    abilities: Option<Option<Vec<Ability>>>,
    /// Whether they may sign in; whoever may not is signed out everywhere.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "bool")]
    active: Option<bool>,
}

impl Body for ChangeUserBody {
    const TEXTS: &'static [(&'static str, TextCheck)] =
        &[("/firstName", text::<PersonName>), ("/lastName", text::<PersonName>), ("/role", role)];
}

/// Change a user
///
/// Names, role, abilities, and whether they may sign in; what is left out stays. The last admin who can sign in stays one.
/// Send the `ETag` of what you have seen as `If-Match` to change that and nothing newer.
#[utoipa::path(
    patch,
    path = "/{tenantId}/users/{userId}",
    operation_id = "changeUser",
    tag = "users",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("userId" = String, Path, description = "The user's id", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the user has to have"),
    ),
    request_body(content = ChangeUserBody, example = json!({ "role": "VENDOR", "active": true })),
    responses((
        status = 200,
        description = "The user as they are now",
        body = PersonView,
        headers(("ETag" = String)),
        example = json!({
            "id": "usr_0195c0de00007000800000000000000a",
            "email": "john.doe@acme.com",
            "username": "johndoe",
            "firstName": "John",
            "lastName": "Doe",
            "role": "VENDOR",
            "abilities": [
                { "actions": ["read"], "subjects": ["Tender"], "conditions": { "status": "published" } },
                {
                    "actions": ["create", "submit", "manage"],
                    "subjects": ["Bid"],
                    "conditions": { "vendorId": "{{userId}}" }
                }
            ],
            "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6",
            "active": true,
            "verified": true,
            "createdAt": "2025-01-10T10:00:00.000Z",
            "updatedAt": "2025-01-11T08:30:00.000Z",
            "version": 2
        })
    ))
)]
pub(crate) async fn change(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Admin).await?;
    let (user, tenant) = (user_in_path(&call)?, scope.tenant());
    let body = call.body::<ChangeUserBody>().await?.value;
    let meant = IfMatch::of(call.headers());
    let change = UserChange {
        first_name: body.first_name,
        last_name: body.last_name,
        role: body.role,
        abilities: body.abilities,
        active: body.active,
    };
    let (actor, trace) = (caller.actor(), call.request_id());
    let changed = call.on_storage::<_, Problem>(move |platform| {
        let found = users::find(platform, &scope, user)?.ok_or_else(no_such_user)?;
        let version = meant.check(found.version)?;
        let wish = ChangeUser { user, version, change, actor, trace };
        users::change(platform, &scope, wish).map_err(|error| meant.blame(error.into()))
    });
    let changed = changed.await?;
    call.state.gate.forget_people(|claims| claims.user == user);
    answer(changed, tenant)
}

/// The user, with their version for `If-Match`.
fn answer(user: User, tenant: TenantId) -> Answer {
    let mut response = respond::private(StatusCode::OK);
    response.insert_header((header::ETAG, respond::etag(user.version)));
    respond::json(response, &PersonView::of(user, tenant))
}

/// The user that the path names.
pub(super) fn user_in_path(call: &Call) -> Result<UserId, Problem> {
    call.segment("userId").parse().map_err(|_| no_such_user())
}

pub(super) fn no_such_user() -> Problem {
    Problem::new(Code::UserNotFound, "The tenant has no user of this id")
}

documented!(PersonView, PersonPage, ChangeUserBody);
