use actix_web::HttpResponse;
use actix_web::http::header;
use tenantry_domain::account::AccountStatus;
use tenantry_domain::config::ConfigId;
use tenantry_domain::id::AccountId;
use tenantry_ports::{AccountFilter, Scope, StoreError, TenantScope};
use tenantry_usecases::access::Need;
use tenantry_usecases::accounts;

use super::no_such_account;
use super::view::AccountView;
use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::openapi::documented;
use crate::problem::{Code, Problem};
use crate::routes::respond::{self, Page};

/// Read an account
///
/// Its full state: balance, PnL, open positions, and how it stands with each rule.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/accounts/{accountId}",
    operation_id = "getAccount",
    tag = "accounts",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("accountId" = String, Path, description = "The account's id", max_length = 64),
    ),
    responses(
        (status = 200, description = "The account", body = AccountView, headers(("ETag" = String)), example = json!({
            "accountId": "acc_0195c0de00007000800000000000000a",
            "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6",
            "userId": "user-42",
            "configId": "25k-eval-v1",
            "configVersion": 1,
            "configHash": "7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730",
            "status": "provisioned",
            "currency": "USD",
            "baseCapital": 25000,
            "balance": 25000,
            "equity": 25000,
            "realisedPnl": { "total": 0, "today": 0 },
            "unrealisedPnl": { "total": 0, "today": 0 },
            "highWaterMark": 25000,
            "dayStartEquity": 25000,
            "tradingDay": "2025-01-10",
            "openPositions": [],
            "challenge": { "id": "phase-1", "index": 0, "phase": "evaluation", "firstTradeAt": null },
            "days": [],
            "tradingDays": 0,
            "winningDays": 0,
            "asOf": "2025-01-10T10:00:00.000Z",
            "ruleStatuses": [
                { "rule": "max_drawdown", "status": "compliant", "limit": 2000, "current": 0, "remaining": 2000 }
            ],
            "meta": null,
            "version": 1,
            "createdAt": "2025-01-10T10:00:00.000Z",
            "updatedAt": "2025-01-10T10:00:00.000Z"
        })),
        (status = 304, description = "It is what `If-None-Match` says"),
    )
)]
pub(crate) async fn read(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::AccountsRead)).await?;
    let id: AccountId = call.segment("accountId").parse().map_err(|_| no_such_account())?;
    let found = call.state.reading.submit(&scope, id).await?;
    let found = found.map_err(|error| Problem::from(error.as_ref()))?.ok_or_else(no_such_account)?;
    let etag = (header::ETAG, found.etag.clone());
    if respond::is_current(call.headers(), &found.etag) {
        return Ok(HttpResponse::NotModified().insert_header(etag).finish());
    }
    let mut response = HttpResponse::Ok();
    response.insert_header(etag);
    Ok(respond::json_bytes(response, found.body.clone()))
}

/// List accounts
///
/// Newest first, with their full state.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/accounts",
    operation_id = "listAccounts",
    tag = "accounts",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("userId" = Option<String>, Query, description = "Only this website user's", max_length = 255),
        ("status" = Option<String>, Query, description = "Only those in this status", max_length = 16),
        ("configId" = Option<String>, Query, description = "Only those of this config", max_length = 64),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of accounts", body = AccountPage))
)]
pub(crate) async fn list(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::AccountsRead)).await?;
    let mut query = call.query();
    let filter = AccountFilter {
        user: query.value("userId"),
        status: query.value::<AccountStatus>("status"),
        config: query.value::<ConfigId>("configId"),
    };
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new(call.platform().digest.as_ref(), list_name(&scope, &filter));
    let after = cursor.map(|cursor| list.position(&cursor)).transpose()?;
    let after: Option<AccountId> =
        after.map(|id| id.parse()).transpose().map_err(|_| Problem::plain(Code::InvalidCursor))?;
    let found = call
        .on_storage::<_, StoreError>(move |platform| {
            accounts::list(platform, &scope, &filter, after, limit + 1)
        })
        .await?;
    let page = Page::of(found, limit, |found| list.cursor(&found.account.id.to_string()), AccountView::from);
    respond::json(HttpResponse::Ok(), &page)
}

/// A cursor is good for the same filters alone. User ids may contain anything, so they come last.
fn list_name(scope: &TenantScope, filter: &AccountFilter) -> String {
    let status = filter.status.map_or("", AccountStatus::as_str);
    let config = filter.config.as_ref().map_or("", ConfigId::as_str);
    let user = filter.user.as_ref().map_or("", |user| user.as_str());
    format!("accounts {} {status} {config} {user}", scope.tenant())
}

pub(crate) type AccountPage = Page<AccountView>;

documented!(AccountView, AccountPage);
