//! Trades: applied to accounts through the rule engine, in slices, each trade once.
//!
//! As with [`accounts`](crate::accounts), a slice does for many callers in one transaction what each of them wants, and
//! one that is refused disturbs no other.

mod apply;
mod batch;
mod list;

pub use apply::{ApplyTrades, Receipt, TradeError, TradeOutcome, TradeResult, TradeViolation, Traded, apply};
pub use list::list;
