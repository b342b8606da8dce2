use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::trade::{Commission, ContractSize, Price, Quantity, Trade, TradeId, TradeSide, market};
use crate::config::{ConfigId, ConfigVersion, OrderType, Symbol};
use crate::timestamp;

/// Something that changes an account. Nothing else does.
///
/// On the wire it is one flat object whose `type` is the variant's name, as in
/// `{"type":"PriceMarked","symbol":"EURUSD","price":1.1,"at":"2025-01-10T15:00:00Z"}`.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(tag = "type", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum AccountEvent {
    /// Something was bought or sold.
    TradeExecuted(Trade),
    /// A symbol has a new price.
    PriceMarked {
        /// What has the price.
        symbol: Symbol,
        /// The price.
        price: Price,
        /// Since when.
        #[schemars(schema_with = "timestamp::schema")]
        at: DateTime<Utc>,
    },
    /// Time has passed: on a later trading day than the account's the day begins. Any other event on a later day does
    /// the same before it does its own; this one is for accounts to which nothing else happens.
    DayRolled {
        /// The time it is; best the very start of the day.
        #[schemars(schema_with = "timestamp::schema")]
        at: DateTime<Utc>,
    },
    /// No trading until it is enabled again.
    Disabled {
        /// When.
        #[schemars(schema_with = "timestamp::schema")]
        at: DateTime<Utc>,
    },
    /// A disabled account is again what it was.
    Enabled {
        /// When.
        #[schemars(schema_with = "timestamp::schema")]
        at: DateTime<Utc>,
    },
    /// The current stage starts afresh: open positions are closed at their marks, then balance, counters and time are
    /// as if the stage had just begun.
    Reset {
        /// When.
        #[schemars(schema_with = "timestamp::schema")]
        at: DateTime<Utc>,
    },
    /// Open positions are closed at their marks; the account is closed for good.
    Closed {
        /// When.
        #[schemars(schema_with = "timestamp::schema")]
        at: DateTime<Utc>,
    },
    /// The account follows another config version from here on: it is applied with *that* version's rulebook.
    /// See [`Rulebook`](super::Rulebook) for what stays.
    ConfigMigrated {
        /// The config it follows from here on.
        config_id: ConfigId,
        /// Its version.
        config_version: ConfigVersion,
        /// When.
        #[schemars(schema_with = "timestamp::schema")]
        at: DateTime<Utc>,
    },
}

impl AccountEvent {
    /// When it happened, on the engine's clock.
    pub const fn at(&self) -> DateTime<Utc> {
        match self {
            Self::TradeExecuted(trade) => trade.executed_at,
            Self::PriceMarked { at, .. }
            | Self::DayRolled { at }
            | Self::Disabled { at }
            | Self::Enabled { at }
            | Self::Reset { at }
            | Self::Closed { at }
            | Self::ConfigMigrated { at, .. } => *at,
        }
    }
}

/// The variants' names.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Kind {
    TradeExecuted,
    PriceMarked,
    DayRolled,
    Disabled,
    Enabled,
    Reset,
    Closed,
    ConfigMigrated,
}

/// Every member of every event. Serde's own tagged enums read through a buffer that exact numbers do not survive.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    trade_id: Option<TradeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<Symbol>,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<TradeSide>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Price>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contract_size: Option<ContractSize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commission: Option<Commission>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_type: Option<OrderType>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "timestamp::option")]
    executed_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_id: Option<ConfigId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_version: Option<ConfigVersion>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "timestamp::option")]
    at: Option<DateTime<Utc>>,
}

impl Wire {
    const fn of(kind: Kind) -> Self {
        Self {
            kind,
            trade_id: None,
            symbol: None,
            side: None,
            quantity: None,
            price: None,
            contract_size: None,
            commission: None,
            order_type: None,
            executed_at: None,
            config_id: None,
            config_version: None,
            at: None,
        }
    }

    fn at(kind: Kind, at: DateTime<Utc>) -> Self {
        Self { at: Some(at), ..Self::of(kind) }
    }

