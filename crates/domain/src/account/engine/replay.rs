use std::collections::HashSet;

use super::{AccountEvent, Outcome, Rulebook, TradeId, apply_to};
use crate::account::AccountState;

/// An account to which events are applied one after the other, each trade once.
#[derive(Debug, Clone)]
pub struct Replay {
    state: AccountState,
    applied: HashSet<TradeId>,
}

/// What came of an event of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// It was given to the engine.
    Done(Outcome),
    /// It is a trade that was applied before, so nothing happened.
    Duplicate,
}

impl Replay {
    /// A replay that begins with this state, to which no trade of the events to come was applied.
    pub fn new(state: AccountState) -> Self {
        Self { state, applied: HashSet::new() }
    }

    /// Applies the event. `rules` as for [`apply`](super::apply): after a `ConfigMigrated`, those of the new version.
    pub fn step(&mut self, rules: &Rulebook, event: &AccountEvent) -> Replayed {
        let trade = match event {
            AccountEvent::TradeExecuted(trade) if self.applied.contains(&trade.trade_id) => {
                return Replayed::Duplicate;
            }
            AccountEvent::TradeExecuted(trade) => Some(&trade.trade_id),
            _ => None,
        };
        let outcome = apply_to(rules, &mut self.state, event);
        // What was refused may come again.
        if let (Some(id), None) = (trade, outcome.refusal) {
            self.applied.insert(id.clone());
        }
        Replayed::Done(outcome)
    }

    /// The account after the last event.
    pub const fn state(&self) -> &AccountState {
        &self.state
    }

    /// The account after the last event, at the end of the replay.
    pub fn into_state(self) -> AccountState {
        self.state
    }
}

/// The account after all these events under the rules of one config version.
#[must_use]
pub fn replay<'e>(
    rules: &Rulebook,
    state: AccountState,
    events: impl IntoIterator<Item = &'e AccountEvent>,
) -> AccountState {
    let mut replay = Replay::new(state);
    for event in events {
        replay.step(rules, event);
    }
    replay.into_state()
}
