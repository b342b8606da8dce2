use tenantry_domain::account::engine::{Trade, TradeId};
use tenantry_domain::account::{AppliedTrade, TradePlace};
use tenantry_domain::id::AccountId;

/// A trade of this id that was applied to this account, with amounts of 28 significant digits.
///
/// # Panics
/// If the text is no trade id.
pub fn applied_trade(account: AccountId, id: &str, place: TradePlace) -> AppliedTrade {
    let text = r#"{"tradeId":"t","symbol":"ES 12-25","side":"sell","quantity":0.1,"price":1.092490000000000000000000001,
        "contractSize":100000,"commission":0.0000000000000000000000000001,"orderType":"stop-limit",
        "executedAt":"2025-01-10T15:30:00.123Z"}"#;
    let trade: Trade = serde_json::from_str(text).expect("a trade");
    let trade = Trade { trade_id: TradeId::new(id).expect("a trade id"), ..trade };
    let realised_pnl = "-12345678901234567890.12345678".parse().expect("an exact amount");
    AppliedTrade { account, trade, realised_pnl, place }
}
