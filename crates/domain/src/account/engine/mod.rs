//! The rule engine: one pure function that says what an event does to an account.
//!
//! [`apply`] takes the rules, an account's state and an event and gives the state after it with everything that the
//! outside is told; [`apply_to`] is the same in place. No I/O, no clock, no randomness: every event carries its time,
//! and the same events give the same state, digit for digit. `docs/rules.md` explains every rule with an example.
//!
//! ```
//! use tenantry_domain::account::{AccountState, AccountStatus};
//! use tenantry_domain::account::engine::{AccountEvent, Rulebook, apply};
//! use tenantry_domain::config::{AccountConfig, demo};
//!
//! let config: AccountConfig = serde_json::from_str(demo::DEMO_CONFIG)?;
//! let rules = Rulebook::of(&config);
//! let account = AccountState::provisioned(&config, "2025-01-10T15:00:00Z".parse()?);
//! let trade: AccountEvent = serde_json::from_str(
//!     r#"{ "type": "TradeExecuted", "tradeId": "t-1", "symbol": "EURUSD", "side": "buy", "quantity": 1, "price": 1.1,
//!          "contractSize": 100000, "commission": 3.5, "executedAt": "2025-01-10T15:30:00Z" }"#,
//! )?;
//! let (account, outcome) = apply(&rules, account, &trade);
//! assert_eq!(outcome.refusal, None);
//! assert_eq!((account.status, account.equity.to_string()), (AccountStatus::Active, "24996.5".to_owned()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod emission;
mod event;
pub(super) mod exact;
mod fill;
mod hand;
mod loss;
mod mark;
pub(super) mod pass;
mod payout;
mod realised;
mod refusal;
mod replay;
mod rulebook;
mod step;
mod time;
mod trade;
mod trading;

pub use emission::{
    AccountClosed, ChallengeFailed, ClosedPosition, Consequence, EligiblePayout, Emission, Fact, PayoutTold,
    PositionsClosed, Reason, StagePassed, StateChange, Violation, ViolationDetails,
};
pub use event::AccountEvent;
pub use mark::PriceMark;
pub use realised::realised_by;
pub use refusal::Refusal;
pub use replay::{Replay, Replayed, replay};
pub use rulebook::Rulebook;
pub use time::{next_day_starts, time_acts_next, time_runs_out};
pub use trade::{Commission, ContractSize, Price, Quantity, Trade, TradeId, TradeSide};

use super::{AccountState, AccountStatus};
use step::Step;

/// The times an event may have, in seconds since 1970: from 1900 to two days before the year 10000.
const TIMES: std::ops::Range<i64> = -2_208_988_800..253_402_128_000;

/// What came of an event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct Outcome {
    /// Why the event was not applied; absent if it was.
    pub refusal: Option<Refusal>,
    /// What the outside is told, in order. Also beside a refusal: the violation that it is about, and what time alone
    /// has done to the account. Empty, and not allocated, where nothing of note happened.
    pub emitted: Vec<Emission>,
    /// Whether the state is another one than before.
    pub changed: bool,
}

impl Outcome {
    fn refused(refusal: Refusal) -> Self {
        Self { refusal: Some(refusal), ..Self::default() }
    }
}

/// The account after this event, and what came of it. `rules` are those of the config version that the account follows;
/// for [`AccountEvent::ConfigMigrated`], that it follows from now on.
///
/// A refused event leaves the account as it was, except for what time alone has done to it. Whether a trade with the
/// same id was applied before is for the caller to know, or for [`Replay`].
pub fn apply(rules: &Rulebook, mut state: AccountState, event: &AccountEvent) -> (AccountState, Outcome) {
    let outcome = apply_to(rules, &mut state, event);
    (state, outcome)
}

/// The same as [`apply`], in place.
pub fn apply_to(rules: &Rulebook, state: &mut AccountState, event: &AccountEvent) -> Outcome {
    let at = crate::timestamp::whole_millis(event.at());
    if state.status.is_final() {
        return Outcome::refused(Refusal::Final(state.status));
    }
    if !TIMES.contains(&at.timestamp()) {
        return Outcome::refused(Refusal::TimeOutOfRange);
    }
    let day = state.trading_day;
    if at < state.as_of {
        if !is_first_trade(state, event) {
            return Outcome::refused(Refusal::OutOfOrder { last: state.as_of });
        }
        state.trading_day = rules.trading_day(at);
    }
    let mut step = Step { rules: rules.rules(), state, at, emitted: Vec::new(), changed: false };
    if !matches!(event, AccountEvent::ConfigMigrated { .. }) {
        step.pass_time();
    }
    let refusal = step.act(event).err();
    let Step { changed, emitted, .. } = step;
    if !changed {
        state.trading_day = day;
    }
    Outcome { refusal, changed, emitted }
}

/// Whether the event is the first trade of an account on which none was made. It may be older than the account: that was made
/// by the server's clock, and events have the time of an engine that may be replaying history.
fn is_first_trade(state: &AccountState, event: &AccountEvent) -> bool {
    state.status == AccountStatus::Provisioned && matches!(event, AccountEvent::TradeExecuted(_))
}

#[cfg(test)]
mod tests;
