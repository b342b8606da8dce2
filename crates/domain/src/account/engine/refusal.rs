use chrono::{DateTime, Utc};

use crate::account::{AccountStatus, Rule};
use crate::{Amount, timestamp};

/// Why an event was not applied. The account is as it was, except for what time alone has done to it (a new day, a
/// pause that is over, a stage whose time ran out).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is older than the last event applied.
    #[error("it is older than the last event applied, which is of {}; send events in order", timestamp::to_text(*.last))]
    OutOfOrder {
        /// The time of the last event applied.
        last: DateTime<Utc>,
    },
    /// Its time is before 1900 or after 9999-12-29: not every clock can write it, or the days around it.
    #[error("its time is out of range: it must be from 1900 to 9999-12-29")]
    TimeOutOfRange,
    /// Nothing can happen to the account any more.
    #[error("the account is {0} for good")]
    Final(AccountStatus),
    /// No trading because of the daily loss limit.
    #[error("trading is paused until the next trading day")]
    Paused,
    /// No trading, by hand.
    #[error("the account is disabled; enable it first")]
    Disabled,
    /// The trade would break a rule that is checked before each trade: instrument, order type or leverage. The
    /// violation is emitted.
    #[error("the trade would break the rule {}", .0.as_str())]
    Rule(Rule),
    /// The open position of the symbol has another contract size, so the two cannot be netted.
    #[error("the open position has the contract size {expected}; trade it with the same")]
    ContractSize {
        /// The position's.
        expected: Amount,
    },
    /// An amount would have more than 28 digits before the decimal point.
    #[error("the numbers are too large: an amount would reach 10^28")]
    Overflow,
    /// The account is not in a status in which this can happen, as enabling one that is not disabled.
    #[error("an account that is {0} cannot do this")]
    Status(AccountStatus),
}

impl Refusal {
    /// Stable, snake_case, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OutOfOrder { .. } => "out_of_order",
            Self::TimeOutOfRange => "time_out_of_range",
            Self::Final(_) => "account_final",
            Self::Paused => "account_paused",
            Self::Disabled => "account_disabled",
            Self::Rule(rule) => rule.as_str(),
            Self::ContractSize { .. } => "contract_size_mismatch",
            Self::Overflow => "overflow",
            Self::Status(_) => "invalid_transition",
        }
    }
}
