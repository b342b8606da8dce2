//! Trading accounts: an [`Account`] is one website user's copy of a config, with its own state.
//!
//! Its rules are those of the config version it was provisioned from, for ever; [`rule_statuses`] says how it stands
//! with each of them. Everything that happens to it goes through the [`engine`].

mod aggregate;
mod applied;
pub mod engine;
mod limits;
mod mapping;
mod rules;
mod state;
mod status;
mod website_user;

pub use aggregate::{Account, AccountToProvision};
pub use applied::{AppliedTrade, TradePlace};
pub use limits::{LossLimit, daily_loss, max_drawdown};
pub use mapping::{AccountMapping, Unmapped};
pub use rules::{Rule, RuleState, RuleStatus, rule_statuses};
pub use state::{AccountState, CurrentChallenge, DayStatistics, EarlierDays, Phase, Pnl, Position, Side};
pub use status::{AccountStatus, InvalidAccountStatus};
pub use website_user::WebsiteUserId;
