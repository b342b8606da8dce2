//! The two rules that end an account: how much equity it has left before each.

use rust_decimal::Decimal;

use super::AccountState;
use super::engine::exact::{saturating_add, saturating_sub};
use crate::Amount;
use crate::config::{AccountConfig, DrawdownMode};

/// How an account stands with a loss rule. At the floor it is still alive; below it, not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LossLimit {
    /// The loss that is allowed.
    pub limit: Amount,
    /// The equity the loss is measured from.
    pub reference: Amount,
    /// The lowest equity that is allowed: reference − limit.
    pub floor: Amount,
    /// The equity of now.
    pub equity: Amount,
}

impl LossLimit {
    fn new(limit: Amount, reference: Decimal, state: &AccountState) -> Self {
        let floor = Amount::new(saturating_sub(reference, limit.value()));
        Self { limit, reference: Amount::new(reference), floor, equity: state.equity }
    }

    /// Whether equity is below the floor.
    pub fn is_violated(&self) -> bool {
        self.equity < self.floor
    }

    /// The loss so far; 0 where there is none.
    pub fn loss(&self) -> Amount {
        Amount::new(saturating_sub(self.reference.value(), self.equity.value()).max(Decimal::ZERO))
    }

    /// How far equity may still fall; 0 at the floor and below it.
    pub fn remaining(&self) -> Amount {
        Amount::new(saturating_sub(self.equity.value(), self.floor.value()).max(Decimal::ZERO))
    }
}

/// How the account stands with `maxDrawdown` of its current stage, if the stage has one.
pub fn max_drawdown(config: &AccountConfig, state: &AccountState) -> Option<LossLimit> {
    let rules = &state.stage(config).rules;
    let limit = rules.max_drawdown?.of(config.base_capital);
    let start = config.base_capital.value();
    let high = state.high_water_mark.value();
    let reference = match rules.drawdown_mode {
        DrawdownMode::Static => start,
        DrawdownMode::TrailingUnlocked => high,
        // floor = min(high − limit, start), said of the reference
        DrawdownMode::Trailing => high.min(saturating_add(start, limit.value())),
    };
    Some(LossLimit::new(limit, reference, state))
}

/// How the account stands with `dailyLossLimit` of its current stage, if the stage has one.
pub fn daily_loss(config: &AccountConfig, state: &AccountState) -> Option<LossLimit> {
    let limit = state.stage(config).rules.daily_loss_limit?.of(config.base_capital);
    Some(LossLimit::new(limit, state.day_start_equity.value(), state))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::demo;

    fn config(mode: &str) -> AccountConfig {
        let mut document = demo::config();
        document["challengeDefinitions"][0]["rules"] = json!({ "maxDrawdown": 0.08, "dailyLossLimit": 0.03, "drawdownMode": mode, "profitTarget": 0.08 });
        serde_json::from_value(document).unwrap()
    }

    fn state(config: &AccountConfig, high: &str, day_start: &str, equity: &str) -> AccountState {
        let mut state = AccountState::provisioned(config, "2025-01-10T15:00:00Z".parse().unwrap());
        state.high_water_mark = high.parse().unwrap();
        state.day_start_equity = day_start.parse().unwrap();
        state.equity = equity.parse().unwrap();
        state
    }

    #[test]
    fn the_floor_follows_what_the_mode_says() {
        for (mode, high, floor) in [
            ("static", "25000", 23_000),
            ("static", "99000", 23_000),
            ("trailing", "25000", 23_000),
            ("trailing", "25600", 23_600),
            ("trailing", "27000", 25_000),
            ("trailing", "99000", 25_000),
            ("trailing-unlocked", "27000", 25_000),
            ("trailing-unlocked", "99000", 97_000),
        ] {
            let config = config(mode);
            let limit = max_drawdown(&config, &state(&config, high, "25000", high)).unwrap();
            assert_eq!(
                (limit.floor, limit.limit),
                (Amount::from(floor), Amount::from(2000)),
                "{mode} {high}"
            );
        }
    }

    #[test]
    fn the_domains_worked_example() {
        let config = config("trailing");
        // equity, daily loss, remaining today, remaining to the floor of 23600, alive
        for (equity, loss, today, total, alive) in [
            ("25600", 0, 1350, 2000, true),
            ("24300", 700, 50, 700, true),
            ("24250", 750, 0, 650, true),
            ("24249", 751, 0, 649, false),
        ] {
            let state = state(&config, "25600", "25000", equity);
            let daily = daily_loss(&config, &state).unwrap();
            assert_eq!((daily.loss(), daily.remaining()), (loss.into(), today.into()), "{equity}");
            assert_eq!(daily.is_violated(), !alive, "{equity}");
            let drawdown = max_drawdown(&config, &state).unwrap();
            assert_eq!((drawdown.remaining(), drawdown.is_violated()), (total.into(), false), "{equity}");
        }
    }

    #[test]
    fn at_the_floor_is_alive_and_a_cent_below_is_not() {
        let config = config("static");
        let at = |equity| max_drawdown(&config, &state(&config, "25000", "25000", equity)).unwrap();
        assert!(!at("23000").is_violated());
        assert!(at("22999.99").is_violated());
    }

    #[test]
    fn without_a_limit_there_is_none_to_keep() {
        let mut document = demo::config();
        document["challengeDefinitions"][0]["rules"] = json!({ "profitTarget": 0.08 });
        let config: AccountConfig = serde_json::from_value(document).unwrap();
        let state = state(&config, "25000", "25000", "1");
        assert_eq!((max_drawdown(&config, &state), daily_loss(&config, &state)), (None, None));
    }
}
