//! Trades: applied to accounts through the rule engine, in slices, each trade once; and prices, applied to whoever holds.
//!
//! As with [`accounts`](crate::accounts), a slice does for many callers in one transaction what each of them wants, and
//! one that is refused disturbs no other.

mod apply;
mod batch;
mod list;
mod mark;

pub use apply::{ApplyTrades, Receipt, TradeError, TradeOutcome, TradeResult, TradeViolation, Traded, apply};
pub use list::list;
pub use mark::{Marked, mark};
