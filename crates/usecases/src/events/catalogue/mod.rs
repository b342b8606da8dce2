mod accounts;
mod configured;
mod people;
mod platform;
mod tenants;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;
use tenantry_domain::event::EventType;

/// A type of events, as those who receive them need to know it.
#[derive(Debug, Clone)]
pub struct Described {
    /// The type.
    pub event_type: EventType,
    /// When it happens: one sentence.
    pub about: &'static str,
    /// The schema of `data`, in whatever dialect the generator has. Members that are not in it may come later.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// The same by itself (draft 7).
    pub alone: fn() -> Value,
    /// A `data` that there might be.
    pub example: Value,
}

impl Described {
    fn new<T: JsonSchema>(event_type: EventType, about: &'static str, example: Value) -> Self {
        let alone = || SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().to_value();
        Self { event_type, about, schema: |generator| generator.subschema_for::<T>(), alone, example }
    }
}

/// Every type of events that is written, with its data.
pub fn catalogue() -> Vec<Described> {
    [
        tenants::tenants(),
        platform::platform(),
        tenants::settings_and_configs(),
        configured::configuration(),
        configured::organisation(),
        accounts::accounts(),
        accounts::trades(),
        accounts::rules(),
        people::people(),
        configured::webhooks(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tenantry_domain::account::Rule;

    use super::*;

    #[test]
    fn every_type_is_described_once() {
        let described: Vec<_> = catalogue().into_iter().map(|described| described.event_type).collect();
        let distinct: BTreeSet<_> = described.iter().cloned().collect();
        assert_eq!(distinct.len(), described.len(), "one is there twice");
        let rules = Rule::ALL.iter().map(|rule| EventType::rule_violation(*rule));
        let all: BTreeSet<_> = EventType::FIXED.iter().cloned().chain(rules).collect();
        assert_eq!(distinct, all, "describe it in events/catalogue/");
    }
}
