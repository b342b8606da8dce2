//! The stages of an account and the rules of each.

use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use super::{Count, Fraction, Leverage, Percent};
use crate::text::{InvalidText, check_length};
use crate::validated_text;

/// What a config calls one of its stages, as in `phase-1`: 1 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChallengeId(String);

impl ChallengeId {
    /// Checks the length.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The challenge id", &text, 1, 100)?;
        Ok(Self(text))
    }
}
validated_text!(ChallengeId, { "type": "string", "minLength": 1, "maxLength": 100 });

/// A stage's name for people: 1 to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeName(String);

impl ChallengeName {
    /// Checks the length.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The challenge name", &text, 1, 200)?;
        Ok(Self(text))
    }
}
validated_text!(ChallengeName, { "type": "string", "minLength": 1, "maxLength": 200 });

/// One stage of an account's way to being funded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Challenge {
    /// Unique within the config.
    pub id: ChallengeId,
    /// The stage's name for people.
    pub name: ChallengeName,
    /// What the stage asks for, said for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Days of 24 hours, counted from the stage's first trade, within which it must be passed. 0 or absent: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_days: Option<Count>,
    /// What the stage demands and forbids.
    pub rules: ChallengeRules,
}

impl Challenge {
    /// The days within which the stage must be passed, if there is a limit.
    pub fn time_limit_days(&self) -> Option<u16> {
        self.duration_days.and_then(Count::above_zero)
    }
}

/// The rules of a stage. Fractions are shares of the base capital.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChallengeRules {
    /// Closed profit needed to pass the stage. 0 or absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profit_target: Option<Fraction>,
    /// How far equity may fall below what drawdownMode measures from; below that floor the account is breached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_drawdown: Option<Fraction>,
    /// What the floor of maxDrawdown follows.
    #[serde(default)]
    pub drawdown_mode: DrawdownMode,
    /// How far equity may fall below what it was when the trading day began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_loss_limit: Option<Fraction>,
    /// What happens when dailyLossLimit is exceeded.
    #[serde(default)]
    pub daily_loss_action: DailyLossAction,
    /// Days on which at least one position was opened or increased, needed to pass the stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_trading_days: Option<Count>,
    /// How evenly the profit must have been made to pass the stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consistency_rule: Option<ConsistencyRule>,
    /// The kinds of order that may be used. Absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_types_allowed: Option<BTreeSet<OrderType>>,
    /// Open notional may not exceed equity times this. Absent: unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leverage: Option<Leverage>,
}

impl ChallengeRules {
    /// The profit target, if there is one (0 means none).
    pub fn target(&self) -> Option<Fraction> {
        self.profit_target.filter(|target| !target.is_zero())
    }
}

/// What the floor below which equity must not fall follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DrawdownMode {
    /// The high-water mark, until the floor reaches the stage's starting balance, where it stops.
    #[default]
    Trailing,
    /// The high-water mark, always.
    TrailingUnlocked,
    /// Nothing: it stays at the starting balance less the limit.
    Static,
}

/// What happens when the daily loss limit is exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DailyLossAction {
    /// The account is breached, for good.
    #[default]
    Breach,
    /// No trading until the next trading day; the account survives.
    Pause,
}

/// How evenly profit must have been made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConsistencyRule {
    /// Days whose closed profit is above zero, needed to pass the stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_winning_days: Option<Count>,
    /// A day with fewer trades is not a trading day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_trades_per_day: Option<Count>,
    /// The largest share of the total closed profit that the best day may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_profit_day_percent: Option<Percent>,
}

/// A kind of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OrderType {
    /// At the best price there is.
    Market,
    /// At this price or better.
    Limit,
    /// Market, once a price is reached.
    Stop,
    /// Limit, once a price is reached.
    StopLimit,
    /// An entry with its profit and loss exits.
    Bracket,
    /// Two orders of which one cancels the other.
    Oco,
}

/// The stages of a config, in order: at least one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Challenge>", into = "Vec<Challenge>")]
pub struct Challenges {
    first: Challenge,
    rest: Vec<Challenge>,
}

/// A config without a single stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a config needs at least one challenge")]
pub struct NoChallenge;

impl Challenges {
    /// The stage every account begins with.
    pub const fn first(&self) -> &Challenge {
        &self.first
    }

    /// The stage at this position, counted from 0.
    pub fn get(&self, index: usize) -> Option<&Challenge> {
        if index == 0 { Some(&self.first) } else { self.rest.get(index - 1) }
    }

    /// Every stage, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Challenge> {
        std::iter::once(&self.first).chain(&self.rest)
    }
}

impl TryFrom<Vec<Challenge>> for Challenges {
    type Error = NoChallenge;

    fn try_from(stages: Vec<Challenge>) -> Result<Self, NoChallenge> {
        let mut stages = stages.into_iter();
        let first = stages.next().ok_or(NoChallenge)?;
        Ok(Self { first, rest: stages.collect() })
    }
}

impl From<Challenges> for Vec<Challenge> {
    fn from(stages: Challenges) -> Self {
        std::iter::once(stages.first).chain(stages.rest).collect()
    }
}

impl JsonSchema for Challenges {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Challenges".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Vec::<Challenge>::json_schema(generator);
        schema.insert("minItems".to_owned(), 1.into());
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_has_at_least_one_stage_and_keeps_their_order() {
        assert!(serde_json::from_str::<Challenges>("[]").is_err());
        let json = r#"[{"id":"a","name":"A","rules":{}},{"id":"b","name":"B","rules":{}},{"id":"c","name":"C","rules":{}}]"#;
        let stages: Challenges = serde_json::from_str(json).unwrap();
        assert_eq!(stages.iter().map(|stage| stage.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        for (index, stage) in stages.iter().enumerate() {
            assert_eq!(stages.get(index), Some(stage));
        }
        assert_eq!(stages.get(3), None);
        assert_eq!(stages.first().id.as_str(), "a");
    }

    #[test]
    fn zero_means_no_target_and_no_time_limit() {
        let stage = |json: &str| serde_json::from_str::<Challenge>(json).unwrap();
        let none = stage(r#"{"id":"a","name":"A","durationDays":0,"rules":{"profitTarget":0}}"#);
        assert_eq!((none.time_limit_days(), none.rules.target()), (None, None));
        let some = stage(r#"{"id":"a","name":"A","durationDays":30,"rules":{"profitTarget":0.08}}"#);
        assert_eq!(some.time_limit_days(), Some(30));
        assert!(some.rules.target().is_some());
    }

    #[test]
    fn the_defaults_are_trailing_and_breach() {
        let rules: ChallengeRules = serde_json::from_str("{}").unwrap();
        assert_eq!(rules.drawdown_mode, DrawdownMode::Trailing);
        assert_eq!(rules.daily_loss_action, DailyLossAction::Breach);
        let modes: Vec<DrawdownMode> =
            serde_json::from_str(r#"["trailing","trailing-unlocked","static"]"#).unwrap();
        assert_eq!(modes.len(), 3);
    }
}