    /// The first member given that an event of this kind does not have.
    fn superfluous(&self) -> Option<&'static str> {
        let trade = matches!(self.kind, Kind::TradeExecuted);
        let priced = trade || matches!(self.kind, Kind::PriceMarked);
        let migrated = matches!(self.kind, Kind::ConfigMigrated);
        [
            ("tradeId", self.trade_id.is_some(), trade),
            ("symbol", self.symbol.is_some(), priced),
            ("side", self.side.is_some(), trade),
            ("quantity", self.quantity.is_some(), trade),
            ("price", self.price.is_some(), priced),
            ("contractSize", self.contract_size.is_some(), trade),
            ("commission", self.commission.is_some(), trade),
            ("orderType", self.order_type.is_some(), trade),
            ("executedAt", self.executed_at.is_some(), trade),
            ("configId", self.config_id.is_some(), migrated),
            ("configVersion", self.config_version.is_some(), migrated),
            ("at", self.at.is_some(), !trade),
        ]
        .into_iter()
        .find_map(|(name, given, has)| (given && !has).then_some(name))
    }

    fn event<E: Error>(self) -> Result<AccountEvent, E> {
        if let Some(name) = self.superfluous() {
            let message = format!("an event of type {:?} has no member `{name}`", self.kind);
            return Err(E::custom(message));
        }
        let at = || self.at.ok_or(E::missing_field("at"));
        Ok(match self.kind {
            Kind::TradeExecuted => AccountEvent::TradeExecuted(Trade {
                trade_id: self.trade_id.ok_or(E::missing_field("tradeId"))?,
                symbol: self.symbol.ok_or(E::missing_field("symbol"))?,
                side: self.side.ok_or(E::missing_field("side"))?,
                quantity: self.quantity.ok_or(E::missing_field("quantity"))?,
                price: self.price.ok_or(E::missing_field("price"))?,
                contract_size: self.contract_size.unwrap_or_default(),
                commission: self.commission.unwrap_or_default(),
                order_type: self.order_type.unwrap_or(market()),
                executed_at: self.executed_at.ok_or(E::missing_field("executedAt"))?,
            }),
            Kind::PriceMarked => AccountEvent::PriceMarked {
                at: at()?,
                symbol: self.symbol.ok_or(E::missing_field("symbol"))?,
                price: self.price.ok_or(E::missing_field("price"))?,
            },
            Kind::DayRolled => AccountEvent::DayRolled { at: at()? },
            Kind::Disabled => AccountEvent::Disabled { at: at()? },
            Kind::Enabled => AccountEvent::Enabled { at: at()? },
            Kind::Reset => AccountEvent::Reset { at: at()? },
            Kind::Closed => AccountEvent::Closed { at: at()? },
            Kind::ConfigMigrated => AccountEvent::ConfigMigrated {
                at: at()?,
                config_id: self.config_id.ok_or(E::missing_field("configId"))?,
                config_version: self.config_version.ok_or(E::missing_field("configVersion"))?,
            },
        })
    }
}

impl From<&AccountEvent> for Wire {
    fn from(event: &AccountEvent) -> Self {
        match event.clone() {
            AccountEvent::TradeExecuted(trade) => Self {
                trade_id: Some(trade.trade_id),
                symbol: Some(trade.symbol),
                side: Some(trade.side),
                quantity: Some(trade.quantity),
                price: Some(trade.price),
                contract_size: Some(trade.contract_size),
                commission: Some(trade.commission),
                order_type: Some(trade.order_type),
                executed_at: Some(trade.executed_at),
                ..Self::of(Kind::TradeExecuted)
            },
            AccountEvent::PriceMarked { symbol, price, at } => {
                Self { symbol: Some(symbol), price: Some(price), ..Self::at(Kind::PriceMarked, at) }
            }
            AccountEvent::DayRolled { at } => Self::at(Kind::DayRolled, at),
            AccountEvent::Disabled { at } => Self::at(Kind::Disabled, at),
            AccountEvent::Enabled { at } => Self::at(Kind::Enabled, at),
            AccountEvent::Reset { at } => Self::at(Kind::Reset, at),
            AccountEvent::Closed { at } => Self::at(Kind::Closed, at),
            AccountEvent::ConfigMigrated { config_id, config_version, at } => Self {
                config_id: Some(config_id),
                config_version: Some(config_version),
                ..Self::at(Kind::ConfigMigrated, at)
            },
        }
    }
}

impl Serialize for AccountEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Wire::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AccountEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Wire::deserialize(deserializer)?.event()
    }
}
