//! A second engine, written for the tests alone: it reads the config as JSON, keeps what has happened as a list, and works
//! everything out from the whole list each time, on paper.

mod book;
mod judge;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use tenantry_domain::account::engine::{AccountEvent, Trade};

use self::book::{Book, Happening};
use super::digits::Paper;

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
