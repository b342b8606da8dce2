use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{OrderType, Symbol, bounded_amount};
use crate::text::{InvalidText, PRINTABLE, check_length, check_printable};
use crate::{Amount, timestamp, validated_text};

/// What the tenant's engine calls one of its trades, unique within the account: 1 to 128 printable characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TradeId(String);

impl TradeId {
    /// Checks the length and refuses control characters and surrounding white space.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The trade id", &text, 1, 128)?;
        check_printable("The trade id", &text, "invalid_trade_id")?;
        Ok(Self(text))
    }
}
validated_text!(TradeId, { "type": "string", "minLength": 1, "maxLength": 128, "pattern": PRINTABLE });

bounded_amount! {
    /// How much is traded, in lots or contracts: above 0.
    Quantity: "a quantity above 0", |value| value > rust_decimal::Decimal::ZERO,
    { "type": "number", "exclusiveMinimum": 0 }
}

bounded_amount! {
    /// What one unit of the underlying costs, in the account's currency: 0 or more (what expires worthless is worth 0).
    Price: "a price of 0 or more", |value| value >= rust_decimal::Decimal::ZERO, { "type": "number", "minimum": 0 }
}

bounded_amount! {
    /// Units of the underlying in one of quantity: above 0.
    ContractSize: "a contract size above 0", |value| value > rust_decimal::Decimal::ZERO,
    { "type": "number", "exclusiveMinimum": 0 }
}

bounded_amount! {
    /// What a trade costs, in the account's currency: 0 or more.
    Commission: "a commission of 0 or more", |value| value >= rust_decimal::Decimal::ZERO,
    { "type": "number", "minimum": 0 }
}

impl Default for ContractSize {
    /// One unit.
    fn default() -> Self {
        Self(Amount::new(rust_decimal::Decimal::ONE))
    }
}

impl Default for Commission {
    /// Nothing.
    fn default() -> Self {
        Self(Amount::ZERO)
    }
}

/// Whether a trade buys or sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TradeSide {
    /// Opens or increases a long, reduces a short.
    Buy,
    /// Opens or increases a short, reduces a long.
    Sell,
}

/// A fill: something was bought or sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trade {
    /// The engine's id of it; a second trade with the same id is not applied.
    pub trade_id: TradeId,
    /// What was traded.
    pub symbol: Symbol,
    /// Whether it was bought or sold.
    pub side: TradeSide,
    /// How much, in lots or contracts.
    pub quantity: Quantity,
    /// At which price; it becomes the symbol's mark.
    pub price: Price,
    /// Units of the underlying in one of quantity; the same for every trade that meets in one position.
    #[serde(default)]
    pub contract_size: ContractSize,
    /// What it cost; lowers the balance at once.
    #[serde(default)]
    pub commission: Commission,
    /// The kind of order it came from.
    #[serde(default = "market")]
    pub order_type: OrderType,
    /// When it was executed, on the engine's clock; what is finer than a millisecond is not looked at.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    pub executed_at: DateTime<Utc>,
}

pub(super) const fn market() -> OrderType {
    OrderType::Market
}
