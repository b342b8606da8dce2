//! Staged payouts: when each is due.

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::emission::{EligiblePayout, Emission, PayoutTold};
use super::exact::{saturating_add, saturating_mul, saturating_sub};
use super::step::Step;
use crate::Amount;
use crate::account::DayStatistics;
use crate::config::{Milestone, Percent, StagedPayout};

/// A staged payout, made ready.
#[derive(Debug)]
pub(super) struct Payout {
    milestone: Milestone,
    percent: Percent,
    occasion: Occasion,
    /// Absent: the config has conditions that only people can judge, so it is never told of by itself.
    conditions: Option<Conditions>,
}

/// When a payout may be due.
#[derive(Debug, PartialEq, Eq)]
enum Occasion {
    /// When the stage of which the milestone has the name is passed; at that moment only.
    StagePassed,
    /// As soon as the conditions hold after the account became funded; once.
    Funded,
    /// As soon as a funded account's closed profit of the calendar month is above 0 and the conditions hold; once a month.
    MonthlyProfit,
}

/// The members of `conditions` that the engine understands; each is about the time that the occasion is about.
#[derive(Debug, Default)]
struct Conditions {
    min_profit: Option<Decimal>,
    min_trading_days: Option<Decimal>,
    min_winning_days: Option<Decimal>,
}

/// What conditions are held against.
struct Record {
    profit: Decimal,
    trading_days: u32,
    winning_days: u32,
}

impl Payout {
    pub(super) fn of(payout: &StagedPayout) -> Self {
        let occasion = match payout.milestone.as_str() {
            "funded" => Occasion::Funded,
            "monthly-profit" => Occasion::MonthlyProfit,
            _ => Occasion::StagePassed,
        };
        Self {
            milestone: payout.milestone.clone(),
            percent: payout.payout_percent,
            occasion,
            conditions: Conditions::of(payout.conditions.as_ref()),
        }
    }

    fn eligible(&self, payout: usize, record: &Record, on: NaiveDate) -> EligiblePayout {
        let share = saturating_mul(record.profit.max(Decimal::ZERO), self.percent.value());
        EligiblePayout {
            payout,
            milestone: self.milestone.clone(),
            payout_percent: self.percent,
            profit: Amount::new(record.profit),
            amount: Amount::new(saturating_mul(share, Decimal::new(1, 2))),
            on,
        }
    }
}

impl Conditions {
    /// The conditions, if every one of them is understood.
    fn of(conditions: Option<&Map<String, Value>>) -> Option<Self> {
        let mut known = Self::default();
        for (name, value) in conditions.into_iter().flatten() {
            let place = match name.as_str() {
                "minProfit" => &mut known.min_profit,
                "minTradingDays" => &mut known.min_trading_days,
                "minWinningDays" => &mut known.min_winning_days,
                _ => return None,
            };
            let number: Amount = value.as_number()?.to_string().parse().ok()?;
            *place = Some(number.value());
        }
        Some(known)
    }

    fn hold(&self, record: &Record) -> bool {
        let reached =
            |demanded: Option<Decimal>, value: Decimal| demanded.is_none_or(|demanded| value >= demanded);
        reached(self.min_profit, record.profit)
            && reached(self.min_trading_days, record.trading_days.into())
            && reached(self.min_winning_days, record.winning_days.into())
    }
}

impl Step<'_> {
    /// Tells of the payouts that are due because this stage is passed, before the next one starts afresh.
    pub(super) fn tell_passed(&mut self) {
        let record = self.record_of_stage();
        let rules = self.rules;
        let stage = self.stage();
        for (index, payout) in rules.payouts.iter().enumerate() {
            let named = payout.milestone.as_str().strip_suffix("-pass") == Some(stage.id.as_str());
            let due = payout.occasion == Occasion::StagePassed && named;
            if due && payout.conditions.as_ref().is_some_and(|conditions| conditions.hold(&record)) {
                let told = payout.eligible(index, &record, self.state.trading_day);
                self.emitted.push(Emission::PayoutEligible(told));
            }
        }
    }

    /// Tells of the payouts of a funded account that have come to be due.
    pub(super) fn tell_payouts(&mut self) {
        let rules = self.rules;
        for (index, payout) in rules.payouts.iter().enumerate() {
            let Some(conditions) = &payout.conditions else { continue };
            let record = match payout.occasion {
                Occasion::Funded if self.told(index, payout).is_none() => self.record_of_stage(),
                Occasion::MonthlyProfit if !self.told_this_month(index, payout) => {
                    let record = self.record_of_month();
                    if record.profit <= Decimal::ZERO {
                        continue;
                    }
                    record
                }
                _ => continue,
            };
            if conditions.hold(&record) {
                self.tell(index, payout, &record);
            }
        }
    }

    fn tell(&mut self, index: usize, payout: &Payout, record: &Record) {
        let on = self.state.trading_day;
        let told = &mut self.state.payouts_told;
        told.retain(|told| told.payout != index);
        told.push(PayoutTold { payout: index, milestone: payout.milestone.clone(), on });
        self.emitted.push(Emission::PayoutEligible(payout.eligible(index, record, on)));
        self.touch();
    }

    fn told(&self, index: usize, payout: &Payout) -> Option<NaiveDate> {
        let told = self.state.payouts_told.iter();
        // A config that the account migrated from may have had another one in this place.
        told.filter(|told| told.payout == index && told.milestone == payout.milestone)
            .map(|told| told.on)
            .next()
    }

    fn told_this_month(&self, index: usize, payout: &Payout) -> bool {
        self.told(index, payout).is_some_and(|on| is_same_month(on, self.state.trading_day))
    }

    fn record_of_stage(&self) -> Record {
        Record {
            profit: saturating_sub(self.state.balance.value(), self.rules.start),
            trading_days: self.state.trading_days,
            winning_days: self.state.winning_days,
        }
    }

    /// Of the days of the calendar month that this trading day is in.
    fn record_of_month(&self) -> Record {
        let trades_needed = self.stage().min_trades_per_day;
        let month =
            self.state.days.iter().rev().take_while(|day| is_same_month(day.date, self.state.trading_day));
        let none = Record { profit: Decimal::ZERO, trading_days: 0, winning_days: 0 };
        month.fold(none, |sum: Record, day: &DayStatistics| Record {
            profit: saturating_add(sum.profit, day.closed_profit.value()),
            trading_days: sum.trading_days + u32::from(day.is_trading_day(trades_needed)),
            winning_days: sum.winning_days + u32::from(day.is_winning_day()),
        })
    }
}

fn is_same_month(a: NaiveDate, b: NaiveDate) -> bool {
    (a.year(), a.month()) == (b.year(), b.month())
}
