//! What an account's positions and money come to, worked out from everything that happened.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use tenantry_domain::account::engine::{Trade, TradeSide};

use super::Naive;
use crate::digits::Paper;

/// Something that happened since the current stage began.
#[derive(Clone)]
pub(super) enum Happening {
    Fill {
        day: NaiveDate,
        at: DateTime<Utc>,
        trade: Trade,
    },
    Mark {
        symbol: String,
        price: Paper,
    },
    /// Every position was closed at its mark.
    Liquidation {
        day: NaiveDate,
    },
}

#[derive(Clone)]
pub(crate) struct Holding {
    /// Below zero for a short.
    pub(crate) quantity: Paper,
    pub(crate) entry: Paper,
    pub(crate) mark: Paper,
    pub(crate) size: Paper,
    pub(crate) gain: Paper,
}

#[derive(Clone, Default)]
pub(crate) struct Day {
    pub(crate) trades: u32,
    pub(crate) opening: u32,
    pub(crate) profit: Option<Paper>,
}

/// What follows from everything that happened since the stage began.
pub(crate) struct Book {
    pub(crate) balance: Paper,
    pub(crate) realised: Paper,
    pub(crate) realised_today: Paper,
    pub(crate) unrealised: Paper,
    pub(crate) equity: Paper,
    pub(crate) high: Paper,
    pub(crate) holdings: BTreeMap<String, Holding>,
    pub(crate) days: BTreeMap<NaiveDate, Day>,
    pub(crate) first_trade: Option<DateTime<Utc>>,
}

impl Naive {
    /// Everything that follows from these happenings; none if a number is too large.
    pub(super) fn work_out(&self, happened: &[Happening]) -> Option<Book> {
        let mut book = Book {
            balance: self.start.clone(),
            realised: Paper::zero(),
            realised_today: Paper::zero(),
            unrealised: Paper::zero(),
            equity: self.start.clone(),
            high: self.start.clone(),
            holdings: BTreeMap::new(),
            days: BTreeMap::new(),
            first_trade: None,
        };
        for happening in happened {
            match happening {
                Happening::Fill { day, at, trade } => {
                    book.first_trade.get_or_insert(*at);
                    let (gain, opens) = book.fill(trade)?;
                    let profit = gain.minus(&Paper::of(&trade.commission.to_string()))?;
                    book.balance = book.balance.plus(&profit)?;
                    book.realise(&gain, *day == self.day)?;
                    let row = book.days.entry(*day).or_default();
                    row.trades += 1;
                    row.opening += u32::from(opens);
                    row.profit = Some(row.profit.clone().unwrap_or(Paper::zero()).plus(&profit)?);
                }
                Happening::Mark { symbol, price } => {
                    if let Some(held) = book.holdings.get_mut(symbol) {
                        held.mark = price.clone();
                    }
                }
                Happening::Liquidation { day } => {
                    let gain = book.unrealised.clone();
                    book.balance = book.equity.clone();
                    book.realise(&gain, *day == self.day)?;
                    let row = book.days.entry(*day).or_default();
                    row.profit = Some(row.profit.clone().unwrap_or(Paper::zero()).plus(&gain)?);
                    book.holdings.clear();
                }
            }
            for held in book.holdings.values_mut() {
                let long = !held.quantity.is_negative();
                let (quantity, move_) = if long {
                    (held.quantity.clone(), held.mark.minus(&held.entry)?)
                } else {
                    (held.quantity.negated(), held.entry.minus(&held.mark)?)
                };
                held.gain = move_.times(&quantity.times(&held.size)?)?;
            }
            let gains: Vec<_> = book.holdings.values().map(|held| held.gain.clone()).collect();
            book.unrealised = Paper::sum(&gains)?;
            book.equity = book.balance.plus(&book.unrealised)?;
            book.high = book.high.clone().max(book.equity.clone());
        }
        Some(book)
    }
}

impl Book {
    fn realise(&mut self, gain: &Paper, today: bool) -> Option<()> {
        self.realised = self.realised.plus(gain)?;
        if today {
            self.realised_today = self.realised_today.plus(gain)?;
        }
        Some(())
    }

    /// Nets the fill; gives what it realised and whether it opened anything.
    fn fill(&mut self, trade: &Trade) -> Option<(Paper, bool)> {
        let symbol = trade.symbol.to_string();
        let (amount, price) = (Paper::of(&trade.quantity.to_string()), Paper::of(&trade.price.to_string()));
        let size = Paper::of(&trade.contract_size.to_string());
        let signed = if trade.side == TradeSide::Buy { amount.clone() } else { amount.negated() };
        let zero = Paper::zero();
        let fresh = |quantity: &Paper| Holding {
            quantity: quantity.clone(),
            entry: price.clone(),
            mark: price.clone(),
            size: size.clone(),
            gain: zero.clone(),
        };
        let Some(held) = self.holdings.get(&symbol).cloned() else {
            self.holdings.insert(symbol, fresh(&signed));
            return Some((zero, true));
        };
        let total = held.quantity.plus(&signed)?;
        let short = held.quantity.is_negative();
        let absolute = if short { held.quantity.negated() } else { held.quantity.clone() };
        if short == signed.is_negative() {
            let cost = absolute.times(&held.entry)?.plus(&amount.times(&price)?)?;
            let entry =
                if price == held.entry { price.clone() } else { cost.over(&absolute.plus(&amount)?)? };
            self.holdings.insert(symbol, Holding { entry, ..fresh(&total) });
            return Some((zero, true));
        }
        let gone = absolute.clone().min(amount.clone());
        let move_ = if short { held.entry.minus(&price)? } else { price.minus(&held.entry)? };
        let gain = move_.times(&gone.times(&size)?)?;
        let flipped = amount > absolute;
        if amount == absolute {
            self.holdings.remove(&symbol);
        } else if flipped {
            self.holdings.insert(symbol, fresh(&total));
        } else {
            self.holdings.insert(symbol, Holding { entry: held.entry, ..fresh(&total) });
        }
        Some((gain, flipped))
    }
}
