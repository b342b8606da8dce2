//! How much of everything a tenant may have: what its plan gives, and what was agreed on besides.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Plan;

/// An upper limit. A number or `"unlimited"` on the wire; the latter is greater than every number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// So many.
    AtMost(u64),
    /// As many as come.
    Unlimited,
}

/// Largest number of a limit: what JSON numbers hold exactly everywhere.
const MOST: u64 = (1 << 53) - 1;
const UNLIMITED: &str = "unlimited";

impl Limit {
    /// The number, if there is one.
    pub const fn number(self) -> Option<u64> {
        match self {
            Self::AtMost(number) => Some(number),
            Self::Unlimited => None,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(number) => number.fmt(f),
            Self::Unlimited => f.write_str(UNLIMITED),
        }
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::AtMost(number) => serializer.serialize_u64(*number),
            Self::Unlimited => serializer.serialize_str(UNLIMITED),
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Wire<'a> {
            Number(u64),
            #[serde(borrow)]
            Text(Cow<'a, str>),
        }
        match Wire::deserialize(deserializer) {
            Ok(Wire::Number(number)) if number <= MOST => Ok(Self::AtMost(number)),
            Ok(Wire::Text(text)) if text == UNLIMITED => Ok(Self::Unlimited),
            _ => Err(serde::de::Error::custom(format_args!(
                "expected \"{UNLIMITED}\" or a whole number of at most {MOST}"
            ))),
        }
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number, or \"unlimited\"",
            "anyOf": [
                { "type": "integer", "minimum": 0, "maximum": MOST },
                { "type": "string", "enum": [UNLIMITED] }
            ]
        })
    }
}

/// What there is a limit of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuotaKind {
    /// Trading accounts.
    Accounts,
    /// People who are registered; those who are disabled count, too.
    Users,
    /// Account configs; versions of the same id count once.
    Configs,
    /// API keys that work.
    ApiKeys,
    /// Webhook endpoints.
    Webhooks,
    /// Requests a minute, in the long run.
    Requests,
}

impl QuotaKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Accounts, Self::Users, Self::Configs, Self::ApiKeys, Self::Webhooks, Self::Requests];

    /// The member of `quotas` that sets it.
    pub const fn member(self) -> &'static str {
        match self {
            Self::Accounts => "maxAccounts",
            Self::Users => "maxUsers",
            Self::Configs => "maxConfigs",
            Self::ApiKeys => "maxApiKeys",
            Self::Webhooks => "maxWebhooks",
            Self::Requests => "requestsPerMinute",
        }
    }

    /// What is counted, in the plural.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Users => "users",
            Self::Configs => "account configs",
            Self::ApiKeys => "API keys",
            Self::Webhooks => "webhooks",
            Self::Requests => "requests a minute",
        }
    }
}

/// What a tenant may have other than as its plan says; where there is nothing, the plan counts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quotas {
    /// How many accounts may exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_accounts: Option<Limit>,
    /// How many people may be registered; those who are disabled count, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_users: Option<Limit>,
    /// How many account configs may exist; versions of the same id count once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_configs: Option<Limit>,
    /// How many API keys may work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_api_keys: Option<Limit>,
    /// How many webhook endpoints may exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_webhooks: Option<Limit>,
    /// How many requests a minute are taken in the long run; 0 counts as 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<Limit>,
}

impl Quotas {
    /// What is said of this kind.
    pub const fn get(&self, kind: QuotaKind) -> Option<Limit> {
        match kind {
            QuotaKind::Accounts => self.max_accounts,
            QuotaKind::Users => self.max_users,
            QuotaKind::Configs => self.max_configs,
            QuotaKind::ApiKeys => self.max_api_keys,
            QuotaKind::Webhooks => self.max_webhooks,
            QuotaKind::Requests => self.requests_per_minute,
        }
    }
}

/// How much of every kind somebody may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance([Limit; 6]);

impl Allowance {
    /// As much as comes.
    pub const UNLIMITED: Self = Self([Limit::Unlimited; 6]);

    /// Of each kind what `limit` says.
    pub fn new(limit: impl FnMut(QuotaKind) -> Limit) -> Self {
        Self(QuotaKind::ALL.map(limit))
    }

    /// How much of this kind.
    pub const fn of(&self, kind: QuotaKind) -> Limit {
        self.0[kind as usize]
    }

    /// The same, but for what these quotas say.
    #[must_use]
    pub fn with(&self, quotas: &Quotas) -> Self {
        Self::new(|kind| match quotas.get(kind) {
            // A tenant that cannot even ask why is of no use to anybody.
            Some(Limit::AtMost(0)) if kind == QuotaKind::Requests => Limit::AtMost(1),
            Some(limit) => limit,
            None => self.of(kind),
        })
    }

    /// How many more there may be of a kind of which there are `used`; none: as many as come.
    pub const fn left(&self, kind: QuotaKind, used: u64) -> Option<u64> {
        match self.of(kind) {
            Limit::AtMost(limit) => Some(limit.saturating_sub(used)),
            Limit::Unlimited => None,
        }
    }

