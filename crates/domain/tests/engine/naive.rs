//! A second engine, written for the tests alone: it reads the config as JSON, keeps what has happened as a list, and works
//! everything out from the whole list each time, on paper.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use tenantry_domain::account::engine::{AccountEvent, Trade, TradeSide};

use super::digits::Paper;

/// Something that happened since the current stage began.
#[derive(Clone)]
enum Happening {
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

pub(crate) struct Naive {
    config: Value,
    /// The balance with which the stage began.
    start: Paper,
    happened: Vec<Happening>,
    pub(crate) status: &'static str,
    pub(crate) disabled_from: Option<&'static str>,
    pub(crate) stage: usize,
    pub(crate) funded: bool,
    pub(crate) day: NaiveDate,
    pub(crate) day_equity: Paper,
    pub(crate) day_unrealised: Paper,
    pub(crate) told: Vec<(usize, String, NaiveDate)>,
    pub(crate) as_of: DateTime<Utc>,
    seen: BTreeSet<String>,
    pub(crate) emitted: Vec<String>,
}

fn paper(value: &Value) -> Option<Paper> {
    value.as_number().map(|number| Paper::of(&number.to_string()))
}

impl Naive {
    pub(crate) fn new(config: &Value, at: DateTime<Utc>) -> Self {
        let mut naive = Self {
            config: config.clone(),
            start: paper(&config["baseCapital"]).unwrap(),
            happened: Vec::new(),
            status: "provisioned",
            disabled_from: None,
            stage: 0,
            funded: false,
            day: NaiveDate::MIN,
            day_equity: paper(&config["baseCapital"]).unwrap(),
            day_unrealised: Paper::zero(),
            told: Vec::new(),
            as_of: at,
            seen: BTreeSet::new(),
            emitted: Vec::new(),
        };
        naive.day = naive.date(at);
        naive
    }

    fn date(&self, at: DateTime<Utc>) -> NaiveDate {
        let zone: Tz = self.config["timezone"].as_str().unwrap_or("UTC").parse().unwrap();
        at.with_timezone(&zone).date_naive()
    }

    pub(crate) fn stage_id(&self) -> &str {
        self.config["challengeDefinitions"][self.stage]["id"].as_str().unwrap()
    }

    fn rule(&self, name: &str) -> &Value {
        &self.config["challengeDefinitions"][self.stage]["rules"][name]
    }

    fn share(&self, name: &str) -> Option<Paper> {
        paper(self.rule(name))?.times(&paper(&self.config["baseCapital"])?)
    }

    fn consistency(&self, name: &str) -> Option<u64> {
        self.rule("consistencyRule")[name].as_u64()
    }

    fn is_evaluation(&self) -> bool {
        self.config["variant"] == "evaluation" && !self.funded
    }

