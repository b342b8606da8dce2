//! The rules that are looked at after every event.

use chrono::{Datelike, NaiveDate};
use serde_json::Value;

use super::book::Book;
use super::{Naive, paper};
use crate::digits::Paper;

impl Naive {
    /// Every rule that is looked at after an event.
    pub(super) fn judge(&mut self) {
        let book = self.book();
        if ["active", "funded", "paused"].contains(&self.status) {
            let start = paper(&self.config["baseCapital"]).unwrap();
            if let Some(limit) = self.share("maxDrawdown") {
                let floor = |from: &Paper| from.minus(&limit).unwrap();
                let floor = match self.rule("drawdownMode").as_str().unwrap_or("trailing") {
                    "static" => floor(&start),
                    "trailing-unlocked" => floor(&book.high),
                    _ => floor(&book.high).min(start),
                };
                if book.equity < floor {
                    let loss = floor.plus(&limit).unwrap().minus(&book.equity).unwrap();
                    return self.fail("max_drawdown", &loss, &limit);
                }
            }
            if let Some(limit) = self.share("dailyLossLimit").filter(|_| self.status != "paused") {
                let loss = self.day_equity.minus(&book.equity).unwrap();
                if loss > limit && self.rule("dailyLossAction") == "pause" {
                    self.emitted.push(format!("rule.violation.daily_loss {loss} {limit}"));
                    self.liquidate();
                    self.turn("paused");
                } else if loss > limit {
                    return self.fail("daily_loss", &loss, &limit);
                }
            }
        }
        if self.status == "active" && self.is_evaluation() && book.holdings.is_empty() {
            self.pass(&book);
        }
        if self.status == "funded" {
            self.payouts();
        }
    }

    fn fail(&mut self, rule: &str, loss: &Paper, limit: &Paper) {
        self.emitted.push(format!("rule.violation.{rule} {loss} {limit}"));
        self.liquidate();
        self.turn("breached");
        self.emitted.push(format!("challenge.failed {rule} {}", self.book().balance));
    }

    fn pass(&mut self, book: &Book) {
        let profit = book.balance.minus(&paper(&self.config["baseCapital"]).unwrap()).unwrap();
        let Some(target) = self.share("profitTarget").filter(Paper::is_positive) else { return };
        let days = |value: Option<u64>| usize::try_from(value.unwrap_or(0)).unwrap();
        let profits = || book.days.values().filter_map(|day| day.profit.clone());
        let total = profits().fold(Paper::zero(), |sum, profit| sum.plus(&profit).unwrap());
        let even = match paper(&self.rule("consistencyRule")["maxProfitDayPercent"]) {
            None => true,
            Some(percent) => {
                let best = profits().max().unwrap_or(Paper::zero());
                let hundredfold = best.times(&Paper::of("100")).unwrap();
                total.is_positive() && hundredfold <= total.times(&percent).unwrap()
            }
        };
        let passed = profit >= target
            && self.trading_days(book) >= days(self.rule("minTradingDays").as_u64())
            && Self::winning_days(book) >= days(self.consistency("minWinningDays"))
            && even;
        if !passed {
            return;
        }
        let milestone = format!("{}-pass", self.stage_id());
        self.emitted.push(format!("challenge.milestone {milestone} {profit}"));
        let record = (profit, self.trading_days(book), Self::winning_days(book));
        for (index, payout) in
            self.config["payoutRules"]["stagedPayouts"].as_array().unwrap().clone().iter().enumerate()
        {
            if payout["milestone"] == milestone.as_str() && hold(&payout["conditions"], &record) {
                self.emit_payout(index, payout, &record.0);
            }
        }
        if self.config["challengeDefinitions"][self.stage + 1].is_object() {
            self.begin_stage(self.stage + 1);
        } else {
            self.begin_stage(self.stage);
            self.funded = true;
            self.turn("funded");
        }
    }

    fn payouts(&mut self) {
        let book = self.book();
        for (index, payout) in
            self.config["payoutRules"]["stagedPayouts"].as_array().unwrap().clone().iter().enumerate()
        {
            let milestone = payout["milestone"].as_str().unwrap();
            let mine = |told: &&(usize, String, NaiveDate)| told.0 == index && told.1 == milestone;
            let last = self.told.iter().find(mine).map(|told| told.2);
            let month = |day: NaiveDate| (day.year(), day.month());
            let record = match milestone {
                "funded" if last.is_none() => {
                    let start = paper(&self.config["baseCapital"]).unwrap();
                    (book.balance.minus(&start).unwrap(), self.trading_days(&book), Self::winning_days(&book))
                }
                "monthly-profit" if last.map(month) != Some(month(self.day)) => {
                    let mut part = self.work_out(&[]).unwrap();
                    part.days = book.days.clone();
                    part.days.retain(|day, _| month(*day) == month(self.day));
                    // Newest first, in which order the engine adds up, too.
                    let profits = part.days.values().rev().filter_map(|day| day.profit.clone());
                    let profit = profits.fold(Paper::zero(), |sum, profit| sum.plus(&profit).unwrap());
                    if !profit.is_positive() {
                        continue;
                    }
                    (profit, self.trading_days(&part), Self::winning_days(&part))
                }
                _ => continue,
            };
            if hold(&payout["conditions"], &record) {
                self.told.retain(|told| told.0 != index);
                self.told.push((index, milestone.to_owned(), self.day));
                self.emit_payout(index, payout, &record.0);
            }
        }
    }

    fn emit_payout(&mut self, index: usize, payout: &Value, profit: &Paper) {
        let share =
            profit.clone().max(Paper::zero()).times(&paper(&payout["payoutPercent"]).unwrap()).unwrap();
        let amount = share.times(&Paper::of("0.01")).unwrap();
        self.emitted.push(format!("payout.eligible {index} {profit} {amount}"));
    }
}

fn hold(conditions: &Value, (profit, trading, winning): &(Paper, usize, usize)) -> bool {
    let empty = serde_json::Map::new();
    conditions.as_object().unwrap_or(&empty).iter().all(|(name, value)| {
        let Some(value) = paper(value) else { return false };
        match name.as_str() {
            "minProfit" => *profit >= value,
            "minTradingDays" => Paper::of(&trading.to_string()) >= value,
            "minWinningDays" => Paper::of(&winning.to_string()) >= value,
            _ => false,
        }
    })
}
