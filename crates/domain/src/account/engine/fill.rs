use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::exact::{add, div, is_less, mul, sub};
use super::{Refusal, Trade, TradeSide};
use crate::account::{Position, Side};

/// What a trade makes of the position in its symbol: fills net into one.
pub(super) struct Fill {
    /// The direction of what is held then.
    pub(super) side: Side,
    /// How much is held then; 0 if the position is closed.
    pub(super) quantity: Decimal,
    /// The average price at which that was opened.
    pub(super) average: Decimal,
    /// What it gains at the trade's price.
    pub(super) unrealised: Decimal,
    /// What was gained by what the trade closed.
    pub(super) realised: Decimal,
    /// Whether it opened or increased a position.
    pub(super) opens: bool,
}

impl Fill {
    /// What the trade makes of what is held.
    #[inline]
    pub(super) fn of(held: Option<&Position>, trade: &Trade) -> Result<Self, Refusal> {
        let side = match trade.side {
            TradeSide::Buy => Side::Long,
            TradeSide::Sell => Side::Short,
        };
        let Some(held) = held else {
            return Ok(Self::opening(side, trade.quantity.value(), trade, Decimal::ZERO));
        };
        if held.contract_size != trade.contract_size.amount() {
            return Err(Refusal::ContractSize { expected: held.contract_size });
        }
        if held.side == side { Self::increase(held, trade) } else { Self::reduce(held, side, trade) }
    }

    fn opening(side: Side, quantity: Decimal, trade: &Trade, realised: Decimal) -> Self {
        let average = trade.price.value();
        Self { side, quantity, average, unrealised: Decimal::ZERO, realised, opens: true }
    }

    #[inline]
    fn increase(held: &Position, trade: &Trade) -> Result<Self, Refusal> {
        let (before, entry) = (held.quantity.value(), held.average_entry_price.value());
        let (more, price) = (trade.quantity.value(), trade.price.value());
        let quantity = add(before, more)?;
        let average =
            if price == entry { entry } else { div(add(mul(before, entry)?, mul(more, price)?)?, quantity)? };
        let unrealised = pnl(held.side, average, price, quantity, held.contract_size.value())?;
        Ok(Self { side: held.side, quantity, average, unrealised, realised: Decimal::ZERO, opens: true })
    }

    #[inline]
    fn reduce(held: &Position, side: Side, trade: &Trade) -> Result<Self, Refusal> {
        let (before, entry) = (held.quantity.value(), held.average_entry_price.value());
        let (less, price) = (trade.quantity.value(), trade.price.value());
        let per_unit = gain(held.side, entry, price)?;
        let gain = |quantity| mul(per_unit, mul(quantity, held.contract_size.value())?);
        match order(less, before) {
            Ordering::Less => {
                let quantity = sub(before, less)?;
                let (unrealised, realised) = (gain(quantity)?, gain(less)?);
                Ok(Self { side: held.side, quantity, average: entry, unrealised, realised, opens: false })
            }
            Ordering::Equal => Ok(Self {
                side: held.side,
                quantity: Decimal::ZERO,
                average: entry,
                unrealised: Decimal::ZERO,
                realised: gain(before)?,
                opens: false,
            }),
            // Past zero: the rest opens the other side.
            Ordering::Greater => Ok(Self::opening(side, sub(less, before)?, trade, gain(before)?)),
        }
    }
}

/// Which of the two is less.
#[inline(always)]
fn order(a: Decimal, b: Decimal) -> Ordering {
    if is_less(a, b) {
        return Ordering::Less;
    }
    if is_less(b, a) { Ordering::Greater } else { Ordering::Equal }
}

/// (price − entry) × (quantity × contract size), negated for a short.
#[inline(always)]
pub(super) fn pnl(
    side: Side,
    entry: Decimal,
    price: Decimal,
    quantity: Decimal,
    contract_size: Decimal,
) -> Result<Decimal, Refusal> {
    mul(gain(side, entry, price)?, mul(quantity, contract_size)?)
}

/// What one unit gains.
#[inline(always)]
fn gain(side: Side, entry: Decimal, price: Decimal) -> Result<Decimal, Refusal> {
    match side {
        Side::Long => sub(price, entry),
        Side::Short => sub(entry, price),
    }
}
