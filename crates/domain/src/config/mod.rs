//! Account configs: the documents in which a tenant describes a kind of trading account.
//!
//! [`inspect`] takes a document from the outside, lays it over the config it inherits from and answers with
//! everything that is wrong or doubtful in it, or with the typed [`AccountConfig`]. A stored config never
//! changes; [`VersioningStrategy`] says what happens to a second upload of the same [`ConfigId`].

mod challenge;
mod currency;
pub mod demo;
mod difference;
mod document;
mod id;
mod inherit;
mod inspect;
mod instrument;
mod logic;
mod payout;
mod quantity;
mod schema;
mod timezone;
mod together;
mod versioning;

pub use challenge::{
    Challenge, ChallengeId, ChallengeName, ChallengeRules, Challenges, ConsistencyRule, DailyLossAction,
    DrawdownMode, OrderType,
};
pub use currency::Currency;
pub use difference::{Change, Difference, differences};
pub use document::{AccountConfig, ConfigMeta, DisplayName, Variant};
pub use id::{ConfigId, ConfigVersion, next_free_id};
pub use inherit::{Lineage, resolve};
pub use inspect::{AcceptedConfig, Inspection, Owner, inspect};
pub use instrument::Symbol;
pub use payout::{EscrowPolicy, Milestone, PayoutRules, StagedPayout};
pub(crate) use quantity::bounded_amount;
pub use quantity::{Capital, Count, Fraction, Leverage, Percent};
pub use schema::schema;
pub use timezone::Timezone;
pub use together::inspect_all;
pub use versioning::{AllowedConfigs, VersioningStrategy};
