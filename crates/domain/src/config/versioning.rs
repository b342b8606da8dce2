use std::borrow::Cow;
use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ConfigId;

/// What a second upload of a config id does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VersioningStrategy {
    /// It is refused: whoever changes a config gives it a new id, as in `25k-eval-v2`.
    #[default]
    Explicit,
    /// It becomes the next version of the same id.
    Internal,
}

impl VersioningStrategy {
    /// The strategy's name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Explicit => "explicit",
            Self::Internal => "internal",
        }
    }
}

/// The configs of which a tenant may provision accounts: `"*"` or a list of ids on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum AllowedConfigs {
    /// Every config the tenant has, and those it is going to have.
    #[default]
    All,
    /// These only.
    Only(BTreeSet<ConfigId>),
}

impl AllowedConfigs {
    const WILDCARD: &'static str = "*";

    /// Whether accounts may be provisioned from this config.
    pub fn allows(&self, id: &ConfigId) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => ids.contains(id),
        }
    }
}

impl Serialize for AllowedConfigs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str(Self::WILDCARD),
            Self::Only(ids) => ids.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for AllowedConfigs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected \"*\" or a list of config ids")]
        enum Wire {
            Text(String),
            Ids(BTreeSet<ConfigId>),
        }
        match Wire::deserialize(deserializer)? {
            Wire::Text(text) if text == Self::WILDCARD => Ok(Self::All),
            Wire::Text(_) => Err(serde::de::Error::custom("expected \"*\" or a list of config ids")),
            Wire::Ids(ids) => Ok(Self::Only(ids)),
        }
    }
}

impl JsonSchema for AllowedConfigs {
    fn schema_name() -> Cow<'static, str> {
        "AllowedConfigs".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let ids = generator.subschema_for::<BTreeSet<ConfigId>>();
        json_schema!({
            "description": "\"*\" for every config, or the ids of the allowed ones",
            "anyOf": [{ "type": "string", "enum": [Self::WILDCARD] }, ids]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed_configs_are_a_star_or_a_list() {
        let all: AllowedConfigs = serde_json::from_str("\"*\"").unwrap();
        assert_eq!(all, AllowedConfigs::All);
        assert_eq!(serde_json::to_string(&all).unwrap(), "\"*\"");
        let some: AllowedConfigs = serde_json::from_str("[\"b-1\",\"a-1\",\"b-1\"]").unwrap();
        assert_eq!(serde_json::to_string(&some).unwrap(), "[\"a-1\",\"b-1\"]");
        for wrong in ["\"all\"", "[\"A\"]", "null", "{}"] {
            assert!(serde_json::from_str::<AllowedConfigs>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_listed_configs_are_allowed() {
        let (a, b) = (ConfigId::new("a-1").unwrap(), ConfigId::new("b-1").unwrap());
        assert!(AllowedConfigs::All.allows(&a));
        let only = AllowedConfigs::Only(BTreeSet::from([a.clone()]));
        assert!(only.allows(&a) && !only.allows(&b));
        assert!(!AllowedConfigs::Only(BTreeSet::new()).allows(&a));
    }

    #[test]
    fn strategies_have_their_wire_names() {
        for strategy in [VersioningStrategy::Explicit, VersioningStrategy::Internal] {
            assert_eq!(serde_json::to_value(strategy).unwrap(), strategy.as_str());
        }
    }
}
