use crate::text::{InvalidText, PRINTABLE, check_length, check_printable};
use crate::validated_text;

/// A word of the tenant's own, such as a name, a code, a kind of process or a role in it: 1 to 120 characters, whatever they
/// are, except control characters and white space around them. Labels compare character by character.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(String);

impl Label {
    /// Longest label, in characters.
    pub const MAX_LENGTH: usize = 120;

    /// Checks the length and refuses control characters and surrounding white space.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The text", &text, 1, Self::MAX_LENGTH)?;
        check_printable("The text", &text, "invalid_text")?;
        Ok(Self(text))
    }
}
validated_text!(Label, { "type": "string", "minLength": 1, "maxLength": 120, "pattern": PRINTABLE });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_anything_printable() {
        for text in ["DEF", "Standard Tender", "x", "入札 ✓", &"é".repeat(120)] {
            assert!(Label::new(text).is_ok(), "{text}");
        }
        let long = "é".repeat(121);
        for (text, code) in
            [("", "too_short"), (" ", "invalid_text"), ("a\nb", "invalid_text"), (long.as_str(), "too_long")]
        {
            assert_eq!(Label::new(text).unwrap_err().code, code, "{text:?}");
        }
    }
}
