use actix_web::HttpResponse;
use actix_web::http::header::HeaderValue;
use tenantry_ports::Scope;
use tenantry_usecases::access::Need;
use tenantry_usecases::accounts::Hand;
use tenantry_usecases::trades::ApplyTrades;

use super::body::TradesBody;
use super::view::TradedView;
use crate::call::{Answer, Call};
use crate::idempotency::REPLAYED;
use crate::routes::accounts::account_in_path;
use crate::routes::respond;

/// Report trades
///
/// One trade, or up to 1,000 in the order in which they were executed. Each is applied to the account by the rules of its config, and
/// answered by itself: a `tradeId` that was applied before is a `duplicate` and changes nothing, however often it comes; a trade that
/// cannot be applied is `refused` and may come again. All that is applied is kept together, and is kept when this answers.
///
/// Times are those of your engine: a trade may be older or younger than the server's clock, but not older than what was last applied
/// to the account. If anything in the body is malformed nothing is applied.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/accounts/{accountId}/trades",
    operation_id = "applyTrades",
    tag = "trades",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("accountId" = String, Path, description = "The account's id", max_length = 64),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters", max_length = 512),
        ("requestId" = Option<String>, Header, description = "Another name for `Idempotency-Key`", max_length = 512),
    ),
    request_body(content = TradesBody, example = json!({
        "tradeId": "t-1001",
        "symbol": "EURUSD",
        "side": "buy",
        "quantity": 1,
        "price": 1.1,
        "contractSize": 100000,
        "commission": 3.5,
        "orderType": "market",
        "executedAt": "2025-01-10T15:30:00Z"
    })),
    responses((
        status = 200,
        description = "What became of each trade, and how the account stands now",
        body = TradedView<'static>,
        headers(("Idempotent-Replayed" = String, description = "`true` on a repeated answer, else absent")),
        example = json!({
            "accountId": "acc_0195c0de00007000800000000000000a",
            "status": "active",
            "balance": 24996.5,
            "equity": 24996.5,
            "realisedPnl": { "total": 0, "today": 0 },
            "unrealisedPnl": { "total": 0, "today": 0 },
            "highWaterMark": 25000,
            "dayStartEquity": 25000,
            "openPositions": [{
                "symbol": "EURUSD",
                "side": "long",
                "quantity": 1,
                "contractSize": 100000,
                "averageEntryPrice": 1.1,
                "mark": 1.1,
                "unrealisedPnl": 0
            }],
            "challenge": {
                "id": "phase-1", "index": 0, "phase": "evaluation", "firstTradeAt": "2025-01-10T15:30:00.000Z"
            },
            "ruleStatuses": [
                { "rule": "max_drawdown", "status": "compliant", "limit": 2000, "current": 3.5, "remaining": 1996.5 }
            ],
            "asOf": "2025-01-10T15:30:00.000Z",
            "version": 2,
            "results": [{ "tradeId": "t-1001", "outcome": "applied", "realisedPnl": 0 }],
            "violations": []
        })
    ))
)]
pub(crate) async fn apply(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Scope(Scope::TradesWrite)).await?;
    let account = account_in_path(&call)?;
    let received = call.bulk_body::<TradesBody>().await?;
    let idempotency = call.idempotency(&caller, scope.tenant(), &operation(account), &received.bytes)?;
    let trades = received.value.trades()?;
    let hand = Hand { actor: caller.actor(), trace: call.request_id() };
    let command = ApplyTrades { account, trades, idempotency, hand };
    let receipt = call.state.trading.submit(&scope, command).await??;
    let mut response = HttpResponse::Ok();
    if receipt.replayed {
        response.insert_header((REPLAYED, HeaderValue::from_static("true")));
    }
    Ok(respond::json_bytes(response, receipt.body))
}

/// The same trades of another account are another request.
fn operation(account: tenantry_domain::id::AccountId) -> String {
    format!("applyTrades:{account}")
}
