//! The rules that are looked at after every event, and what follows from breaking them.

use rust_decimal::Decimal;

use super::emission::{ChallengeFailed, Consequence, Emission, Fact, Reason, Violation, ViolationDetails};
use super::exact::{is_less, saturating_sub};
use super::step::Step;
use crate::Amount;
use crate::account::{AccountStatus, Rule};
use crate::config::DailyLossAction;

/// A loss beyond its limit.
struct Loss {
    rule: Rule,
    limit: Decimal,
    reference: Decimal,
}

impl Step<'_> {
    /// Looks at every rule after something that may have changed more than a mark does: losses, passing, payouts.
    pub(super) fn settle(&mut self) {
        self.settle_losses();
        self.pass_stage();
        if self.state.status == AccountStatus::Funded && !self.rules.payouts.is_empty() {
            self.tell_payouts();
        }
    }

    /// Looks at the loss rules. If one event breaks both, it is the drawdown that counts.
    #[inline]
    pub(super) fn settle_losses(&mut self) {
        let daily = match self.state.status {
            AccountStatus::Active | AccountStatus::Funded => true,
            // Its day's loss has had its consequence.
            AccountStatus::Paused => false,
            // No trade yet, or no consequences until it is enabled.
            _ => return,
        };
        let stage = self.stage();
        let state = &*self.state;
        let equity = state.equity.value();
        if let Some(drawdown) = &stage.max_drawdown
            && !drawdown.is_far(equity)
        {
            let reference = drawdown.reference(state.high_water_mark.value());
            if is_below(equity, reference, drawdown.limit) {
                return self.breach(&Loss { rule: Rule::MaxDrawdown, limit: drawdown.limit, reference });
            }
        }
        let reference = state.day_start_equity.value();
        let Some(limit) = stage.daily_loss.filter(|limit| daily && is_below(equity, reference, *limit))
        else {
            return;
        };
        let loss = Loss { rule: Rule::DailyLoss, limit, reference };
        match stage.daily_loss_action {
            DailyLossAction::Breach => self.breach(&loss),
            DailyLossAction::Pause => self.pause(&loss),
        }
    }

    #[cold]
    fn breach(&mut self, loss: &Loss) {
        let (value, limit, details) = self.violate(loss, Consequence::Breached);
        let reason = if loss.rule == Rule::MaxDrawdown { Reason::MaxDrawdown } else { Reason::DailyLoss };
        self.close_positions();
        self.become_status(AccountStatus::Breached, reason);
        self.emitted.push(Emission::ChallengeFailed(ChallengeFailed {
            challenge_id: self.state.challenge.id.clone(),
            rule: loss.rule,
            value,
            limit,
            balance: self.state.balance,
            details,
        }));
    }

    #[cold]
    fn pause(&mut self, loss: &Loss) {
        self.violate(loss, Consequence::Paused);
        self.close_positions();
        self.become_status(AccountStatus::Paused, Reason::DailyLoss);
    }

    /// Notes the violation; gives the loss and its limit.
    fn violate(&mut self, loss: &Loss, consequence: Consequence) -> (Amount, Amount, ViolationDetails) {
        let equity = self.state.equity;
        let value = Amount::new(saturating_sub(loss.reference, equity.value()));
        let limit = Amount::new(loss.limit);
        let details = ViolationDetails {
            challenge_id: Some(self.state.challenge.id.clone()),
            consequence: Some(consequence),
            equity: Some(equity),
            floor: Some(Amount::new(saturating_sub(loss.reference, loss.limit))),
            reference: Some(Amount::new(loss.reference)),
            ..ViolationDetails::default()
        };
        self.emitted.push(Emission::RuleViolated(Violation {
            rule: loss.rule,
            value: Fact::Number(value),
            limit: Fact::Number(limit),
            details: details.clone(),
        }));
        (value, limit, details)
    }
}

/// Whether equity is below the reference less the limit.
#[inline]
fn is_below(equity: Decimal, reference: Decimal, limit: Decimal) -> bool {
    // Mostly there is no loss at all, which is quicker to see.
    is_less(equity, reference) && is_less(equity, saturating_sub(reference, limit))
}
