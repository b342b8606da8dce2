use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccountEvent, Price};
use crate::config::Symbol;
use crate::timestamp;

/// A price of a symbol, whoever holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PriceMark {
    /// What has the price.
    pub symbol: Symbol,
    /// What one unit of the underlying costs, in the accounts' currency: 0 or more.
    pub price: Price,
    /// Since when, on the engine's clock.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    pub at: DateTime<Utc>,
}

impl From<PriceMark> for AccountEvent {
    fn from(PriceMark { symbol, price, at }: PriceMark) -> Self {
        Self::PriceMarked { symbol, price, at }
    }
}
