//! Instants as tenantry writes them: RFC 3339 in UTC, always with milliseconds and `Z`, as in
//! `2025-01-01T00:00:00.000Z`, so that they have one width and sort as text.
//!
//! For a member of a serialised type: `#[serde(with = "timestamp")]` (`timestamp::option` for an optional one) and
//! `#[schemars(schema_with = "timestamp::schema")]`.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serializer};

/// The instant as text; what is finer than a millisecond is cut off.
pub fn to_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The instant this RFC 3339 text means, whatever its offset and precision.
pub fn from_text(text: &str) -> Result<DateTime<Utc>, chrono::ParseError> {
    DateTime::parse_from_rfc3339(text).map(|at| at.to_utc())
}

/// The instant without what is finer than a millisecond, so that it reads back equal to what is written.
#[must_use]
pub fn whole_millis(at: DateTime<Utc>) -> DateTime<Utc> {
    if at.timestamp_subsec_nanos().is_multiple_of(1_000_000) {
        return at;
    }
    // Every instant's milliseconds are an instant, so this never falls back.
    DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at)
}

/// Writes the instant as [`to_text`] does.
pub fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&to_text(*at))
}

/// Reads an instant as [`from_text`] does.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let text = Cow::<str>::deserialize(deserializer)?;
    from_text(&text).map_err(serde::de::Error::custom)
}

/// The JSON Schema of an instant.
pub fn schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}

/// The same for a member that may be absent or `null`; give it `#[serde(default)]`, too.
pub mod option {
    use chrono::{DateTime, Utc};
    use schemars::{Schema, SchemaGenerator, json_schema};
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the instant, or `null`.
    // Serde's signature.
    pub fn serialize<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads an instant, or `null`.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| super::from_text(&text)).transpose().map_err(serde::de::Error::custom)
    }

    /// The JSON Schema of an instant or `null`.
    pub fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "null"], "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn instants_have_milliseconds_and_a_z() {
        let at = from_text("2025-01-01T01:00:00.1239+01:00").unwrap();
        assert_eq!(to_text(at), "2025-01-01T00:00:00.123Z");
        assert_eq!(to_text(from_text("2025-01-01T00:00:00Z").unwrap()), "2025-01-01T00:00:00.000Z");
        assert!(from_text("2025-01-01").is_err());
    }

    proptest! {
        #[test]
        fn whole_milliseconds_read_back_equal(seconds in -1_000_000_000i64..8_000_000_000, nanos in 0u32..1_000_000_000) {
            let at = whole_millis(DateTime::from_timestamp(seconds, nanos).unwrap());
            prop_assert_eq!(from_text(&to_text(at)).unwrap(), at);
        }
    }
}
