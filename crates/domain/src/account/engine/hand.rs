//! What people do to an account: disable, enable, reset, close, migrate.

use super::Refusal;
use super::emission::{AccountClosed, Emission, Reason};
use super::step::Step;
use crate::account::{AccountStatus, DayStatistics, Phase};
use crate::config::Variant;

impl Step<'_> {
    pub(super) fn disable(&mut self) -> Result<(), Refusal> {
        let from = self.state.status;
        if from == AccountStatus::Disabled {
            return Err(Refusal::Status(from));
        }
        self.state.disabled_from = Some(from);
        self.become_status(AccountStatus::Disabled, Reason::Disabled);
        Ok(())
    }

    /// The account is again what it was; what time and marks have done to it meanwhile has its consequences now.
    pub(super) fn enable(&mut self) -> Result<(), Refusal> {
        if self.state.status != AccountStatus::Disabled {
            return Err(Refusal::Status(self.state.status));
        }
        let before = self.state.disabled_from.take();
        let before = before.unwrap_or_else(|| self.resumed());
        self.become_status(before, Reason::Enabled);
        self.run_out_of_time();
        self.settle();
        Ok(())
    }

    pub(super) fn reset(&mut self) {
        self.close_positions();
        self.start_afresh(self.state.challenge.index);
        self.touch();
        self.end_pause(Reason::Reset);
    }

    pub(super) fn close(&mut self) {
        self.close_positions();
        self.become_status(AccountStatus::Closed, Reason::Closed);
        self.emitted.push(Emission::AccountClosed(AccountClosed { balance: self.state.balance }));
    }

    /// Goes on under the rules of another config version, with what the account has.
    pub(super) fn migrate(&mut self) {
        let state = &mut *self.state;
        let index = match state.challenge.phase {
            Phase::Evaluation => self.rules.position_of(&state.challenge.id, state.challenge.index),
            Phase::Funded => self.rules.last(),
        };
        if state.is_untraded() {
            // Nothing to keep: it starts with the capital of its new config.
            self.start_afresh(index);
        } else if let Some(stage) = self.rules.stage_at(index) {
            state.challenge.id = stage.id.clone();
            state.challenge.index = index;
            let is_trading = |day: &&DayStatistics| day.is_trading_day(stage.min_trades_per_day);
            let listed = u32::try_from(state.days.iter().filter(is_trading).count()).unwrap_or(u32::MAX);
            // Those that are no longer listed stay what they were.
            let earlier = state.earlier_days.map_or(0, |earlier| earlier.trading_days);
            state.trading_days = listed.saturating_add(earlier);
            if self.rules.variant == Variant::StraightToFunded {
                self.fund();
            }
        }
        self.touch();
        self.pass_time();
        self.settle();
    }

    /// An account that has traded is funded, now that there is no stage to pass.
    fn fund(&mut self) {
        self.state.challenge.phase = Phase::Funded;
        if self.state.disabled_from == Some(AccountStatus::Active) {
            self.state.disabled_from = Some(AccountStatus::Funded);
        }
        if self.state.status == AccountStatus::Active {
            self.become_status(AccountStatus::Funded, Reason::ConfigMigrated);
        }
    }
}
