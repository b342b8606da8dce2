use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::AccountStatus;
use super::engine::PayoutTold;
use super::engine::exact::saturating_add;
use crate::config::{AccountConfig, Challenge, ChallengeId, Symbol};
use crate::{Amount, timestamp};

/// How an account stands after the last event that was applied to it, in its life and in the market. Amounts are in the
/// config's currency. It changes through [`engine::apply`](super::engine::apply) alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountState {
    /// Where the account stands in its life.
    // States written before the engine was do not have it; it is in a column of its own.
    #[serde(default)]
    pub status: AccountStatus,
    /// What a disabled account will be again when it is enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_from: Option<AccountStatus>,
    /// What the account would hold if it had no open positions.
    pub balance: Amount,
    /// Balance and the unrealised PnL of the open positions.
    pub equity: Amount,
    /// PnL of what was closed, without commissions.
    pub realised_pnl: Pnl,
    /// PnL of what is open, at its marks.
    pub unrealised_pnl: Pnl,
    /// The highest equity seen in the current challenge.
    pub high_water_mark: Amount,
    /// Equity when the trading day began.
    pub day_start_equity: Amount,
    /// Unrealised PnL when the trading day began.
    #[serde(default)]
    pub day_start_unrealised: Amount,
    /// The date of the trading day, on the config's clock.
    #[schemars(schema_with = "date")]
    pub trading_day: NaiveDate,
    /// The open positions, one per symbol, sorted by symbol.
    pub open_positions: Vec<Position>,
    /// Where on its way to being funded the account is.
    pub challenge: CurrentChallenge,
    /// What happened on each day of the current challenge on which something did, in order: of the last
    /// [`LISTED_DAYS`](Self::LISTED_DAYS) of them.
    pub days: Vec<DayStatistics>,
    /// The days of the current challenge before those; absent if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_days: Option<EarlierDays>,
    /// Days of the current challenge that count as trading days.
    pub trading_days: u32,
    /// Days of the current challenge with closed profit above zero.
    pub winning_days: u32,
    /// The staged payouts that were told of, so that they are not told again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payouts_told: Vec<PayoutTold>,
    /// The time of the last event applied.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    pub as_of: DateTime<Utc>,
}

/// Profit (or, below zero, loss) over two spans of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pnl {
    /// Since the current challenge began.
    pub total: Amount,
    /// Since the trading day began.
    pub today: Amount,
}

/// What the account holds of one symbol; fills net into one position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// What is held.
    pub symbol: Symbol,
    /// Whether it gains when the price rises or when it falls.
    pub side: Side,
    /// In lots or contracts; above 0.
    pub quantity: Amount,
    /// Units of the underlying in one of quantity.
    pub contract_size: Amount,
    /// The average price at which it was opened.
    pub average_entry_price: Amount,
    /// The last known price.
    pub mark: Amount,
    /// (mark − entry) × quantity × contract size, negated for a short.
    pub unrealised_pnl: Amount,
}

/// The direction of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Gains when the price rises.
    Long,
    /// Gains when the price falls.
    Short,
}

/// Where on its way to being funded an account is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CurrentChallenge {
    /// The stage whose rules apply; of a funded account, the last one.
    pub id: ChallengeId,
    /// The stage's position in the config, counted from 0.
    pub index: usize,
    /// Whether the stage is still to be passed.
    pub phase: Phase,
    /// When its first trade was executed; time limits count from here.
    #[serde(default, with = "timestamp::option")]
    #[schemars(schema_with = "timestamp::option::schema")]
    pub first_trade_at: Option<DateTime<Utc>>,
}

/// Whether a stage is still to be passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It is.
    Evaluation,
    /// All are passed, or there was none to pass; the last stage's loss rules go on.
    Funded,
}

/// What happened on one trading day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DayStatistics {
    /// The day, on the config's clock.
    #[schemars(schema_with = "date")]
    pub date: NaiveDate,
    /// Every trade.
    pub trades: u32,
    /// The trades that opened or increased a position.
    pub opening_trades: u32,
    /// Realised PnL less commissions.
    pub closed_profit: Amount,
}

/// What the rules still need of the days that are no longer listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EarlierDays {
    /// How many there were on which something happened.
    pub count: u32,
    /// How many of them counted as trading days.
    pub trading_days: u32,
    /// Realised PnL less commissions of all of them.
    pub closed_profit: Amount,
    /// The highest of any of them.
    pub best_closed_profit: Amount,
}

impl AccountState {
    /// How many days are listed: as many as a month has, which is what the rules look at day by day.
    pub const LISTED_DAYS: usize = 31;

