use std::borrow::Cow;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::Amount;
use crate::text::InvalidText;

/// Gives a newtype over an [`Amount`] that only holds values within its bounds.
macro_rules! bounded_amount {
    ($(#[$doc:meta])* $name:ident: $expected:literal, $within:expr, $schema:tt) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        pub struct $name($crate::Amount);

        impl $name {
            /// The amount as this type, if it is within its bounds (else code `out_of_range`).
            pub fn new(amount: $crate::Amount) -> Result<Self, $crate::text::InvalidText> {
                let within: fn(rust_decimal::Decimal) -> bool = $within;
                if within(amount.value()) {
                    Ok(Self(amount))
                } else {
                    Err($crate::text::InvalidText::new("out_of_range", concat!("Expected ", $expected)))
                }
            }

            /// The amount.
            pub const fn amount(self) -> $crate::Amount {
                self.0
            }

            /// The value to calculate with.
            pub const fn value(self) -> rust_decimal::Decimal {
                self.0.value()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(<$crate::Amount as serde::Deserialize>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
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

pub(crate) use bounded_amount;

bounded_amount! {
    /// The base capital of an account, in its currency: at least 1000.
    Capital: "an amount of at least 1000", |value| value >= Decimal::ONE_THOUSAND, { "type": "number", "minimum": 1000 }
}

bounded_amount! {
    /// A share of the base capital, 0 to 1: 0.05 of 100000 is 5000.
    // The schema has no maximum on purpose: a fraction above 1 is the logical error `fraction_out_of_range`, which
    // can say what was probably meant.
    Fraction: "a fraction between 0 and 1", |value| value >= Decimal::ZERO && value <= Decimal::ONE,
    { "type": "number", "minimum": 0 }
}

bounded_amount! {
    /// A share in hundredths, 0 to 100.
    Percent: "a percentage between 0 and 100", |value| value >= Decimal::ZERO && value <= Decimal::ONE_HUNDRED,
    { "type": "number", "minimum": 0, "maximum": 100 }
}

bounded_amount! {
    /// How many times its equity an account may hold in open positions: above 0.
    Leverage: "a number above 0", |value| value > Decimal::ZERO, { "type": "number", "exclusiveMinimum": 0 }
}

impl Fraction {
    /// The share of this capital, in its currency.
    pub fn of(self, capital: Capital) -> Amount {
        // Cannot overflow, since a fraction is at most 1.
        Amount::new(self.value() * capital.value())
    }

    /// Whether it is nothing at all, which a config writes for "no target".
    pub fn is_zero(self) -> bool {
        self.value().is_zero()
    }
}

/// A number of days or trades: whole, 0 to 36500 (a hundred years of days).
///
/// As in JSON Schema, `30.0` is a whole number, too: some languages write it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Amount")]
pub struct Count(u16);

impl Count {
    /// The largest count.
    pub const MAX: u16 = 36_500;

    /// The count of this many, if it is not too large (else code `out_of_range`).
    pub fn new(number: u16) -> Result<Self, InvalidText> {
        if number > Self::MAX {
            return Err(InvalidText::new("out_of_range", "Expected a whole number between 0 and 36500"));
        }
        Ok(Self(number))
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The number, unless it is 0, which configs write for "none".
    pub const fn above_zero(self) -> Option<u16> {
        if self.0 == 0 { None } else { Some(self.0) }
    }
}

impl TryFrom<Amount> for Count {
    type Error = InvalidText;

    fn try_from(amount: Amount) -> Result<Self, InvalidText> {
        let number = if amount.value().is_integer() { amount.value().to_u16() } else { None };
        // What does not even fit is out of range like what is too large.
        Self::new(number.unwrap_or(u16::MAX))
    }
}

impl JsonSchema for Count {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": Self::MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_kept_when_read() {
        assert!(serde_json::from_str::<Capital>("1000").is_ok());
        assert!(serde_json::from_str::<Capital>("999.99").is_err());
        assert!(serde_json::from_str::<Fraction>("1").is_ok());
        assert!(serde_json::from_str::<Fraction>("1.0000000001").is_err());
        assert!(serde_json::from_str::<Fraction>("-0.01").is_err());
        assert!(serde_json::from_str::<Percent>("100").is_ok());
        assert!(serde_json::from_str::<Percent>("100.01").is_err());
        assert!(serde_json::from_str::<Leverage>("0").is_err());
        assert!(serde_json::from_str::<Leverage>("0.5").is_ok());
    }

    #[test]
    fn counts_are_whole_however_they_are_written() {
        for (json, number) in [("30", 30), ("30.0", 30), ("3e1", 30), ("0", 0), ("36500", 36_500)] {
            assert_eq!(serde_json::from_str::<Count>(json).unwrap().get(), number, "{json}");
        }
        for json in ["-1", "30.5", "36501", "65536", "1e20", "\"30\"", "null"] {
            assert!(serde_json::from_str::<Count>(json).is_err(), "{json}");
        }
        assert_eq!(serde_json::to_string(&Count::new(30).unwrap()).unwrap(), "30");
    }

    #[test]
    fn the_documents_example_of_a_fraction() {
        let fraction: Fraction = serde_json::from_str("0.05").unwrap();
        assert_eq!(fraction.of(Capital::new(Amount::from(100_000)).unwrap()), Amount::from(5000));
    }

    #[test]
    fn the_largest_capital_has_fractions() {
        let capital = Capital::new(Amount::new(Decimal::MAX)).unwrap();
        for fraction in ["1", "0.9999999999999999999999999999", "0.5", "0.0000000000000000000000000001", "0"]
        {
            let share = Fraction::new(fraction.parse().unwrap()).unwrap().of(capital);
            assert!(share <= capital.amount(), "{fraction}");
        }
    }
}
