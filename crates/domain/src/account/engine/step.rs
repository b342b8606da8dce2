//! One event on its way through an account: what the other files of the engine add their parts to.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::emission::{ClosedPosition, Emission, PositionsClosed, Reason, StateChange};
use super::rulebook::{Rules, Stage};
use super::{AccountEvent, Refusal, exact};
use crate::Amount;
use crate::account::{AccountState, AccountStatus, DayStatistics, Phase, Pnl};

/// An account with the event that is being applied to it.
pub(super) struct Step<'a> {
    pub(super) rules: &'a Rules,
    pub(super) state: &'a mut AccountState,
    /// The event's time, in whole milliseconds, not before the account's.
    pub(super) at: DateTime<Utc>,
    pub(super) emitted: Vec<Emission>,
    pub(super) changed: bool,
}

impl<'a> Step<'a> {
    /// Does what the event says, after time has passed. On a refusal nothing was done.
    #[inline]
    pub(super) fn act(&mut self, event: &AccountEvent) -> Result<(), Refusal> {
        if self.state.status.is_final() {
            // Its time has run out at this very event.
            return match event {
                AccountEvent::DayRolled { .. } => Ok(()),
                _ => Err(Refusal::Final(self.state.status)),
            };
        }
        match event {
            AccountEvent::TradeExecuted(trade) => self.trade(trade),
            AccountEvent::PriceMarked { symbol, price, .. } => self.mark(symbol, price.value()),
            AccountEvent::DayRolled { .. } => Ok(()),
            AccountEvent::Disabled { .. } => self.disable(),
            AccountEvent::Enabled { .. } => self.enable(),
            AccountEvent::Reset { .. } => {
                self.reset();
                Ok(())
            }
            AccountEvent::Closed { .. } => {
                self.close();
                Ok(())
            }
            AccountEvent::ConfigMigrated { .. } => {
                self.migrate();
                Ok(())
            }
        }
    }

    /// The stage whose rules apply.
    #[inline]
    pub(super) fn stage(&self) -> &'a Stage {
        self.rules.stage(self.state)
    }

    /// The event has done something.
    #[inline]
    pub(super) fn touch(&mut self) {
        self.state.as_of = self.at;
        self.changed = true;
    }

    pub(super) fn become_status(&mut self, to: AccountStatus, reason: Reason) {
        let from = std::mem::replace(&mut self.state.status, to);
        debug_assert!(from.can_become(to), "{from} -> {to}");
        self.emitted.push(Emission::StateChanged(StateChange { from, to, reason }));
        self.touch();
    }

    /// What a paused account is again when the pause ends.
    pub(super) fn resumed(&self) -> AccountStatus {
        match self.state.challenge.phase {
            Phase::Evaluation => AccountStatus::Active,
            Phase::Funded => AccountStatus::Funded,
        }
    }

    /// Closes every open position at its mark: what was unrealised is realised, equity stays.
    pub(super) fn close_positions(&mut self) {
        if self.state.open_positions.is_empty() {
            return;
        }
        let positions = std::mem::take(&mut self.state.open_positions);
        let state = &mut *self.state;
        let gained = state.unrealised_pnl.total;
        state.balance = state.equity;
        state.realised_pnl.total = plus(state.realised_pnl.total, gained);
        state.realised_pnl.today = plus(state.realised_pnl.today, gained);
        state.unrealised_pnl = Pnl {
            total: Amount::ZERO,
            today: Amount::untrimmed(exact::saturating_sub(
                Decimal::ZERO,
                state.day_start_unrealised.value(),
            )),
        };
        self.count_day(|day| day.closed_profit = plus(day.closed_profit, gained));
        let positions_closed = positions.into_iter().map(|position| ClosedPosition {
            symbol: position.symbol,
            side: position.side,
            quantity: position.quantity,
            average_entry_price: position.average_entry_price,
            price: position.mark,
            realised_pnl: position.unrealised_pnl,
        });
        let closed =
            PositionsClosed { positions_closed: positions_closed.collect(), balance: self.state.balance };
        self.emitted.push(Emission::PositionsClosed(closed));
        self.touch();
    }

    /// Changes today's statistics, and with them the counts of trading and winning days.
    #[inline]
    pub(super) fn count_day(&mut self, change: impl FnOnce(&mut DayStatistics)) {
        let trades_needed = self.stage().min_trades_per_day;
        let state = &mut *self.state;
        if state.days.last().is_none_or(|day| day.date != state.trading_day) {
            state.list_day(state.trading_day, trades_needed);
        }
        let Some(day) = state.days.last_mut() else { return };
        let (was_trading, was_winning) = (day.is_trading_day(trades_needed), day.is_winning_day());
        change(day);
        let (is_trading, is_winning) = (day.is_trading_day(trades_needed), day.is_winning_day());
        state.trading_days = recount(state.trading_days, was_trading, is_trading);
        state.winning_days = recount(state.winning_days, was_winning, is_winning);
    }

    /// The stage at this position starts, as if nothing had happened before.
    pub(super) fn start_afresh(&mut self, index: usize) {
        let start = Amount::untrimmed(self.rules.start);
        let state = &mut *self.state;
        if let Some(stage) = self.rules.stage_at(index) {
            state.challenge.id = stage.id.clone();
            state.challenge.index = index;
        }
        state.challenge.first_trade_at = None;
        (state.balance, state.equity) = (start, start);
        (state.high_water_mark, state.day_start_equity) = (start, start);
        (state.realised_pnl, state.unrealised_pnl) = (Pnl::default(), Pnl::default());
        state.day_start_unrealised = Amount::ZERO;
        state.open_positions.clear();
        state.days.clear();
        state.earlier_days = None;
        (state.trading_days, state.winning_days) = (0, 0);
    }
}

fn recount(count: u32, was: bool, is: bool) -> u32 {
    match (was, is) {
        (false, true) => count.saturating_add(1),
        (true, false) => count.saturating_sub(1),
        _ => count,
    }
}

fn plus(a: Amount, b: Amount) -> Amount {
    Amount::untrimmed(exact::saturating_add(a.value(), b.value()))
}
