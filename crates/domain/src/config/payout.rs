//! What is paid out of the profits of an account, and when.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Count, Percent};
use crate::text::{InvalidText, check_length};
use crate::validated_text;

/// The occasion of a payout, as in `phase-1-pass` or `funded`: 1 to 120 characters.
///
/// A config's stages give `<stage id>-pass`; besides there are [`Milestone::WELL_KNOWN`] ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Milestone(String);

impl Milestone {
    /// The milestones that any account can reach, whatever its stages are called.
    pub const WELL_KNOWN: [&'static str; 2] = ["monthly-profit", "funded"];

    /// Checks the length.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The milestone", &text, 1, 120)?;
        Ok(Self(text))
    }
}
validated_text!(Milestone, { "type": "string", "minLength": 1, "maxLength": 120 });

/// What is paid out of the profits of an account, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PayoutRules {
    /// The payouts, each at its milestone.
    pub staged_payouts: Vec<StagedPayout>,
    /// How long payouts are held back, and until what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escrow_policy: Option<EscrowPolicy>,
    /// Whether a part of what is due may be paid.
    #[serde(default)]
    pub partial_payout_allowed: bool,
}

/// A share of the profits that is due at a milestone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StagedPayout {
    /// When it is due.
    pub milestone: Milestone,
    /// The share of the profits, in hundredths.
    pub payout_percent: Percent,
    /// What must hold besides; open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Map<String, Value>>,
}

/// How long payouts are held back, and until what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EscrowPolicy {
    /// Days of 24 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_period_days: Option<Count>,
    /// What must hold before the release; open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_conditions: Option<Map<String, Value>>,
}
