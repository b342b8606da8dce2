use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, FixedOffset};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Capital, Challenges, ConfigId, Currency, PayoutRules, Symbol, Timezone};
use crate::text::{InvalidText, check_length};
use crate::validated_text;

/// A config's name for people: 1 to 120 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// Checks the length.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The display name", &text, 1, 120)?;
        Ok(Self(text))
    }
}
validated_text!(DisplayName, { "type": "string", "minLength": 1, "maxLength": 120 });

/// A kind of trading account: its capital, its stages with their rules, and its payouts.
///
/// Parsing gives the shape; the rules that span members are those of [`inspect`](super::inspect).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(
    title = "Account config",
    description = "A kind of trading account: its capital, its stages with their rules, and its payouts. Where \
                   parentConfigId is given, this describes the result of laying the document over its parent."
)]
pub struct AccountConfig {
    /// The config's id, which accounts are provisioned by.
    pub id: ConfigId,
    /// The config's name for people.
    pub display_name: DisplayName,
    /// What the config is for, said for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What an account starts with, in its currency; fractions in the rules are shares of it.
    pub base_capital: Capital,
    /// ISO 4217 code of the currency of every amount.
    #[serde(default)]
    pub currency: Currency,
    /// Whether traders have to pass stages before they are funded.
    pub variant: Variant,
    /// The id or slug of the tenant the config belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// The config this one is laid over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_config_id: Option<ConfigId>,
    /// What may be traded. Absent: every instrument.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_instruments: Option<BTreeSet<Symbol>>,
    /// IANA name of the time zone in which trading days begin and end.
    #[serde(default)]
    pub timezone: Timezone,
    /// The stages, in order.
    pub challenge_definitions: Challenges,
    /// What is paid out, and when.
    pub payout_rules: PayoutRules,
    /// About the document itself; open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<ConfigMeta>,
}

impl AccountConfig {
    /// Whether this instrument may be traded.
    pub fn allows_instrument(&self, symbol: &Symbol) -> bool {
        self.allowed_instruments.as_ref().is_none_or(|allowed| allowed.contains(symbol))
    }
}

/// The way to a funded account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// Every stage has to be passed first.
    Evaluation,
    /// Funded from the first trade on.
    StraightToFunded,
}

/// Who wrote a config document, when, and whatever else its author notes down.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMeta {
    /// Who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// When it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time")]
    pub created_at: Option<DateTime<FixedOffset>>,
    /// The author's own version of it, which tenantry does not interpret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Anything else.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

fn date_time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}
