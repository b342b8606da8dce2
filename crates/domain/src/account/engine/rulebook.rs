use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::exact::{is_less, saturating_add};
use super::payout::Payout;
use crate::account::AccountState;
use crate::config::{
    AccountConfig, Challenge, ChallengeId, Count, DailyLossAction, DrawdownMode, Leverage, OrderType,
    Percent, Symbol, Timezone, Variant,
};

/// What a config version demands and forbids, made ready for [`apply`](super::apply): amounts instead of fractions,
/// sorted instruments, order types as bits. Made once per config version; a clone is another handle on the same.
///
/// An account that migrates to another version keeps its balance, positions, profit and days, and its stage: the one
/// with the same id, else the one at the same position, else the last. Its target and floors are those of the new
/// version, whose base capital is what they count from.
#[derive(Debug, Clone)]
pub struct Rulebook(Arc<Rules>);

/// What is in a rulebook.
#[derive(Debug)]
pub(super) struct Rules {
    /// The balance every stage starts with.
    pub(super) start: Decimal,
    pub(super) timezone: Timezone,
    pub(super) variant: Variant,
    /// Sorted; absent: every instrument.
    instruments: Option<Box<[Symbol]>>,
    /// At least one.
    stages: Box<[Stage]>,
    pub(super) payouts: Box<[Payout]>,
}

/// The rules of a stage.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) id: ChallengeId,
    /// The balance that meets the profit target; absent: there is none, so nobody can pass.
    pub(super) target: Option<Decimal>,
    pub(super) max_drawdown: Option<Drawdown>,
    pub(super) daily_loss: Option<Decimal>,
    pub(super) daily_loss_action: DailyLossAction,
    pub(super) min_trading_days: u32,
    pub(super) min_winning_days: u32,
    /// Trades that make a day a trading day; at least 1.
    pub(super) min_trades_per_day: u32,
    pub(super) max_profit_day_percent: Option<Decimal>,
    order_types: OrderTypes,
    pub(super) leverage: Option<Decimal>,
    pub(super) time_limit: Option<TimeDelta>,
}

/// How far equity may fall in all, and from what it is measured.
#[derive(Debug)]
pub(super) struct Drawdown {
    pub(super) limit: Decimal,
    mode: DrawdownMode,
    /// The stage's start.
    start: Decimal,
    /// From here up, the trailing floor has reached the start: start + limit.
    locked_at: Decimal,
}

/// A set of order types, one bit each.
#[derive(Debug, Clone, Copy)]
struct OrderTypes(u8);

impl Rulebook {
    /// The rulebook of this config.
    pub fn of(config: &AccountConfig) -> Self {
        let instruments = config.allowed_instruments.as_ref();
        Self(Arc::new(Rules {
            start: config.base_capital.value(),
            timezone: config.timezone,
            variant: config.variant,
            // A set is sorted already.
            instruments: instruments.map(|symbols| symbols.iter().cloned().collect()),
            stages: config.challenge_definitions.iter().map(|stage| Stage::of(config, stage)).collect(),
            payouts: config.payout_rules.staged_payouts.iter().map(Payout::of).collect(),
        }))
    }

    /// The trading day in which this instant lies: the date on the config's clock.
    pub fn trading_day(&self, at: DateTime<Utc>) -> NaiveDate {
        self.0.timezone.trading_day(at)
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.0
    }
}

impl Rules {
    /// The stage whose rules apply. A state that was made from another config, with fewer stages, is held to the
    /// first one's, as everywhere.
    #[inline]
    pub(super) fn stage(&self, state: &AccountState) -> &Stage {
        self.stages.get(state.challenge.index).unwrap_or(&self.stages[0])
    }

    /// The stage at this position, counted from 0.
    pub(super) fn stage_at(&self, index: usize) -> Option<&Stage> {
        self.stages.get(index)
    }

    /// The position at which an account goes on that was in this stage of another config.
    pub(super) fn position_of(&self, id: &ChallengeId, index: usize) -> usize {
        let same = self.stages.iter().position(|stage| stage.id == *id);
        same.unwrap_or(index.min(self.last()))
    }

    /// The position of the last stage.
    pub(super) fn last(&self) -> usize {
        self.stages.len() - 1
    }

    #[inline]
    pub(super) fn allows_instrument(&self, symbol: &Symbol) -> bool {
        self.instruments.as_ref().is_none_or(|allowed| allowed.binary_search(symbol).is_ok())
    }

    pub(super) fn instruments(&self) -> Vec<Symbol> {
        self.instruments.as_deref().unwrap_or_default().to_vec()
    }
}

impl Stage {
    fn of(config: &AccountConfig, stage: &Challenge) -> Self {
        let rules = &stage.rules;
        let start = config.base_capital.value();
        let days = |count: Option<Count>| count.map_or(0, |count| u32::from(count.get()));
        let consistency = rules.consistency_rule.clone().unwrap_or_default();
        Self {
            id: stage.id.clone(),
            target: rules
                .target()
                .map(|target| saturating_add(start, target.of(config.base_capital).value())),
            max_drawdown: rules.max_drawdown.map(|limit| {
                let limit = limit.of(config.base_capital).value();
                Drawdown { limit, mode: rules.drawdown_mode, start, locked_at: saturating_add(start, limit) }
            }),
            daily_loss: rules.daily_loss_limit.map(|limit| limit.of(config.base_capital).value()),
            daily_loss_action: rules.daily_loss_action,
            min_trading_days: days(rules.min_trading_days),
            min_winning_days: days(consistency.min_winning_days),
            min_trades_per_day: days(consistency.min_trades_per_day).max(1),
            max_profit_day_percent: consistency.max_profit_day_percent.map(Percent::value),
            order_types: rules.order_types_allowed.as_ref().map_or(OrderTypes::ALL, |allowed| {
                allowed
                    .iter()
                    .fold(OrderTypes(0), |all, order_type| OrderTypes(all.0 | OrderTypes::bit(*order_type)))
            }),
            leverage: rules.leverage.map(Leverage::value),
            time_limit: stage.time_limit_days().map(|days| TimeDelta::days(days.into())),
        }
    }

    #[inline]
    pub(super) fn allows_order_type(&self, order_type: OrderType) -> bool {
        self.order_types.0 & OrderTypes::bit(order_type) != 0
    }

    pub(super) fn order_types(&self) -> Vec<OrderType> {
        OrderTypes::EACH.into_iter().filter(|order_type| self.allows_order_type(*order_type)).collect()
    }
}

impl Drawdown {
    /// Whether this equity is above any floor there may be: only an unlocked one rises above the start.
    #[inline]
    pub(super) fn is_far(&self, equity: Decimal) -> bool {
        self.mode != DrawdownMode::TrailingUnlocked && !is_less(equity, self.start)
    }

    /// What the loss is measured from, with this high-water mark: the floor is this less the limit.
    #[inline]
    pub(super) fn reference(&self, high_water_mark: Decimal) -> Decimal {
        match self.mode {
            DrawdownMode::Static => self.start,
            DrawdownMode::TrailingUnlocked => high_water_mark,
            DrawdownMode::Trailing => {
                if is_less(self.locked_at, high_water_mark) {
                    self.locked_at
                } else {
                    high_water_mark
                }
            }
        }
    }
}

impl OrderTypes {
    const EACH: [OrderType; 6] = [
        OrderType::Market,
        OrderType::Limit,
        OrderType::Stop,
        OrderType::StopLimit,
        OrderType::Bracket,
        OrderType::Oco,
    ];
    const ALL: Self = Self(u8::MAX);

    const fn bit(order_type: OrderType) -> u8 {
        1 << order_type as u8
    }
}
