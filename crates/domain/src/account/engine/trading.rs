//! Trades and marks: what they do to positions, profit and equity.

use rust_decimal::Decimal;

use super::emission::{Consequence, Emission, Fact, Reason, Violation, ViolationDetails};
use super::exact::{Sum, add, is_less, mul, mul_three, sub};
use super::fill::{Fill, pnl};
use super::step::Step;
use super::{Refusal, Trade};
use crate::Amount;
use crate::account::{AccountStatus, Phase, Position, Rule};
use crate::config::{Symbol, Variant};

/// What a trade or a mark makes of the account's numbers, worked out before any of them is changed, so that one that
/// is too large refuses the event whole.
struct Ledger {
    balance: Decimal,
    equity: Decimal,
    unrealised: Decimal,
    unrealised_today: Decimal,
}

impl Step<'_> {
    /// Applies a trade, or refuses it.
    #[inline]
    pub(super) fn trade(&mut self, trade: &Trade) -> Result<(), Refusal> {
        match self.state.status {
            AccountStatus::Provisioned | AccountStatus::Active | AccountStatus::Funded => {}
            AccountStatus::Paused => return Err(Refusal::Paused),
            AccountStatus::Disabled => return Err(Refusal::Disabled),
            status => return Err(Refusal::Final(status)),
        }
        let stage = self.stage();
        if !self.rules.allows_instrument(&trade.symbol) {
            let value = Fact::Instrument(trade.symbol.clone());
            return Err(self.refuse(
                trade,
                Rule::Instrument,
                value,
                Fact::Instruments(self.rules.instruments()),
            ));
        }
        if !stage.allows_order_type(trade.order_type) {
            let value = Fact::OrderType(trade.order_type);
            return Err(self.refuse(trade, Rule::OrderType, value, Fact::OrderTypes(stage.order_types())));
        }

        let place = self.state.open_positions.binary_search_by(|held| held.symbol.cmp(&trade.symbol));
        let held = place.ok().map(|index| &self.state.open_positions[index]);
        let fill = Fill::of(held, trade)?;
        if let Some(leverage) = stage.leverage {
            let notional = self.notional(place, fill.quantity, trade)?;
            let limit = mul(self.state.equity.value(), leverage)?.max(Decimal::ZERO);
            if is_less(limit, notional) {
                let number = |value| Fact::Number(Amount::new(value));
                return Err(self.refuse(trade, Rule::Leverage, number(notional), number(limit)));
            }
        }

        let closed_profit = sub(fill.realised, trade.commission.value())?;
        let balance = add(self.state.balance.value(), closed_profit)?;
        let realised = self.state.realised_pnl;
        let realised_total = add(realised.total.value(), fill.realised)?;
        let realised_today = add(realised.today.value(), fill.realised)?;
        let today = self.state.days.last().filter(|day| day.date == self.state.trading_day);
        let day_profit = add(today.map_or(Decimal::ZERO, |day| day.closed_profit.value()), closed_profit)?;
        let ledger = self.ledger(balance, place, fill.unrealised)?;

        // From here on nothing is refused.
        self.hold(place, &fill, trade);
        self.state.realised_pnl.total = Amount::untrimmed(realised_total);
        self.state.realised_pnl.today = Amount::untrimmed(realised_today);
        self.count_day(|day| {
            day.trades = day.trades.saturating_add(1);
            day.opening_trades = day.opening_trades.saturating_add(u32::from(fill.opens));
            day.closed_profit = Amount::untrimmed(day_profit);
        });
        if self.state.challenge.first_trade_at.is_none() {
            self.state.challenge.first_trade_at = Some(self.at);
        }
        self.enter(&ledger);
        if self.state.status == AccountStatus::Provisioned {
            self.become_status(AccountStatus::Active, Reason::FirstTrade);
            if self.rules.variant == Variant::StraightToFunded {
                self.state.challenge.phase = Phase::Funded;
                self.become_status(AccountStatus::Funded, Reason::StraightToFunded);
            }
        }
        self.settle();
        Ok(())
    }

    /// Revalues the position in this symbol, if there is one.
    #[inline]
    pub(super) fn mark(&mut self, symbol: &Symbol, price: Decimal) -> Result<(), Refusal> {
        let positions = &self.state.open_positions;
        let Ok(index) = positions.binary_search_by(|held| held.symbol.cmp(symbol)) else {
            return Ok(());
        };
        let held = &positions[index];
        let unrealised = pnl(
            held.side,
            held.average_entry_price.value(),
            price,
            held.quantity.value(),
            held.contract_size.value(),
        )?;
        let ledger = self.ledger(self.state.balance.value(), Ok(index), unrealised)?;
        let held = &mut self.state.open_positions[index];
        held.mark = Amount::untrimmed(price);
        held.unrealised_pnl = Amount::untrimmed(unrealised);
        self.enter(&ledger);
        self.settle_losses();
        Ok(())
    }

    /// The account's numbers with this balance and this unrealised PnL of the position at `place`.
    #[inline]
    fn ledger(
        &self,
        balance: Decimal,
        place: Result<usize, usize>,
        unrealised: Decimal,
    ) -> Result<Ledger, Refusal> {
        let mut sum = Sum::default();
        for held in self.others(place) {
            sum.add(held.unrealised_pnl.value());
        }
        sum.add(unrealised);
        let unrealised = sum.value()?;
        Ok(Ledger {
            balance,
            equity: add(balance, unrealised)?,
            unrealised,
            unrealised_today: sub(unrealised, self.state.day_start_unrealised.value())?,
        })
    }

    #[inline]
    fn enter(&mut self, ledger: &Ledger) {
        let state = &mut *self.state;
        state.balance = Amount::untrimmed(ledger.balance);
        state.equity = Amount::untrimmed(ledger.equity);
        state.unrealised_pnl.total = Amount::untrimmed(ledger.unrealised);
        state.unrealised_pnl.today = Amount::untrimmed(ledger.unrealised_today);
        if is_less(state.high_water_mark.value(), ledger.equity) {
            state.high_water_mark = state.equity;
        }
        self.touch();
    }

    /// What would be open after the trade, at its price and the other symbols' marks.
    fn notional(
        &self,
        place: Result<usize, usize>,
        quantity: Decimal,
        trade: &Trade,
    ) -> Result<Decimal, Refusal> {
        let value = |quantity, contract_size: Amount, price: Amount| {
            mul_three(quantity, contract_size.value(), price.value())
        };
        let mut sum = Sum::default();
        for held in self.others(place) {
            sum.add(value(held.quantity.value(), held.contract_size, held.mark)?);
        }
        sum.add(value(quantity, trade.contract_size.amount(), trade.price.amount())?);
        sum.value()
    }

    /// The positions but the one at `place`.
    #[inline]
    fn others(&self, place: Result<usize, usize>) -> impl Iterator<Item = &Position> {
        let positions = &self.state.open_positions;
        let (before, after) = match place {
            Ok(index) => (&positions[..index], &positions[index + 1..]),
            Err(_) => (&positions[..], &[][..]),
        };
        before.iter().chain(after)
    }

    /// Makes the position at `place` what the fill has made of it.
    #[inline]
    fn hold(&mut self, place: Result<usize, usize>, fill: &Fill, trade: &Trade) {
        let positions = &mut self.state.open_positions;
        match place {
            Ok(index) if fill.quantity.is_zero() => {
                positions.remove(index);
            }
            Ok(index) => {
                let held = &mut positions[index];
                held.side = fill.side;
                held.quantity = Amount::untrimmed(fill.quantity);
                held.average_entry_price = Amount::untrimmed(fill.average);
                held.mark = trade.price.amount();
                held.unrealised_pnl = Amount::untrimmed(fill.unrealised);
            }
            Err(index) => positions.insert(
                index,
                Position {
                    symbol: trade.symbol.clone(),
                    side: fill.side,
                    quantity: Amount::untrimmed(fill.quantity),
                    contract_size: trade.contract_size.amount(),
                    average_entry_price: Amount::untrimmed(fill.average),
                    mark: trade.price.amount(),
                    unrealised_pnl: Amount::untrimmed(fill.unrealised),
                },
            ),
        }
    }

    /// Notes the violation that the trade would have been.
    #[cold]
    fn refuse(&mut self, trade: &Trade, rule: Rule, value: Fact, limit: Fact) -> Refusal {
        let details = ViolationDetails {
            challenge_id: Some(self.state.challenge.id.clone()),
            consequence: Some(Consequence::TradeRefused),
            equity: (rule == Rule::Leverage).then_some(self.state.equity),
            trade_id: Some(trade.trade_id.clone()),
            symbol: Some(trade.symbol.clone()),
            ..ViolationDetails::default()
        };
        self.emitted.push(Emission::RuleViolated(Violation { rule, value, limit, details }));
        Refusal::Rule(rule)
    }
}
