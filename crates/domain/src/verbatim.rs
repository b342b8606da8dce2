use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// A JSON object as it was written: its members in their order, and every digit of its numbers. Only white space that means
/// nothing is left out. It is read from JSON text alone, not from a [`Value`].
#[derive(Clone)]
pub struct Verbatim(Box<RawValue>);

impl Verbatim {
    /// The object without members.
    pub fn empty() -> Self {
        Self::from_text("{}").unwrap_or_else(|_| Self(RawValue::NULL.to_owned()))
    }

    /// Checks that the text is a JSON object that everybody can read: nested no deeper than 128, with numbers that are
    /// some, and text that is Unicode.
    pub fn from_text(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<Map<String, Value>>(text)?;
        RawValue::from_string(without_white_space(text)).map(Self)
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

/// White space stands for itself within strings alone.
fn without_white_space(text: &str) -> String {
    let (mut inside, mut escaped) = (false, false);
    let kept = text.chars().filter(|&c| {
        if inside {
            inside = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            return true;
        }
        inside = c == '"';
        !matches!(c, ' ' | '\t' | '\n' | '\r')
    });
    kept.collect()
}

/// The same text; objects whose members are in another order are others.
impl PartialEq for Verbatim {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Verbatim {}

impl fmt::Debug for Verbatim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Verbatim {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Verbatim {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_text(raw.get()).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Verbatim {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Verbatim".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_digits_and_escapes_stay_and_white_space_goes() {
        let text = "{ \"z\": 1.10,\n\t\"a\": [ 12345678901234567890123, 1E2 ], \"\\\" {\": \"a  \\\\\", \"e\" : \"\\u00e9\" }";
        let kept = Verbatim::from_text(text).unwrap();
        let expected = r#"{"z":1.10,"a":[12345678901234567890123,1E2],"\" {":"a  \\","e":"\u00e9"}"#;
        assert_eq!(kept.as_str(), expected);
        assert_eq!(serde_json::to_string(&kept).unwrap(), expected);
        assert_eq!(serde_json::from_str::<Verbatim>(text).unwrap(), kept);
        let again = serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(serde_json::to_value(&kept).unwrap(), again);
        assert_eq!(Verbatim::empty().as_str(), "{}");
    }

    #[test]
    fn what_not_everybody_can_read_is_refused() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        for wrong in ["[]", "null", "1", "\"{}\"", "{", r#"{"a":1e999}"#, r#"{"a":"\ud800"}"#, &deep] {
            assert!(Verbatim::from_text(wrong).is_err(), "{wrong}");
            assert!(serde_json::from_str::<Verbatim>(wrong).is_err(), "{wrong}");
        }
    }
}
