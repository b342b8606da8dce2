//! Exact decimals: money and everything multiplied with it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// An exact decimal that is a JSON *number* on the wire, digit for digit, and never passes through a binary float.
///
/// Equal amounts have equal text: trailing zeros are never written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(Decimal);

/// The text is not a decimal number of at most 28 significant digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a decimal number of at most 28 significant digits")]
pub struct InvalidAmount;

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// The amount with this value.
    pub fn new(value: Decimal) -> Self {
        Self(value.normalize())
    }

    /// The amount with this value, for the rule engine: what is never written need not lose its trailing zeros.
    pub(crate) const fn untrimmed(value: Decimal) -> Self {
        Self(value)
    }

    /// The value to calculate with.
    pub const fn value(self) -> Decimal {
        self.0
    }
}

impl From<i64> for Amount {
    fn from(value: i64) -> Self {
        Self::new(Decimal::from(value))
    }
}

impl FromStr for Amount {
    type Err = InvalidAmount;

    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        let parsed = if text.contains(['e', 'E']) {
            Decimal::from_scientific(text)
        } else {
            Decimal::from_str_exact(text)
        };
        parsed.map(Self::new).map_err(|_| InvalidAmount)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.normalize(), f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Whole numbers need no detour: most amounts are.
        let value = self.0.normalize();
        if value.scale() == 0
            && let Ok(whole) = i64::try_from(value)
        {
            return serializer.serialize_i64(whole);
        }
        let raw = RawValue::from_string(value.to_string()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        raw.get().parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_numbers_are_read_and_written_digit_for_digit() {
        for (json, written) in [
            ("0.08", "0.08"),
            ("25000", "25000"),
            ("25000.10", "25000.1"),
            ("-0.5", "-0.5"),
            ("-25000", "-25000"),
            ("9223372036854775808", "9223372036854775808"),
            ("1e3", "1000"),
            ("12345678901234567890.12345678", "12345678901234567890.12345678"),
        ] {
            let amount: Amount = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&amount).unwrap(), written);
        }
    }

    #[test]
    fn what_is_no_exact_number_is_refused() {
        for wrong in ["\"12\"", "null", "true", "1.00000000000000000000000000000001", "1e400"] {
            assert!(serde_json::from_str::<Amount>(wrong).is_err(), "{wrong}");
        }
    }
}
