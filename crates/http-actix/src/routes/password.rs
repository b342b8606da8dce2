use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use tenantry_domain::text::{InvalidText, check_length};
use tenantry_ports::Secret;

/// A password as somebody typed it. Whether it is good enough, or the right one, is for the use cases; here it is only
/// kept short, because hashing takes longer the longer it is.
pub(super) struct TypedPassword(Secret);

const LONGEST: usize = 1024;

impl TypedPassword {
    /// The password.
    pub(super) fn into_secret(self) -> Secret {
        self.0
    }

    /// Says whether it is too long.
    pub(super) fn check(text: &str) -> Result<(), InvalidText> {
        check_length("The password", text, 0, LONGEST)
    }
}

impl<'de> Deserialize<'de> for TypedPassword {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::check(&text).map_err(serde::de::Error::custom)?;
        Ok(Self(Secret::new(text)))
    }
}

impl JsonSchema for TypedPassword {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Password".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "password", "maxLength": LONGEST })
    }
}