    /// Everything that follows from these happenings; none if a number is too large.
    fn work_out(&self, happened: &[Happening]) -> Option<Book> {
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

    pub(crate) fn book(&self) -> Book {
        self.work_out(&self.happened).unwrap()
    }

    pub(crate) fn trading_days(&self, book: &Book) -> usize {
        let needed = self.consistency("minTradesPerDay").unwrap_or(0).max(1);
        book.days.values().filter(|day| day.opening > 0 && u64::from(day.trades) >= needed).count()
    }

    pub(crate) fn winning_days(book: &Book) -> usize {
        book.days.values().filter(|day| day.profit.as_ref().is_some_and(Paper::is_positive)).count()
    }

    /// Gives the code of the refusal.
    pub(crate) fn step(&mut self, event: &AccountEvent, migrate_to: &Value) -> Option<String> {
        self.emitted.clear();
        if let AccountEvent::TradeExecuted(trade) = event
            && self.seen.contains(trade.trade_id.as_str())
        {
            return Some("duplicate".to_owned());
        }
        if ["breached", "expired", "closed"].contains(&self.status) {
            return Some("account_final".to_owned());
        }
        let at = event.at();
        let first_trade = self.status == "provisioned" && matches!(event, AccountEvent::TradeExecuted(_));
        let day = self.day;
        if at < self.as_of {
            if !first_trade {
                return Some("out_of_order".to_owned());
            }
            self.day = self.date(at);
        }
        if matches!(event, AccountEvent::ConfigMigrated { .. }) {
            self.migrate(migrate_to, at);
            return None;
        }
        self.let_time_pass(at);
        if self.status == "expired" {
            return (!matches!(event, AccountEvent::DayRolled { .. })).then(|| "account_final".to_owned());
        }
        match event {
            AccountEvent::TradeExecuted(trade) => {
                if let Err(code) = self.trade(trade) {
                    if at < self.as_of {
                        self.day = day;
                    }
                    return Some(code.to_owned());
                }
                self.seen.insert(trade.trade_id.to_string());
            }
            AccountEvent::PriceMarked { symbol, price, .. } => {
                let symbol = symbol.to_string();
                let mark = Happening::Mark { symbol: symbol.clone(), price: Paper::of(&price.to_string()) };
                let after: Vec<_> = self.happened.iter().cloned().chain([mark]).collect();
                match self.work_out(&after) {
                    None => return Some("overflow".to_owned()),
                    Some(book) if !book.holdings.contains_key(&symbol) => return None,
                    Some(_) => {}
                }
                self.happened = after;
            }
            AccountEvent::DayRolled { .. } => return None,
            AccountEvent::Disabled { .. } if self.status == "disabled" => {
                return Some("invalid_transition".to_owned());
            }
            AccountEvent::Disabled { .. } => {
                self.disabled_from = Some(self.status);
                self.turn("disabled");
            }
            AccountEvent::Enabled { .. } if self.status != "disabled" => {
                return Some("invalid_transition".to_owned());
            }
            AccountEvent::Enabled { .. } => {
                let before = self.disabled_from.take().unwrap();
                self.turn(before);
                self.let_time_pass(at);
            }
            AccountEvent::Reset { .. } => {
                self.liquidate();
                self.begin_stage(self.stage);
                self.wake("paused");
            }
            AccountEvent::Closed { .. } => {
                self.liquidate();
                self.turn("closed");
                self.emitted.push(format!("account.closed {}", self.book().balance));
            }
            AccountEvent::ConfigMigrated { .. } => unreachable!(),
        }
        self.as_of = at;
        self.judge();
        None
    }

    fn turn(&mut self, to: &'static str) {
        self.emitted.push(format!("account.state_changed {} {to}", self.status));
        self.status = to;
    }

    fn let_time_pass(&mut self, at: DateTime<Utc>) {
        let day = self.date(at);
        if day > self.day {
            let book = self.book();
            self.day = day;
            self.day_equity = book.equity;
            self.day_unrealised = book.unrealised;
            self.as_of = at;
            if self.status == "paused" {
                self.wake("paused");
                self.judge();
            }
            self.wake("paused");
        }
        let days = self.config["challengeDefinitions"][self.stage]["durationDays"].as_i64().unwrap_or(0);
        if self.status == "active" && days > 0 && self.is_evaluation() {
            let elapsed = at - self.book().first_trade.unwrap_or(at);
            if elapsed >= TimeDelta::days(days) {
                self.emitted.push(format!("rule.violation.duration {} {days}", elapsed.num_days()));
                self.liquidate();
                self.turn("expired");
                self.emitted.push(format!("challenge.failed duration {}", self.book().balance));
                self.as_of = at;
            }
        }
    }

    /// An account that is paused goes on.
    fn wake(&mut self, paused: &str) {
        let awake = if self.funded { "funded" } else { "active" };
        if self.disabled_from == Some(paused) {
            self.disabled_from = Some(awake);
        }
        if self.status == paused {
            self.turn(awake);
        }
    }

    fn trade(&mut self, trade: &Trade) -> Result<(), &'static str> {
        match self.status {
            "paused" => return Err("account_paused"),
            "disabled" => return Err("account_disabled"),
            _ => {}
        }
        let listed = |list: &Value, name: &str| {
            list.as_array().is_none_or(|list| list.iter().any(|item| item == name))
        };
        let violation = |naive: &mut Self, rule: &'static str, value: &str, limit: &str| {
            naive.emitted.push(format!("rule.violation.{rule} {value} {limit}").trim_end().to_owned());
            Err(rule)
        };
        if !listed(&self.config["allowedInstruments"], trade.symbol.as_str()) {
            return violation(self, "instrument", trade.symbol.as_str(), "");
        }
        let order_type = serde_json::to_value(trade.order_type).unwrap();
        if !listed(self.rule("orderTypesAllowed"), order_type.as_str().unwrap()) {
            return violation(self, "order_type", order_type.as_str().unwrap(), "");
        }
        let before = self.book();
        if let Some(held) = before.holdings.get(trade.symbol.as_str())
            && held.size != Paper::of(&trade.contract_size.to_string())
        {
            return Err("contract_size_mismatch");
        }
        let fill = Happening::Fill { day: self.day, at: trade.executed_at, trade: trade.clone() };
        let after: Vec<_> = self.happened.iter().cloned().chain([fill]).collect();
        let book = self.work_out(&after).ok_or("overflow")?;
        if let Some(leverage) = paper(self.rule("leverage")) {
            let open: Option<Vec<_>> = book
                .holdings
                .values()
                .map(|held| {
                    let short = held.quantity.is_negative();
                    let quantity = if short { held.quantity.negated() } else { held.quantity.clone() };
                    quantity.times(&held.size)?.times(&held.mark)
                })
                .collect();
            let open = open.and_then(|open| Paper::sum(&open));
            let limit = before.equity.times(&leverage).ok_or("overflow")?.max(Paper::zero());
            let open = open.ok_or("overflow")?;
            if open > limit {
                return violation(self, "leverage", &open.to_string(), &limit.to_string());
            }
        }
        self.happened = after;
        if self.status == "provisioned" {
            self.turn("active");
            if self.config["variant"] == "straight-to-funded" {
                self.funded = true;
                self.turn("funded");
            }
        }
        Ok(())
    }

