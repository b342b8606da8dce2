use super::Trade;
use super::fill::Fill;
use crate::Amount;
use crate::account::AccountState;

/// What this trade brings, or costs, by what it closes of the account's position in its symbol, without its commission:
/// 0 if it closes nothing. To be asked of the state before the trade is applied.
pub fn realised_by(state: &AccountState, trade: &Trade) -> Amount {
    let place = state.open_positions.binary_search_by(|held| held.symbol.cmp(&trade.symbol));
    let Ok(place) = place else { return Amount::ZERO };
    // A trade that makes no fill is refused when it is applied.
    Fill::of(state.open_positions.get(place), trade).map_or(Amount::ZERO, |fill| Amount::new(fill.realised))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::engine::{AccountEvent, Rulebook, apply_to};
    use crate::config::{AccountConfig, demo};

    fn trade(side: &str, quantity: &str, price: &str) -> Trade {
        let text = format!(
            r#"{{"tradeId":"t","symbol":"EURUSD","side":"{side}","quantity":{quantity},"price":{price},
                "contractSize":1000,"commission":2,"executedAt":"2025-01-10T15:30:00Z"}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_trade_realises_what_it_closes_whatever_it_opens() {
        let config: AccountConfig = serde_json::from_str(demo::DEMO_CONFIG).unwrap();
        let rules = Rulebook::of(&config);
        let mut state = AccountState::provisioned(&config, "2025-01-10T15:00:00Z".parse().unwrap());
        for (trade, realised) in [
            (trade("buy", "2", "1.1"), "0"),
            (trade("buy", "2", "1.3"), "0"),
            (trade("sell", "1", "1.25"), "50"),
            (trade("sell", "5", "1.1"), "-300"),
            (trade("buy", "2", "1.1"), "0"),
        ] {
            assert_eq!(realised_by(&state, &trade).to_string(), realised, "{trade:?}");
            let before = state.realised_pnl.total;
            assert_eq!(apply_to(&rules, &mut state, &AccountEvent::TradeExecuted(trade)).refusal, None);
            let gained = state.realised_pnl.total.value() - before.value();
            assert_eq!(Amount::new(gained).to_string(), realised);
        }
    }
}