    /// The state of an account on which nothing has happened yet, at the start of the config's first stage.
    /// What is finer than a millisecond in `at` is cut off.
    pub fn provisioned(config: &AccountConfig, at: DateTime<Utc>) -> Self {
        let at = timestamp::whole_millis(at);
        let start = config.base_capital.amount();
        Self {
            status: AccountStatus::Provisioned,
            disabled_from: None,
            balance: start,
            equity: start,
            realised_pnl: Pnl::default(),
            unrealised_pnl: Pnl::default(),
            high_water_mark: start,
            day_start_equity: start,
            day_start_unrealised: Amount::ZERO,
            trading_day: config.timezone.trading_day(at),
            open_positions: Vec::new(),
            challenge: CurrentChallenge {
                id: config.challenge_definitions.first().id.clone(),
                index: 0,
                phase: Phase::Evaluation,
                first_trade_at: None,
            },
            days: Vec::new(),
            earlier_days: None,
            trading_days: 0,
            winning_days: 0,
            payouts_told: Vec::new(),
            as_of: at,
        }
    }

    /// Closed profit of all days of the current challenge together, and of the best of them.
    pub(super) fn closed_profits(&self) -> (Decimal, Option<Decimal>) {
        let listed = || self.days.iter().map(|day| day.closed_profit.value());
        let earlier = self.earlier_days.as_ref();
        let total = earlier.map_or(Decimal::ZERO, |earlier| earlier.closed_profit.value());
        let best = earlier.map(|earlier| earlier.best_closed_profit.value());
        (listed().fold(total, saturating_add), best.into_iter().chain(listed()).max())
    }

    /// Begins to list another day, on which nothing has happened yet. The first of too many is added to the earlier ones, counted
    /// as a trading day if it has this many trades.
    pub(super) fn list_day(&mut self, date: NaiveDate, trades_needed: u32) {
        if self.days.len() >= Self::LISTED_DAYS {
            let day = self.days.remove(0);
            let none = EarlierDays {
                count: 0,
                trading_days: 0,
                closed_profit: Amount::ZERO,
                best_closed_profit: day.closed_profit,
            };
            let earlier = self.earlier_days.get_or_insert(none);
            let total = saturating_add(earlier.closed_profit.value(), day.closed_profit.value());
            earlier.count = earlier.count.saturating_add(1);
            earlier.trading_days =
                earlier.trading_days.saturating_add(u32::from(day.is_trading_day(trades_needed)));
            earlier.closed_profit = Amount::untrimmed(total);
            earlier.best_closed_profit = earlier.best_closed_profit.max(day.closed_profit);
        }
        self.days.push(DayStatistics { date, trades: 0, opening_trades: 0, closed_profit: Amount::ZERO });
    }

    /// Whether no trade was ever made on the account, be it disabled or not.
    pub fn is_untraded(&self) -> bool {
        let untraded = AccountStatus::Provisioned;
        self.status == untraded || self.disabled_from == Some(untraded)
    }

    /// The stage of `config` whose rules apply to the account. A state that was made from another config, with fewer
    /// stages, is held to the first one's.
    pub fn stage<'c>(&self, config: &'c AccountConfig) -> &'c Challenge {
        let stages = &config.challenge_definitions;
        stages.get(self.challenge.index).unwrap_or_else(|| stages.first())
    }
}

impl DayStatistics {
    /// Whether it is a trading day where that takes this many trades: one of them opened or increased a position.
    pub const fn is_trading_day(&self, trades_needed: u32) -> bool {
        self.opening_trades > 0 && self.trades >= trades_needed
    }

    /// Whether its closed profit is above zero.
    pub fn is_winning_day(&self) -> bool {
        self.closed_profit > Amount::ZERO
    }
}

