//! Whatever bytes are made of: events come of them, and never a panic.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tenantry_domain::Amount;
use tenantry_domain::account::engine::{
    AccountEvent, Commission, ContractSize, Price, Quantity, Refusal, Rulebook, Trade, TradeId, TradeSide,
    apply, next_day_starts, time_runs_out,
};
use tenantry_domain::account::{AccountState, rule_statuses};
use tenantry_domain::config::{AccountConfig, ConfigId, ConfigVersion, OrderType, Symbol};

use super::random::config;
use super::twins::typed;

/// Bytes, read as whatever is wanted; zeros after the last one.
struct Bytes<'a>(std::slice::Iter<'a, u8>);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    fn word(&mut self) -> u32 {
        u32::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// Any number there is: also of 29 digits, also next to nothing.
    fn amount(&mut self) -> Amount {
        let kind = self.byte();
        let scale = u32::from(self.byte() % 29);
        let [low, middle, high] = match kind % 4 {
            0 => [u32::from(self.byte()), 0, 0],
            1 => [self.word(), 0, 0],
            2 => [self.word(), self.word(), self.word()],
            _ => [u32::MAX; 3],
        };
        Amount::new(Decimal::from_parts(low, middle, high, kind & 128 != 0, scale))
    }

    fn time(&mut self, now: &mut DateTime<Utc>) -> DateTime<Utc> {
        let nanos = i64::from(self.word()) << (self.byte() % 32);
        let step = if self.byte().is_multiple_of(16) {
            TimeDelta::nanoseconds(-nanos)
        } else {
            TimeDelta::nanoseconds(nanos)
        };
        *now = match self.byte() {
            0 => DateTime::<Utc>::MAX_UTC,
            1 => DateTime::<Utc>::MIN_UTC,
            _ => now.checked_add_signed(step).unwrap_or(*now),
        };
        *now
    }

    fn symbol(&mut self) -> Symbol {
        Symbol::new(["A", "B", "C", "ü"][usize::from(self.byte() % 4)]).unwrap()
    }

    fn event(&mut self, now: &mut DateTime<Utc>) -> Option<AccountEvent> {
        let at = self.time(now);
        Some(match self.byte() % 16 {
            0 => AccountEvent::DayRolled { at },
            1 => AccountEvent::Disabled { at },
            2 => AccountEvent::Enabled { at },
            3 => AccountEvent::Reset { at },
            4 if self.byte().is_multiple_of(8) => AccountEvent::Closed { at },
            4 | 5 => AccountEvent::ConfigMigrated {
                config_id: ConfigId::new("any").unwrap(),
                config_version: ConfigVersion::FIRST,
                at,
            },
            6..9 => AccountEvent::PriceMarked {
                symbol: self.symbol(),
                price: Price::new(self.amount()).ok()?,
                at,
            },
            _ => AccountEvent::TradeExecuted(Trade {
                trade_id: TradeId::new("t").unwrap(),
                symbol: self.symbol(),
                side: if self.byte().is_multiple_of(2) { TradeSide::Buy } else { TradeSide::Sell },
                quantity: Quantity::new(self.amount()).ok()?,
                price: Price::new(self.amount()).ok()?,
                contract_size: if self.byte().is_multiple_of(4) {
                    ContractSize::new(self.amount()).ok()?
                } else {
                    ContractSize::default()
                },
                commission: Commission::new(self.amount()).unwrap_or_default(),
                order_type: if self.byte().is_multiple_of(8) { OrderType::Oco } else { OrderType::Market },
                executed_at: at,
            }),
        })
    }
}

