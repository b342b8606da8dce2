use actix_web::HttpResponse;
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::Amount;
use tenantry_domain::account::engine::Trade;
use tenantry_domain::account::{AppliedTrade, TradePlace};
use tenantry_ports::{Scope, StoreError};
use tenantry_usecases::access::Need;
use tenantry_usecases::trades;

use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::openapi::documented;
use crate::problem::{Code, Problem};
use crate::routes::accounts::{account_in_path, no_such_account};
use crate::routes::respond::{self, Page};

/// A trade that was applied to an account.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AppliedTrade")]
pub(crate) struct AppliedTradeView {
    #[serde(flatten)]
    trade: Trade,
    /// What it brought by what it closed, without its commission.
    realised_pnl: Amount,
    /// The number of the entry in the tenant's event log that tells of it.
    sequence: i64,
}

impl From<AppliedTrade> for AppliedTradeView {
    fn from(AppliedTrade { trade, realised_pnl, place, .. }: AppliedTrade) -> Self {
        Self { trade, realised_pnl, sequence: place.sequence }
    }
}

pub(crate) type TradePage = Page<AppliedTradeView>;

/// List an account's trades
///
/// In the order in which they were applied, which for an account is also the order of their times. Trades that were refused are not
/// among them.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/accounts/{accountId}/trades",
    operation_id = "listTrades",
    tag = "trades",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("accountId" = String, Path, description = "The account's id", max_length = 64),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of trades", body = TradePage, example = json!({
        "items": [{
            "tradeId": "t-1001",
            "symbol": "EURUSD",
            "side": "buy",
            "quantity": 1,
            "price": 1.1,
            "contractSize": 100000,
            "commission": 3.5,
            "orderType": "market",
            "executedAt": "2025-01-10T15:30:00.000Z",
            "realisedPnl": 0,
            "sequence": 7
        }],
        "nextCursor": null
    })))
)]
pub(crate) async fn list(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::AccountsRead)).await?;
    let account = account_in_path(&call)?;
    let mut query = call.query();
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let name = format!("trades {} {account}", scope.tenant());
    let list = List::new(call.platform().digest.as_ref(), name);
    let after = cursor.map(|cursor| list.position(&cursor)).transpose()?;
    let invalid = || Problem::plain(Code::InvalidCursor);
    let after = after.map(|place| place_of(&place).ok_or_else(invalid)).transpose()?;
    let found = call
        .on_storage::<_, StoreError>(move |platform| {
            trades::list(platform, &scope, account, after, limit + 1)
        })
        .await?
        .ok_or_else(no_such_account)?;
    let cursor = |trade: &AppliedTrade| {
        let TradePlace { sequence, index } = trade.place;
        list.cursor(&format!("{sequence}.{index}"))
    };
    respond::json(HttpResponse::Ok(), &Page::of(found, limit, cursor, AppliedTradeView::from))
}

fn place_of(text: &str) -> Option<TradePlace> {
    let (sequence, index) = text.split_once('.')?;
    Some(TradePlace { sequence: sequence.parse().ok()?, index: index.parse().ok()? })
}

documented!(AppliedTradeView, TradePage);
