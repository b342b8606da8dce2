use actix_web::HttpResponse;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::account::AccountMapping;
use tenantry_domain::id::{AccountId, MappingId};
use tenantry_domain::timestamp;
use tenantry_ports::{Scope, StoreError};
use tenantry_usecases::access::Need;
use tenantry_usecases::mappings::{self, MappedAccount};

use super::view::MappingView;
use super::{account_in_path, no_such_account, user_in_path};
use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::openapi::documented;
use crate::problem::{Code, Problem};
use crate::routes::accounts::AccountView;
use crate::routes::respond::{self, Page};

/// An account of a user, with its full state.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "MappedAccount")]
pub(crate) struct MappedAccountView {
    #[serde(flatten)]
    account: AccountView,
    /// Whether it is theirs because it was provisioned for them; `userId` says for whom it was.
    provisioned: bool,
    /// Since when it is theirs.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    mapped_at: DateTime<Utc>,
    /// Who mapped it; null if it was provisioned for them.
    mapped_by: Option<String>,
}

impl From<MappedAccount> for MappedAccountView {
    fn from(MappedAccount { view, mapping }: MappedAccount) -> Self {
        Self {
            account: view.into(),
            provisioned: mapping.mapped_by.is_none(),
            mapped_at: mapping.mapped_at,
            mapped_by: mapping.mapped_by,
        }
    }
}

pub(crate) type MappedAccountPage = Page<MappedAccountView>;
pub(crate) type MappingPage = Page<MappingView>;

/// List a user's accounts
///
/// Those that were provisioned for them and those that were mapped to them, unless they were taken from them since. Newest
/// first, with their full state. Nobody tells tenantry who the website's users are: of one it never heard of, there are none.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/users/{userId}/accounts",
    operation_id = "listAccountsOfUser",
    tag = "accounts",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("userId" = String, Path, description = "What the website calls its user", max_length = 255),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of accounts", body = MappedAccountPage))
)]
pub(crate) async fn accounts_of(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::AccountsRead)).await?;
    let user = user_in_path(&call).await?;
    let mut query = call.query();
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let name = format!("accounts of user {} {user}", scope.tenant());
    let list = List::new(call.platform().digest.as_ref(), name);
    let after: Option<AccountId> = position(&list, cursor)?;
    let found = call.on_storage::<_, StoreError>(move |platform| {
        mappings::accounts_of(platform, &scope, &user, after, limit + 1)
    });
    let page = Page::of(
        found.await?,
        limit,
        |found| list.cursor(&found.view.account.id.to_string()),
        MappedAccountView::from,
    );
    respond::json(HttpResponse::Ok(), &page)
}

/// List an account's users
///
/// Oldest first: the one it was provisioned for, and those it was mapped to. With `history=true` also those it was taken from, as
/// often as they had it: who mapped it and when, and who ended that and when.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/accounts/{accountId}/users",
    operation_id = "listUsersOfAccount",
    tag = "accounts",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("accountId" = String, Path, description = "The account's id", max_length = 64),
        ("history" = Option<bool>, Query, description = "Whether to list also what has ended; `false` if absent"),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of mappings", body = MappingPage, example = json!({
        "items": [
            {
                "accountId": "acc_0195c0de00007000800000000000000a",
                "userId": "user-42",
                "provisioned": true,
                "mappedAt": "2025-01-10T10:00:00.000Z",
                "mappedBy": null,
                "unmappedAt": null,
                "unmappedBy": null
            },
            {
                "accountId": "acc_0195c0de00007000800000000000000a",
                "userId": "user-43",
                "provisioned": false,
                "mappedAt": "2025-01-11T09:30:00.000Z",
                "mappedBy": "key_0195c0de00007000800000000000000b",
                "unmappedAt": null,
                "unmappedBy": null
            }
        ],
        "nextCursor": null
    })))
)]
pub(crate) async fn users_of(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::AccountsRead)).await?;
    let account = account_in_path(&call)?;
    let mut query = call.query();
    let history = query.value::<bool>("history").unwrap_or_default();
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let name = format!("users of account {} {account} {history}", scope.tenant());
    let list = List::new(call.platform().digest.as_ref(), name);
    let after: Option<MappingId> = position(&list, cursor)?;
    let found = call.on_storage::<_, StoreError>(move |platform| {
        mappings::users_of(platform, &scope, account, history, after, limit + 1)
    });
    let found = found.await?.ok_or_else(no_such_account)?;
    let cursor = |mapping: &AccountMapping| list.cursor(&mapping.id.to_string());
    respond::json(HttpResponse::Ok(), &Page::of(found, limit, cursor, MappingView::from))
}

fn position<T: std::str::FromStr>(list: &List<'_>, cursor: Option<String>) -> Result<Option<T>, Problem> {
    let position = cursor.map(|cursor| list.position(&cursor)).transpose()?;
    let position = position.map(|text| text.parse()).transpose();
    position.map_err(|_| Problem::plain(Code::InvalidCursor))
}

documented!(MappedAccountPage, MappingPage);
