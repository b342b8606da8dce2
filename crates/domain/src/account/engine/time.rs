//! What time alone does to an account: days begin, pauses end, stages run out of time.

use chrono::{DateTime, TimeDelta, Utc};

use super::emission::{ChallengeFailed, Consequence, Emission, Fact, Reason, Violation, ViolationDetails};
use super::rulebook::{Rulebook, Rules};
use super::step::Step;
use crate::Amount;
use crate::account::{AccountState, AccountStatus, Phase, Rule};
use crate::config::Variant;

/// When the account's next trading day begins: the first instant whose date on the config's clock is a later one. This
/// is the time to give a `DayRolled`.
pub fn next_day_starts(rules: &Rulebook, state: &AccountState) -> DateTime<Utc> {
    let timezone = rules.rules().timezone;
    timezone.day_after(state.trading_day)
}

/// When the time of the account's stage runs out: an event at that time or later, be it a `DayRolled`, finds the
/// account expired. None without a limit, before the first trade, and while the account cannot expire.
pub fn time_runs_out(rules: &Rulebook, state: &AccountState) -> Option<DateTime<Utc>> {
    let deadline = deadline(rules.rules(), state)?;
    match state.status {
        AccountStatus::Active => Some(deadline),
        // The pause ends first.
        AccountStatus::Paused => Some(deadline.max(next_day_starts(rules, state))),
        _ => None,
    }
}

/// When time alone does something to the account next, be it only that its day begins: the time to give a `DayRolled`. None
/// for an account that nobody has traded, and for one to which nothing can happen any more.
pub fn time_acts_next(rules: &Rulebook, state: &AccountState) -> Option<DateTime<Utc>> {
    if state.status.is_final() || state.is_untraded() {
        return None;
    }
    let day = next_day_starts(rules, state);
    Some(time_runs_out(rules, state).map_or(day, |deadline| deadline.min(day)))
}

/// When the stage's time runs out, whatever the status.
fn deadline(rules: &Rules, state: &AccountState) -> Option<DateTime<Utc>> {
    if state.challenge.phase == Phase::Funded || rules.variant == Variant::StraightToFunded {
        return None;
    }
    let limit = rules.stage(state).time_limit?;
    state.challenge.first_trade_at?.checked_add_signed(limit)
}

impl Step<'_> {
    /// Lets time pass until the event.
    #[inline]
    pub(super) fn pass_time(&mut self) {
        let day = self.rules.timezone.trading_day(self.at);
        if day > self.state.trading_day {
            let state = &mut *self.state;
            state.trading_day = day;
            state.day_start_equity = state.equity;
            state.day_start_unrealised = state.unrealised_pnl.total;
            state.realised_pnl.today = Amount::ZERO;
            state.unrealised_pnl.today = Amount::ZERO;
            self.touch();
            self.end_pause(Reason::NewDay);
        }
        self.run_out_of_time();
    }

    /// What is paused is again what it was, or will be when it is enabled.
    pub(super) fn end_pause(&mut self, reason: Reason) {
        let resumed = self.resumed();
        if self.state.disabled_from == Some(AccountStatus::Paused) {
            self.state.disabled_from = Some(resumed);
        }
        if self.state.status == AccountStatus::Paused {
            self.become_status(resumed, reason);
            self.settle();
        }
    }

    /// Expires the account if the stage's time has run out.
    #[inline]
    pub(super) fn run_out_of_time(&mut self) {
        if self.state.status == AccountStatus::Active
            && deadline(self.rules, self.state).is_some_and(|deadline| deadline <= self.at)
        {
            self.expire();
        }
    }

    #[cold]
    fn expire(&mut self) {
        let stage = self.stage();
        let since = self.state.challenge.first_trade_at;
        let elapsed = since.map_or(TimeDelta::zero(), |since| self.at - since).num_days();
        let value = Amount::from(elapsed);
        let limit = Amount::from(stage.time_limit.unwrap_or_default().num_days());
        let details = ViolationDetails {
            challenge_id: Some(stage.id.clone()),
            consequence: Some(Consequence::Expired),
            equity: Some(self.state.equity),
            since,
            ..ViolationDetails::default()
        };
        self.emitted.push(Emission::RuleViolated(Violation {
            rule: Rule::Duration,
            value: Fact::Number(value),
            limit: Fact::Number(limit),
            details: details.clone(),
        }));
        self.close_positions();
        self.become_status(AccountStatus::Expired, Reason::Duration);
        self.emitted.push(Emission::ChallengeFailed(ChallengeFailed {
            challenge_id: stage.id.clone(),
            rule: Rule::Duration,
            value,
            limit,
            balance: self.state.balance,
            details,
        }));
    }
}