/// The config with a capital and a leverage of any size.
fn stretched(config: &Value, capital: u8, leverage: u8) -> AccountConfig {
    let mut config = config.clone();
    let digits = |number: u8| "9".repeat(usize::from(4 + number % 25));
    config["baseCapital"] = json!("CAPITAL");
    config["challengeDefinitions"][0]["rules"]["leverage"] = json!("LEVERAGE");
    let text = config
        .to_string()
        .replace("\"CAPITAL\"", &digits(capital))
        .replace("\"LEVERAGE\"", &digits(leverage));
    serde_json::from_str(&text).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic_and_what_overflows_is_refused_whole(
        before in config(), after in config(), bytes in prop::collection::vec(any::<u8>(), 0..1500),
        (stretch, capital, leverage) in any::<(bool, u8, u8)>(),
    ) {
        let before = if stretch { stretched(&before, capital, leverage) } else { typed(&before) };
        let configs = [before, typed(&after)];
        let rules = configs.each_ref().map(Rulebook::of);
        let mut now = DateTime::from_timestamp_millis(1_741_000_000_000).unwrap();
        let mut state = AccountState::provisioned(&configs[0], now);
        let mut bytes = Bytes(bytes.iter());
        let mut migrated = 0;
        while bytes.0.len() > 0 {
            let Some(event) = bytes.event(&mut now) else { continue };
            if matches!(event, AccountEvent::ConfigMigrated { .. }) {
                migrated = 1;
            }
            let (next, outcome) = apply(&rules[migrated], state.clone(), &event);
            if outcome.refusal == Some(Refusal::Overflow) && next.trading_day == state.trading_day && !next.status.is_final() {
                prop_assert_eq!(&next, &state);
            }
            let text = serde_json::to_string(&next).unwrap();
            prop_assert_eq!(&serde_json::from_str::<AccountState>(&text).unwrap(), &next);
            for emission in &outcome.emitted {
                prop_assert!(emission.data().is_object());
            }
            prop_assert_eq!(rule_statuses(&configs[migrated], &next).len(), 9);
            next_day_starts(&rules[migrated], &next);
            time_runs_out(&rules[migrated], &next);
            state = next;
        }
    }

    #[test]
    fn text_that_is_no_event_is_refused_and_what_is_one_reads_back(text in "\\PC{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(event) = serde_json::from_str::<AccountEvent>(&text) {
            prop_assert_eq!(serde_json::to_value(&event).unwrap()["type"].is_string(), true);
        }
        let mut now = DateTime::from_timestamp_millis(1_741_000_000_000).unwrap();
        // Years beyond 9999 have no text.
        let readable = |event: &AccountEvent| (0..=253_402_300_799).contains(&event.at().timestamp());
        if let Some(event) = Bytes(bytes.iter()).event(&mut now).filter(readable) {
            let again: AccountEvent = serde_json::from_str(&serde_json::to_string(&event).unwrap()).unwrap();
            prop_assert_eq!(again.at().timestamp_millis(), event.at().timestamp_millis());
            prop_assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&event).unwrap());
        }
    }
}

#[test]
fn an_event_has_the_members_of_its_type_and_no_others() {
    for (text, fault) in [
        (r#"{"type":"DayRolled"}"#, "missing field `at`"),
        (r#"{"type":"DayRolled","at":"2025-01-10T15:00:00Z","symbol":"A"}"#, "has no member `symbol`"),
        (r#"{"type":"PriceMarked","at":"2025-01-10T15:00:00Z","symbol":"A"}"#, "missing field `price`"),
        (
            r#"{"type":"PriceMarked","at":"2025-01-10T15:00:00Z","symbol":"A","price":-1}"#,
            "a price of 0 or more",
        ),
        (r#"{"type":"PriceMarked","at":"2025-01-10T15:00:00Z","symbol":"A","price":"1"}"#, "decimal number"),
        (r#"{"type":"Rolled","at":"2025-01-10T15:00:00Z"}"#, "unknown variant"),
        (r#"{"type":"Closed","at":"2025-01-10T15:00:00Z","why":"x"}"#, "unknown field"),
        (r#"{"at":"2025-01-10T15:00:00Z"}"#, "missing field `type`"),
    ] {
        let refused = serde_json::from_str::<AccountEvent>(text).unwrap_err().to_string();
        assert!(refused.contains(fault), "{text}: {refused}");
    }
}
