//! Passing a stage, and what comes after it.

use rust_decimal::Decimal;

use super::emission::{Emission, Reason, StagePassed};
use super::exact::{is_less, saturating_mul, saturating_sub};
use super::rulebook::Stage;
use super::step::Step;
use crate::Amount;
use crate::account::{AccountState, AccountStatus, Phase};
use crate::config::Variant;

impl Step<'_> {
    /// Passes the stage if its target is met, nothing blocks it and no position is open: the next one starts afresh,
    /// or the account is funded, which starts afresh, too.
    #[inline]
    pub(super) fn pass_stage(&mut self) {
        let state = &*self.state;
        let passing = state.status == AccountStatus::Active
            && state.challenge.phase == Phase::Evaluation
            && self.rules.variant == Variant::Evaluation
            && state.open_positions.is_empty()
            && self.stage().is_met(state);
        if passing {
            self.next_stage();
        }
    }

    #[cold]
    fn next_stage(&mut self) {
        let stage = self.stage();
        let passed = self.state.challenge.index;
        let next = self.rules.stage_at(passed + 1);
        let profit = saturating_sub(self.state.balance.value(), self.rules.start);
        self.emitted.push(Emission::StagePassed(StagePassed {
            milestone: format!("{}-pass", stage.id),
            challenge_id: stage.id.clone(),
            next_challenge_id: next.map(|next| next.id.clone()),
            balance: self.state.balance,
            profit: Amount::new(profit),
            trading_days: self.state.trading_days,
            winning_days: self.state.winning_days,
        }));
        self.tell_passed();
        if next.is_some() {
            self.start_afresh(passed + 1);
        } else {
            self.start_afresh(passed);
            self.state.challenge.phase = Phase::Funded;
            self.become_status(AccountStatus::Funded, Reason::AllStagesPassed);
        }
    }
}

impl Stage {
    /// Whether the target and everything that stands before passing is met.
    fn is_met(&self, state: &AccountState) -> bool {
        self.target.is_some_and(|target| !is_less(state.balance.value(), target))
            && state.trading_days >= self.min_trading_days
            && state.winning_days >= self.min_winning_days
            && self.max_profit_day_percent.is_none_or(|percent| is_even(state, percent))
    }
}

/// Whether the best day's share of the closed profit is at most this many percent. Without a profit there is no share.
pub(in crate::account) fn is_even(state: &AccountState, percent: Decimal) -> bool {
    let (total, best) = state.closed_profits();
    // The comparison is multiplied out, since a quotient would have to be rounded.
    total > Decimal::ZERO
        && saturating_mul(best.unwrap_or_default(), Decimal::ONE_HUNDRED) <= saturating_mul(total, percent)
}
