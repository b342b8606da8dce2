use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::EventType;
use crate::config::ConfigVersion;
use crate::id::{AccountId, EventId, TenantId};
use crate::timestamp;

/// The version of the rules by which accounts are judged; changes when the same events would give another outcome.
pub const RULE_ENGINE_VERSION: &str = "1.0.0";

/// The version of the envelope and of what is in `data`; additions that harm no reader keep it.
pub const SCHEMA_VERSION: &str = "1.0";

/// Something that happened, as it is stored, delivered and shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// What kind of thing happened.
    pub event_type: EventType,
    /// The tenant in which it happened; absent for what happened to the platform itself, in the operator's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<TenantId>,
    /// The account it happened to, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// When it happened.
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    pub timestamp: DateTime<Utc>,
    /// What it takes to understand it later.
    pub meta: EventMeta,
    /// What happened, in the form that the type and `meta.schemaVersion` say.
    #[schemars(with = "Map<String, Value>")]
    pub data: Value,
}

/// What it takes to understand an event later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventMeta {
    /// Its place in its log: 1, 2, 3, … without a gap. Whoever takes events in has all of them if no number is
    /// missing, and knows which of two came first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub sequence: Option<i64>,
    /// The version of the config that is concerned, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_version: Option<ConfigVersion>,
    /// The version of the rules at the time.
    pub rule_engine_version: String,
    /// The version of the envelope and of `data`.
    pub schema_version: String,
    /// Finds the request or job that caused it in the logs.
    pub trace_id: String,
}

/// An event as a use case tells it: what happened, without where and when.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// What kind of thing happened.
    pub event_type: EventType,
    /// The account it happened to, if it was one.
    pub account_id: Option<AccountId>,
    /// The version of the config that is concerned, if one is.
    pub config_version: Option<ConfigVersion>,
    /// What happened.
    pub data: Value,
}

impl NewEvent {
    /// An event of this type with this data.
    pub const fn new(event_type: EventType, data: Value) -> Self {
        Self { event_type, account_id: None, config_version: None, data }
    }

    /// It happened to this account.
    #[must_use]
    pub const fn account(mut self, id: AccountId) -> Self {
        self.account_id = Some(id);
        self
    }

    /// It concerns this version of a config.
    #[must_use]
    pub const fn config_version(mut self, version: ConfigVersion) -> Self {
        self.config_version = Some(version);
        self
    }

    /// The event in its envelope. What is finer than a millisecond in `at` is cut off, so that what is hashed is what
    /// is stored.
    pub fn seal(
        self,
        id: EventId,
        tenant_id: impl Into<Option<TenantId>>,
        at: DateTime<Utc>,
        trace_id: impl Into<String>,
    ) -> Event {
        Event {
            id,
            event_type: self.event_type,
            tenant_id: tenant_id.into(),
            account_id: self.account_id,
            timestamp: timestamp::whole_millis(at),
            meta: EventMeta {
                sequence: None,
                config_version: self.config_version,
                rule_engine_version: RULE_ENGINE_VERSION.to_owned(),
                schema_version: SCHEMA_VERSION.to_owned(),
                trace_id: trace_id.into(),
            },
            data: self.data,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_envelope_is_the_one_of_the_domain() {
        let id = "evt_0195c0de00007000800000000000000a".parse().unwrap();
        let tenant_id: TenantId = "ten_3fa85f6457174562b3fc2c963f66afa6".parse().unwrap();
        let at = "2025-01-10T15:00:00.1239Z".parse().unwrap();
        let account: AccountId = "acc_0195c0de00007000800000000000000b".parse().unwrap();
        let event = NewEvent::new(EventType::ACCOUNT_PROVISIONED, json!({ "configId": "25k-eval-v1" }))
            .account(account)
            .config_version(ConfigVersion::FIRST)
            .seal(id, tenant_id, at, "trace-1");
        let wire = json!({
            "id": "evt_0195c0de00007000800000000000000a",
            "eventType": "account.provisioned",
            "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6",
            "accountId": "acc_0195c0de00007000800000000000000b",
            "timestamp": "2025-01-10T15:00:00.123Z",
            "meta": { "configVersion": 1, "ruleEngineVersion": "1.0.0", "schemaVersion": "1.0", "traceId": "trace-1" },
            "data": { "configId": "25k-eval-v1" },
        });
        assert_eq!(serde_json::to_value(&event).unwrap(), wire);
        assert_eq!(serde_json::from_value::<Event>(wire).unwrap(), event);
    }

    #[test]
    fn what_an_event_does_not_concern_is_absent() {
        let id = "evt_0195c0de00007000800000000000000a".parse().unwrap();
        let event =
            NewEvent::new(EventType::TENANT_ACTIVATED, json!({})).seal(id, None, DateTime::UNIX_EPOCH, "t");
        let wire = serde_json::to_value(&event).unwrap();
        let absent = (wire.get("tenantId"), wire.get("accountId"), wire["meta"].get("configVersion"));
        assert_eq!(absent, (None, None, None));
        assert_eq!(serde_json::from_value::<Event>(wire).unwrap(), event);
    }
}
