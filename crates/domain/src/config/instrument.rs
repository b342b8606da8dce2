use std::sync::Arc;

use crate::text::{InvalidText, PRINTABLE, check_length, check_printable};
use crate::validated_text;

/// The name of something that is traded, as in `EURUSD` or `ES 12-25`: 1 to 64 printable characters.
///
/// A clone shares the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(Arc<str>);

impl Symbol {
    /// Checks the length and refuses control characters and surrounding white space.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The symbol", &text, 1, 64)?;
        check_printable("The symbol", &text, "invalid_symbol")?;
        Ok(Self(text.into()))
    }
}
validated_text!(Symbol, {
    "type": "string", "minLength": 1, "maxLength": 64, "pattern": PRINTABLE
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_printable() {
        for text in ["EURUSD", "ES 12-25", "BTC/USD", "^GSPC", "X"] {
            assert!(Symbol::new(text).is_ok(), "{text}");
        }
        for (text, code) in [("", "too_short"), (" ES", "invalid_symbol"), ("E\tS", "invalid_symbol")] {
            assert_eq!(Symbol::new(text).unwrap_err().code, code, "{text:?}");
        }
        assert_eq!(Symbol::new("x".repeat(65)).unwrap_err().code, "too_long");
    }
}
