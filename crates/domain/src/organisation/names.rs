use crate::text::{InvalidText, PRINTABLE, check_length, check_printable};
use crate::validated_text;

/// The code of a unit, as in `CC1`: 1 to 32 letters A-Z and a-z, digits, `.`, `_`, `-` and `/`, a letter or digit first.
/// Codes compare exactly: `P1` and `p1` are two.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitCode(String);

impl UnitCode {
    /// Checks length and alphabet.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The code", &text, 1, 32)?;
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/');
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) || !text.bytes().all(allowed) {
            return Err(InvalidText::new(
                "invalid_code",
                "The code may contain only letters A-Z and a-z, digits, '.', '_', '-' and '/', and begins with a letter or digit",
            ));
        }
        Ok(Self(text))
    }
}
validated_text!(UnitCode, {
    "type": "string", "minLength": 1, "maxLength": 32, "pattern": "^[A-Za-z0-9][A-Za-z0-9._/-]*$"
});

/// What a unit is called: 1 to 120 characters, whatever they are, except control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitName(String);

impl UnitName {
    /// Checks the length and refuses control characters and surrounding white space.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The name", &text, 1, 120)?;
        check_printable("The name", &text, "invalid_name")?;
        Ok(Self(text))
    }
}
validated_text!(UnitName, { "type": "string", "minLength": 1, "maxLength": 120, "pattern": PRINTABLE });

/// What there is to say about a unit: 1 to 1000 characters, in lines if need be; no other control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitDescription(String);

impl UnitDescription {
    /// Checks the length and refuses control characters other than line feeds.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The description", &text, 1, 1000)?;
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(InvalidText::new(
                "invalid_description",
                "The description must not contain control characters other than line feeds",
            ));
        }
        Ok(Self(text))
    }
}
validated_text!(UnitDescription, {
    "type": "string", "minLength": 1, "maxLength": 1000,
    "pattern": r"^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]+$"
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_checked_and_compare_exactly() {
        for text in ["CC1", "0001", "S001", "PO-1/b.2_x", "a"] {
            assert_eq!(UnitCode::new(text).unwrap().as_str(), text);
        }
        for (text, code) in [
            ("", "too_short"),
            (&*"x".repeat(33), "too_long"),
            ("-1", "invalid_code"),
            ("=1+1", "invalid_code"),
            ("A 1", "invalid_code"),
            ("Ä1", "invalid_code"),
        ] {
            assert_eq!(UnitCode::new(text).unwrap_err().code, code, "{text:?}");
        }
        assert_ne!(UnitCode::new("P1"), UnitCode::new("p1"));
    }

    #[test]
    fn names_and_descriptions_are_anything_printable() {
        assert!(UnitName::new("Hauptlager Süd – 1").is_ok());
        assert_eq!(UnitName::new(" x").unwrap_err().code, "invalid_name");
        assert_eq!(UnitName::new("é".repeat(121)).unwrap_err().code, "too_long");
        assert!(UnitDescription::new("one\ntwo").is_ok());
        assert_eq!(UnitDescription::new("one\ttwo").unwrap_err().code, "invalid_description");
        assert_eq!(UnitDescription::new("").unwrap_err().code, "too_short");
    }
}