fn date(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Milestone, demo};
    use proptest::prelude::*;

    #[test]
    fn a_provisioned_account_starts_with_its_capital_on_its_own_clock() {
        let config: AccountConfig = serde_json::from_str(demo::DEMO_CONFIG).unwrap();
        let state = AccountState::provisioned(&config, "2025-01-10T03:00:00.0009Z".parse().unwrap());
        let capital = Amount::from(25_000);
        assert_eq!(
            [state.balance, state.equity, state.high_water_mark, state.day_start_equity],
            [capital; 4]
        );
        assert_eq!((state.realised_pnl, state.unrealised_pnl), (Pnl::default(), Pnl::default()));
        assert_eq!(state.trading_day.to_string(), "2025-01-09", "the day in New York");
        assert_eq!(timestamp::to_text(state.as_of), "2025-01-10T03:00:00.000Z");
        assert_eq!(state.stage(&config).id.as_str(), "phase-1");
    }

    #[test]
    fn the_wire_has_numbers_and_camel_case() {
        let config: AccountConfig = serde_json::from_str(demo::DEMO_CONFIG).unwrap();
        let state = AccountState::provisioned(&config, "2025-01-10T03:00:00Z".parse().unwrap());
        assert_eq!(
            serde_json::to_value(&state).unwrap(),
            serde_json::json!({
                "status": "provisioned", "balance": 25000, "equity": 25000, "realisedPnl": { "total": 0, "today": 0 },
                "unrealisedPnl": { "total": 0, "today": 0 }, "highWaterMark": 25000, "dayStartEquity": 25000, "dayStartUnrealised": 0,
                "tradingDay": "2025-01-09", "openPositions": [],
                "challenge": { "id": "phase-1", "index": 0, "phase": "evaluation", "firstTradeAt": null },
                "days": [], "tradingDays": 0, "winningDays": 0, "asOf": "2025-01-10T03:00:00.000Z",
            })
        );
    }

    #[test]
    fn a_state_written_before_the_engine_was_is_read() {
        let config: AccountConfig = serde_json::from_str(demo::DEMO_CONFIG).unwrap();
        let state = AccountState::provisioned(&config, "2025-01-10T03:00:00Z".parse().unwrap());
        let mut json = serde_json::to_value(&state).unwrap();
        let members = json.as_object_mut().unwrap();
        for new in ["status", "dayStartUnrealised"] {
            members.remove(new).unwrap();
        }
        assert_eq!(serde_json::from_value::<AccountState>(json).unwrap(), state);
    }

    fn amount() -> impl Strategy<Value = Amount> {
        (any::<u32>(), any::<u32>(), any::<u32>(), any::<bool>(), 0u32..=28)
            // 28 significant digits is what an amount promises; 96 bits hold a little more.
            .prop_map(|(lo, mid, hi, negative, scale)| {
                Amount::new(Decimal::from_parts(lo, mid, hi & 0x1fff_ffff, negative, scale))
            })
    }

    fn pnl() -> impl Strategy<Value = Pnl> {
        (amount(), amount()).prop_map(|(total, today)| Pnl { total, today })
    }

    fn instant() -> impl Strategy<Value = DateTime<Utc>> {
        (0i64..4_000_000_000_000).prop_map(|ms| DateTime::from_timestamp_millis(ms).unwrap())
    }

    fn position() -> impl Strategy<Value = Position> {
        let side = prop_oneof![Just(Side::Long), Just(Side::Short)];
        ("[A-Z]{1,8}", side, amount(), amount(), amount(), amount(), amount()).prop_map(
            |(symbol, side, quantity, contract_size, average_entry_price, mark, unrealised_pnl)| Position {
                symbol: Symbol::new(symbol).unwrap(),
                side,
                quantity,
                contract_size,
                average_entry_price,
                mark,
                unrealised_pnl,
            },
        )
    }

    fn day() -> impl Strategy<Value = DayStatistics> {
        (instant(), any::<u32>(), any::<u32>(), amount()).prop_map(
            |(at, trades, opening_trades, closed_profit)| DayStatistics {
                date: at.date_naive(),
                trades,
                opening_trades,
                closed_profit,
            },
        )
    }

    fn earlier_days() -> impl Strategy<Value = EarlierDays> {
        (any::<u32>(), any::<u32>(), amount(), amount()).prop_map(
            |(count, trading_days, closed_profit, best_closed_profit)| EarlierDays {
                count,
                trading_days,
                closed_profit,
                best_closed_profit,
            },
        )
    }

    fn challenge() -> impl Strategy<Value = CurrentChallenge> {
        let phase = prop_oneof![Just(Phase::Evaluation), Just(Phase::Funded)];
        ("\\PC{1,20}", 0usize..9, phase, prop::option::of(instant())).prop_map(
            |(id, index, phase, first_trade_at)| CurrentChallenge {
                id: ChallengeId::new(id).unwrap(),
                index,
                phase,
                first_trade_at,
            },
        )
    }

    fn status() -> impl Strategy<Value = AccountStatus> {
        prop::sample::select(&AccountStatus::ALL[..])
    }

    fn told() -> impl Strategy<Value = PayoutTold> {
        let milestone = prop::sample::select(&Milestone::WELL_KNOWN[..]);
        (0usize..9, milestone, instant()).prop_map(|(payout, milestone, at)| PayoutTold {
            payout,
            milestone: Milestone::new(milestone).unwrap(),
            on: at.date_naive(),
        })
    }

    prop_compose! {
        fn state()(
            amounts in (amount(), amount(), amount(), amount()),
            realised_pnl in pnl(),
            (unrealised_pnl, day_start_unrealised) in (pnl(), amount()),
            (status, disabled_from) in (status(), prop::option::of(status())),
            payouts_told in prop::collection::vec(told(), 0..3),
            open_positions in prop::collection::vec(position(), 0..4),
            challenge in challenge(),
            days in prop::collection::vec(day(), 0..4),
            earlier_days in prop::option::of(earlier_days()),
            (trading_days, winning_days) in any::<(u32, u32)>(),
            as_of in instant(),
        ) -> AccountState {
            let (balance, equity, high_water_mark, day_start_equity) = amounts;
            AccountState {
                status, disabled_from, day_start_unrealised, payouts_told, balance, equity, realised_pnl, unrealised_pnl, high_water_mark, day_start_equity,
                trading_day: as_of.date_naive(), open_positions, challenge, days, earlier_days, trading_days, winning_days, as_of,
            }
        }
    }

    proptest! {
        #[test]
        fn a_state_reads_back_exactly_as_it_was_written(state in state()) {
            let json = serde_json::to_string(&state).unwrap();
            let again: AccountState = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(&again, &state);
            prop_assert_eq!(serde_json::to_string(&again).unwrap(), json);
        }
    }
}
