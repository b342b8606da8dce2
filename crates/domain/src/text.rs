//! Validated text: one pattern for every newtype over a string.

use std::borrow::Cow;

use crate::{Finding, Pointer};

/// Why a text is not a value of the type it was meant for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidText {
    /// Stable, snake_case, for programs.
    pub code: &'static str,
    /// One sentence that says what is expected.
    pub message: String,
}

impl InvalidText {
    /// The text is refused because of `message`.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The same, as a finding at `pointer`.
    pub fn at(self, pointer: Pointer) -> Finding {
        Finding { pointer, code: Cow::Borrowed(self.code), message: self.message }
    }
}

/// Checks the number of characters (Unicode scalar values, as JSON Schema counts them).
pub fn check_length(what: &str, text: &str, min: usize, max: usize) -> Result<(), InvalidText> {
    match text.chars().count() {
        n if n < min => Err(InvalidText::new(
            "too_short",
            format!("{what} must have at least {min} characters, this has {n}"),
        )),
        n if n > max => Err(InvalidText::new(
            "too_long",
            format!("{what} must have at most {max} characters, this has {n}"),
        )),
        _ => Ok(()),
    }
}

/// The pattern of what [`check_printable`] lets through, for JSON Schemas.
pub const PRINTABLE: &str =
    r"^[^\s\u0000-\u001f\u007f-\u009f]([^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f])?$";

/// Refuses control characters and white space around the text.
pub fn check_printable(what: &str, text: &str, code: &'static str) -> Result<(), InvalidText> {
    if text.trim() != text || text.chars().any(char::is_control) {
        let message = format!("{what} must not begin or end with white space or contain control characters");
        return Err(InvalidText::new(code, message));
    }
    Ok(())
}

/// Gives a newtype over a `String` with a `new` that validates: `as_str`, `Display`, text form in serde (validated
/// when read) and the JSON Schema passed as an object.
#[macro_export]
#[doc(hidden)]
macro_rules! validated_text {
    ($name:ident, $schema:tt) => {
        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::text::InvalidText;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}
