use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::exact::{add, div, mul, sub};
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

    fn increase(held: &Position, trade: &Trade) -> Result<Self, Refusal> {
        let (before, entry) = (held.quantity.value(), held.average_entry_price.value());
        let (more, price) = (trade.quantity.value(), trade.price.value());
        let quantity = add(before, more)?;
        let average =
            if price == entry { entry } else { div(add(mul(before, entry)?, mul(more, price)?)?, quantity)? };
        let unrealised = pnl(held.side, average, price, quantity, held.contract_size.value())?;
        Ok(Self { side: held.side, quantity, average, unrealised, realised: Decimal::ZERO, opens: true })
    }

    fn reduce(held: &Position, side: Side, trade: &Trade) -> Result<Self, Refusal> {
        let (before, entry) = (held.quantity.value(), held.average_entry_price.value());
        let (less, price) = (trade.quantity.value(), trade.price.value());
        let gain = |quantity| pnl(held.side, entry, price, quantity, held.contract_size.value());
        match less.cmp(&before) {
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

/// (price − entry) × (quantity × contract size), negated for a short.
#[inline]
pub(super) fn pnl(
    side: Side,
    entry: Decimal,
    price: Decimal,
    quantity: Decimal,
    contract_size: Decimal,
) -> Result<Decimal, Refusal> {
    let gain = match side {
        Side::Long => sub(price, entry)?,
        Side::Short => sub(entry, price)?,
    };
    mul(gain, mul(quantity, contract_size)?)
}