    /// Refuses one more of a kind of which there are `used`, if that is all there may be.
    pub const fn admit(&self, kind: QuotaKind, used: u64) -> Result<(), QuotaExceeded> {
        match self.of(kind) {
            Limit::AtMost(limit) if used >= limit => Err(QuotaExceeded { kind, limit, used }),
            _ => Ok(()),
        }
    }
}

/// There are as many of a kind as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tenant's quota of {limit} {} is used up", .kind.noun())]
pub struct QuotaExceeded {
    /// Of what.
    pub kind: QuotaKind,
    /// How many there may be.
    pub limit: u64,
    /// How many there are.
    pub used: u64,
}

/// What tenants of a plan get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanLimits {
    /// How much of everything, unless a tenant's [`Quotas`] say otherwise.
    pub allowance: Allowance,
    /// Requests at once by a tenant that has not sent any for a while, at least 1. It grows and shrinks with the rate of a
    /// tenant that has another one than its plan.
    pub burst: u32,
}

/// What the plans are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plans([PlanLimits; 3]);

impl Plans {
    /// Every plan gets as much as comes.
    pub const UNLIMITED: Self = Self([PlanLimits { allowance: Allowance::UNLIMITED, burst: 1 }; 3]);

    /// For each plan what `limits` says.
    pub fn new(limits: impl FnMut(Plan) -> PlanLimits) -> Self {
        Self(Plan::ALL.map(limits))
    }

    /// What tenants of this plan get.
    pub const fn of(&self, plan: Plan) -> &PlanLimits {
        &self.0[plan as usize]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn allowance(limit: Limit) -> Allowance {
        Allowance::new(|_| limit)
    }

    #[test]
    fn kinds_and_plans_are_where_they_are_looked_for() {
        let counted = Allowance::new(|kind| Limit::AtMost(kind as u64));
        for (at, kind) in QuotaKind::ALL.into_iter().enumerate() {
            assert_eq!(counted.of(kind), Limit::AtMost(at as u64));
        }
        let plans = Plans::new(|plan| PlanLimits { allowance: Allowance::UNLIMITED, burst: plan as u32 });
        for (at, plan) in Plan::ALL.into_iter().enumerate() {
            assert_eq!(plans.of(plan).burst as usize, at);
        }
    }

    #[test]
    fn unlimited_is_more_than_any_number() {
        assert!(Limit::AtMost(MOST) < Limit::Unlimited);
        assert!(Limit::AtMost(1) < Limit::AtMost(2));
    }

    #[test]
    fn limits_are_numbers_or_one_word() {
        for (json, limit) in [
            (json!(0), Limit::AtMost(0)),
            (json!(MOST), Limit::AtMost(MOST)),
            (json!("unlimited"), Limit::Unlimited),
        ] {
            assert_eq!(serde_json::from_value::<Limit>(json.clone()).unwrap(), limit);
            assert_eq!(serde_json::to_value(limit).unwrap(), json);
        }
        for wrong in [json!(-1), json!(1.5), json!(MOST + 1), json!("5"), json!(null), json!(true)] {
            assert!(serde_json::from_value::<Limit>(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_the_quotas_do_not_say_the_plan_does() {
        let quotas: Quotas = serde_json::from_value(
            json!({ "maxAccounts": 5, "maxUsers": "unlimited", "requestsPerMinute": 0 }),
        )
        .unwrap();
        let agreed = allowance(Limit::AtMost(10)).with(&quotas);
        for (kind, expected) in [
            (QuotaKind::Accounts, Limit::AtMost(5)),
            (QuotaKind::Users, Limit::Unlimited),
            (QuotaKind::Configs, Limit::AtMost(10)),
            (QuotaKind::Requests, Limit::AtMost(1)),
        ] {
            assert_eq!(agreed.of(kind), expected, "{kind:?}");
        }
    }

    #[test]
    fn every_kind_has_the_member_that_sets_it() {
        for kind in QuotaKind::ALL {
            let quotas: Quotas = serde_json::from_value(json!({ kind.member(): 7 })).unwrap();
            let set = QuotaKind::ALL.into_iter().filter(|kind| quotas.get(*kind).is_some());
            assert_eq!(set.collect::<Vec<_>>(), [kind]);
        }
    }

    #[test]
    fn the_last_one_is_admitted_and_none_after_it() {
        let agreed = allowance(Limit::AtMost(3));
        let kind = QuotaKind::Users;
        assert_eq!((agreed.admit(kind, 2), agreed.left(kind, 2)), (Ok(()), Some(1)));
        assert_eq!(agreed.admit(kind, 3), Err(QuotaExceeded { kind, limit: 3, used: 3 }));
        assert_eq!(agreed.left(kind, 9), Some(0), "a limit may be lowered below what there is");
        let unlimited = Allowance::UNLIMITED;
        assert_eq!((unlimited.admit(kind, u64::MAX), unlimited.left(kind, u64::MAX)), (Ok(()), None));
    }
}