    fn liquidate(&mut self) {
        let held = self.book().holdings;
        if !held.is_empty() {
            self.happened.push(Happening::Liquidation { day: self.day });
            let symbols: Vec<_> = held.keys().map(String::as_str).collect();
            self.emitted.push(format!("account.updated {} {}", symbols.join(","), self.book().balance));
        }
    }

    fn begin_stage(&mut self, stage: usize) {
        self.stage = stage;
        self.start = paper(&self.config["baseCapital"]).unwrap();
        self.happened.clear();
        self.day_equity = self.start.clone();
        self.day_unrealised = Paper::zero();
    }

    /// Every rule that is looked at after an event.
    fn judge(&mut self) {
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

    fn migrate(&mut self, to: &Value, at: DateTime<Utc>) {
        let id = self.stage_id().to_owned();
        self.config = to.clone();
        let stages = to["challengeDefinitions"].as_array().unwrap();
        let last = stages.len() - 1;
        self.stage = match stages.iter().position(|stage| stage["id"] == id.as_str()) {
            _ if self.funded => last,
            Some(same) => same,
            None => self.stage.min(last),
        };
        if self.status == "provisioned" || self.disabled_from == Some("provisioned") {
            self.begin_stage(self.stage);
        } else if to["variant"] == "straight-to-funded" {
            self.funded = true;
            if self.disabled_from == Some("active") {
                self.disabled_from = Some("funded");
            }
            if self.status == "active" {
                self.turn("funded");
            }
        }
        self.as_of = at;
        self.let_time_pass(at);
        self.judge();
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
